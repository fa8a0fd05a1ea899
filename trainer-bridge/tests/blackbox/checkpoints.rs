//! Folders as real checkpoints come: several weight files with an index, narrow floats, chat templates, adapters; trained end to end,
//! and refused with one clear line when something is wrong with them.

use std::{collections::HashMap, fs, path::Path, sync::Arc};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use trainer_bridge::{
    CandleConfig, ChatMode, LoraConfig, SamplingConfig, TrainError, TrainJob, TrainOutput, Trainer,
    TrainerConfig,
};

use crate::jobs::{self, Reward, job, member, run, wait};

fn toy() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/models/toy"))
}

fn try_build(config: CandleConfig) -> Result<Arc<dyn Trainer>, TrainError> {
    jobs::try_build(&TrainerConfig::Candle(config))
}

fn folder_config(folder: &Path) -> CandleConfig {
    CandleConfig {
        model: folder.to_str().unwrap().to_owned(),
        ..CandleConfig::default()
    }
}

/// A short run of LoRA.
fn lora() -> Option<LoraConfig> {
    Some(LoraConfig {
        r: 4,
        alpha: 8.0,
        ..LoraConfig::default()
    })
}

fn copy_toy(folder: &Path) {
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(toy().join(file), folder.join(file)).unwrap();
    }
}

/// The embedded model in two files with an index.
fn sharded(folder: &Path) {
    copy_toy(folder);
    fs::remove_file(folder.join("model.safetensors")).unwrap();
    let bytes = fs::read(toy().join("model.safetensors")).unwrap();
    let all = SafeTensors::deserialize(&bytes).unwrap();
    let mut map = HashMap::new();
    for part in [0, 1] {
        let file = format!("model-0000{}-of-00002.safetensors", part + 1);
        let views = all
            .iter()
            .enumerate()
            .filter(|(i, _)| i % 2 == part)
            .map(|(_, tensor)| tensor);
        let views: Vec<(&str, TensorView<'_>)> = views.collect();
        map.extend(
            views
                .iter()
                .map(|(name, _)| ((*name).to_owned(), file.clone())),
        );
        let bytes = safetensors::serialize(views, None).unwrap();
        fs::write(folder.join(&file), bytes).unwrap();
    }
    let index = serde_json::json!({"metadata": {"total_size": 1}, "weight_map": map});
    fs::write(
        folder.join("model.safetensors.index.json"),
        index.to_string(),
    )
    .unwrap();
}

fn greedy() -> SamplingConfig {
    SamplingConfig {
        temperature: 0.0,
        ..SamplingConfig::default()
    }
}

fn evaluate(config: CandleConfig, evaluation: SamplingConfig) -> Vec<String> {
    let job = TrainJob {
        evaluation,
        ..job(Vec::new(), 0)
    };
    run(&*try_build(config).unwrap(), job)
        .0
        .unwrap()
        .completions
}

#[test]
fn several_weight_files_are_one_model() {
    let folder = tempfile::tempdir().unwrap();
    sharded(folder.path());
    assert_eq!(
        evaluate(folder_config(folder.path()), greedy()),
        evaluate(CandleConfig::default(), greedy())
    );
}

fn refused(prepare: impl FnOnce(&Path), change: impl FnOnce(&mut CandleConfig), parts: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let mut config = folder_config(folder.path());
    change(&mut config);
    match try_build(config).map(drop) {
        Err(TrainError::Setup(message)) => {
            assert!(!message.contains('\n'), "{message}");
            for part in parts {
                assert!(message.contains(part), "{part} is not in: {message}");
            }
        }
        other => panic!("{parts:?}: {other:?}"),
    }
}

#[test]
fn a_checkpoint_with_missing_or_broken_files_is_refused_by_name() {
    let second = "model-00002-of-00002.safetensors";
    let index = "model.safetensors.index.json";
    let same = |_: &mut CandleConfig| {};
    let lost = |folder: &Path| {
        sharded(folder);
        fs::remove_file(folder.join(second)).unwrap();
    };
    refused(lost, same, &[second, "no such file"]);
    let cut = |folder: &Path| {
        sharded(folder);
        let bytes = fs::read(folder.join(second)).unwrap();
        fs::write(folder.join(second), &bytes[..bytes.len() / 2]).unwrap();
    };
    refused(cut, same, &[second, "truncated"]);
    let unlisted = |folder: &Path| {
        sharded(folder);
        let map = r#"{"weight_map": {"model.norm.weight": "model-00001-of-00002.safetensors"}}"#;
        fs::write(folder.join(index), map).unwrap();
    };
    refused(unlisted, same, &[index, "is missing"]);
    for (text, part) in [("{", "EOF"), (r#"{"weight_map": {"a": "../b"}}"#, "../b")] {
        let broken = |folder: &Path| {
            sharded(folder);
            fs::write(folder.join(index), text).unwrap();
        };
        refused(broken, same, &[index, part]);
    }
    let integers = |folder: &Path| {
        copy_toy(folder);
        let path = folder.join("model.safetensors");
        let bytes = fs::read(&path).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let as_integers = tensors.iter().map(|(name, tensor)| {
            let shape = tensor.shape().to_vec();
            (
                name,
                TensorView::new(Dtype::I32, shape, tensor.data()).unwrap(),
            )
        });
        let changed = safetensors::serialize(as_integers.collect::<Vec<_>>(), None).unwrap();
        fs::write(&path, changed).unwrap();
    };
    refused(integers, same, &["model.safetensors", "I32", "BF16"]);
    let generation = |folder: &Path| {
        copy_toy(folder);
        fs::write(
            folder.join("generation_config.json"),
            r#"{"eos_token_id": "x"}"#,
        )
        .unwrap();
    };
    refused(generation, same, &["generation_config.json"]);
}

#[test]
fn fields_of_other_decoders_are_named() {
    for (field, value) in [
        ("use_sliding_window", "true"),
        ("attention_bias", "true"),
        ("partial_rotary_factor", "0.5"),
        ("quantization_config", r#"{"bits": 4}"#),
        ("rope_scaling", r#"{"rope_type": "yarn", "factor": 4.0}"#),
        ("rope_scaling", r#"{"type": "llama3", "factor": 8.0}"#),
        ("model_type", r#""gemma""#),
    ] {
        let edit = |folder: &Path| {
            copy_toy(folder);
            let path = folder.join("config.json");
            let mut config: serde_json::Value =
                serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            config[field] = serde_json::from_str(value).unwrap();
            fs::write(path, config.to_string()).unwrap();
        };
        refused(edit, |_| {}, &["config.json", field]);
    }
}

#[test]
fn settings_and_templates_that_cannot_work_are_refused() {
    refused(
        copy_toy,
        |c| c.system_prompt = Some("x".into()),
        &["system_prompt", "chat template"],
    );
    refused(
        copy_toy,
        |c| c.stop_strings = vec![String::new()],
        &["stop_strings"],
    );
    refused(
        copy_toy,
        |c| {
            c.lora = Some(LoraConfig {
                targets: vec!["lm_head".into()],
                ..LoraConfig::default()
            })
        },
        &["lora.targets", "lm_head", "q_proj"],
    );
    refused(
        copy_toy,
        |c| c.adapter = Some("nowhere".into()),
        &["nowhere/adapter_config.json"],
    );
    let with_template = |text: &'static str| {
        move |folder: &Path| {
            copy_toy(folder);
            fs::write(folder.join("chat_template.jinja"), text).unwrap();
        }
    };
    refused(
        with_template("{% for %}"),
        |_| {},
        &["chat_template.jinja", "line 1"],
    );
    refused(
        with_template("{{ raise_exception('never') }}"),
        |_| {},
        &["never"],
    );
    refused(
        with_template("{{ messages[0].role }}: "),
        |_| {},
        &["chat template", "question"],
    );
    refused(
        with_template("{{ messages[-1].content }}"),
        |c| c.system_prompt = Some("be brief".into()),
        &["chat template", "`system_prompt`"],
    );
    refused(copy_toy, |c| c.offline = true, &["`offline`", "hub"]);
    let thinking = |c: &mut CandleConfig| {
        c.chat_template_kwargs = [("enable_thinking".to_owned(), false.into())].into();
    };
    refused(
        copy_toy,
        thinking,
        &["chat_template_kwargs", "chat template"],
    );
    refused(
        with_template("{{ messages }}"),
        |c| c.chat_template_kwargs = [("messages".to_owned(), 1.into())].into(),
        &["chat_template_kwargs", "`messages`"],
    );
    refused(
        copy_toy,
        |c| (c.adapter, c.lora) = (Some("some".into()), lora()),
        &["`adapter`", "[trainer.lora]", "merge_and_unload"],
    );
    let unclear = |folder: &Path| {
        copy_toy(folder);
        let templates = r#"{"chat_template": [{"name": "rag", "template": "x"}]}"#;
        fs::write(folder.join("tokenizer_config.json"), templates).unwrap();
    };
    refused(
        unclear,
        |_| {},
        &["tokenizer_config.json", "chat_template", "default"],
    );
    let folder = tempfile::tempdir().unwrap();
    unclear(folder.path());
    try_build(CandleConfig {
        chat_template: ChatMode::None,
        ..folder_config(folder.path())
    })
    .unwrap();
}

#[test]
fn a_conversation_template_of_the_folder_shapes_the_prompts() {
    let folder = tempfile::tempdir().unwrap();
    copy_toy(folder.path());
    let template = "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}";
    fs::write(folder.path().join("chat_template.jinja"), template).unwrap();
    let through = |template: &str| {
        fs::write(folder.path().join("chat_template.jinja"), template).unwrap();
        evaluate(folder_config(folder.path()), greedy())
    };
    let plain = evaluate(CandleConfig::default(), greedy());
    assert_eq!(
        through(template),
        plain,
        "a template that adds nothing changes nothing"
    );
    let worded = through("{% for m in messages %}{{ m.content }}{% endfor %} <thinking>");
    assert_ne!(worded, plain);
}

#[test]
fn stop_strings_and_more_end_tokens_end_completions() {
    let plain = evaluate(CandleConfig::default(), greedy());
    let stopped = evaluate(
        CandleConfig {
            stop_strings: vec!["</thinking>".into()],
            ..CandleConfig::default()
        },
        greedy(),
    );
    assert!(plain.iter().any(|text| text.contains("<solution>")));
    for (plain, stopped) in plain.iter().zip(&stopped) {
        assert!(plain.starts_with(stopped.as_str()), "{stopped} | {plain}");
        assert!(!stopped.contains("<solution>"), "{stopped}");
    }
    assert!(stopped.iter().any(|text| text.ends_with("</thinking>")));

    let folder = tempfile::tempdir().unwrap();
    copy_toy(folder.path());
    let json = fs::read_to_string(toy().join("tokenizer.json")).unwrap();
    let tokenizer: serde_json::Value = serde_json::from_str(&json).unwrap();
    let id = &tokenizer["model"]["vocab"][" </thinking>"];
    let generation = format!(r#"{{"eos_token_id": [1, {id}]}}"#);
    fs::write(folder.path().join("generation_config.json"), generation).unwrap();
    let ended = evaluate(folder_config(folder.path()), greedy());
    assert!(ended.iter().all(|text| !text.contains("<solution>")));
}

#[test]
fn narrow_sampling_is_greedy_and_wide_sampling_is_not() {
    let greedy = evaluate(CandleConfig::default(), greedy());
    let sampled = |change: fn(&mut SamplingConfig)| {
        let mut config = SamplingConfig::default();
        change(&mut config);
        evaluate(CandleConfig::default(), config)
    };
    assert_eq!(sampled(|c| c.top_k = 1), greedy);
    assert_eq!(sampled(|c| c.top_p = 1e-6), greedy);
    assert_eq!(sampled(|c| c.min_p = 1.0), greedy);
    assert_ne!(sampled(|_| {}), greedy);
    assert_eq!(sampled(|c| c.top_p = 1.0), sampled(|_| {}));
}

fn train_lora(config: &LoraConfig, until: u32, from: Option<&TrainOutput>) -> TrainOutput {
    let trainer = try_build(CandleConfig {
        lora: Some(config.clone()),
        ..CandleConfig::default()
    });
    let job = TrainJob {
        from: from.map(|output| output.saved.checkpoint.clone()),
        ..job(vec![member(Reward::Exact)], until)
    };
    run(&*trainer.unwrap(), job).0.unwrap()
}

#[test]
fn an_adapter_learns_continues_to_the_bit_and_can_be_taken_along() {
    let config = LoraConfig {
        dropout: 0.1,
        ..lora().unwrap()
    };
    let straight = train_lora(&config, 4, None);
    let half = train_lora(&config, 2, None);
    let continued = train_lora(&config, 4, Some(&half));
    assert_eq!(straight.saved, continued.saved, "equal to the bit");
    assert_eq!(straight.completions, continued.completions);
    let adapter = straight.saved.adapter.unwrap();
    assert!(
        straight.saved.checkpoint.bytes().unwrap().len() < 3 * 157_000 * 4 / 2,
        "only the adapter is stored"
    );

    let folder = tempfile::tempdir().unwrap();
    adapter.write(folder.path()).unwrap();
    let merged = CandleConfig {
        adapter: Some(folder.path().to_owned()),
        ..CandleConfig::default()
    };
    assert_eq!(
        evaluate(merged, SamplingConfig::default()),
        straight.completions,
        "what was trained is what is loaded"
    );
    assert_ne!(
        evaluate(CandleConfig::default(), SamplingConfig::default()),
        straight.completions
    );
}

/// What an adapter's configuration calls its base.
fn base_of(config: CandleConfig) -> (String, Option<String>) {
    let trainer = try_build(CandleConfig {
        lora: lora(),
        ..config
    });
    let job = job(vec![member(Reward::Exact)], 1);
    let adapter = run(&*trainer.unwrap(), job)
        .0
        .unwrap()
        .saved
        .adapter
        .unwrap();
    let written: serde_json::Value = serde_json::from_slice(&adapter.config).unwrap();
    let text = |key: &str| written[key].as_str().map(str::to_owned);
    (text("base_model_name_or_path").unwrap(), text("revision"))
}

#[test]
fn an_adapter_names_the_model_it_was_trained_on() {
    let local = folder_config(toy());
    assert_eq!(base_of(local.clone()), (local.model, None));
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let of_the_hub = CandleConfig {
        model: "some-org/tiny".into(),
        revision: Some(commit.into()),
        folder: Some(toy().to_owned()),
        ..CandleConfig::default()
    };
    assert_eq!(
        base_of(of_the_hub),
        ("some-org/tiny".into(), Some(commit.into()))
    );
}

#[test]
fn a_prompt_too_long_is_found_before_the_first_step() {
    let plain = job(vec![member(Reward::Exact)], 2);
    let endless = " apples".repeat(200);
    let mut example = plain.examples[0].clone();
    example.prompt.clone_from(&endless);
    let examples = plain.examples.iter().cloned().chain([example]).collect();
    let prompts = plain
        .eval_prompts
        .iter()
        .cloned()
        .chain([endless])
        .collect();
    for job in [
        TrainJob {
            examples,
            ..plain.clone()
        },
        TrainJob {
            eval_prompts: prompts,
            ..plain
        },
    ] {
        let (outcome, steps) = run(&*try_build(CandleConfig::default()).unwrap(), job);
        let error = outcome.unwrap_err().to_string();
        assert!(
            error.contains("tokens; this model takes 1 to 127"),
            "{error}"
        );
        assert!(steps.is_empty(), "no step was made");
    }
}

#[test]
fn full_training_leaves_a_model_that_can_be_loaded() {
    let trainer = jobs::trainer(1);
    let output = run(&*trainer, job(vec![member(Reward::Exact)], 2))
        .0
        .unwrap();
    assert_eq!(output.saved.adapter, None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    assert!(wait(trainer.export(&output.saved.checkpoint, &path)).unwrap());
    assert_eq!(
        evaluate(folder_config(&path), SamplingConfig::default()),
        output.completions,
        "what was trained is what is loaded"
    );
}

#[test]
fn a_run_that_trains_an_adapter_leaves_no_model() {
    let output = train_lora(&lora().unwrap(), 1, None);
    let folder = tempfile::tempdir().unwrap();
    let trainer = try_build(CandleConfig {
        lora: lora(),
        ..CandleConfig::default()
    })
    .unwrap();
    let path = folder.path().join("model");
    assert!(!wait(trainer.export(&output.saved.checkpoint, &path)).unwrap());
    assert!(!path.exists());
}

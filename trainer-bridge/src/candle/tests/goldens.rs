//! Against transformers and peft: logits of tiny checkpoints of every family, with and without an adapter that TRL trained, and chat
//! prompts token by token. `scripts/transformers_goldens.py` made `tests/goldens`; the checkpoints' weights follow from a formula.
#![expect(clippy::unwrap_used, clippy::print_stderr)]

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::Deserialize;

use crate::candle::{
    files::{
        Source, adapter_files::BaseName, chat_template::ChatTemplate, tokenizer::Tokenizer,
        tokenizer_config::TokenizerConfig, weights::Collector,
    },
    model::{Model, architecture::Architecture, lora::LoraConfig},
    tests::small_models,
};

use crate::AdapterFiles;

#[derive(Deserialize)]
struct Models {
    tokens: Vec<u32>,
    positions: Vec<u32>,
    models: Vec<ModelCase>,
    adapter: AdapterCase,
}

#[derive(Deserialize)]
struct ModelCase {
    name: String,
    config: serde_json::Value,
    logits: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct AdapterCase {
    case: String,
    logits: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct Chats {
    conversations: Vec<Conversation>,
}

#[derive(Deserialize)]
struct Conversation {
    style: String,
    system: Option<String>,
    user: String,
    ids: Vec<u32>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens")
}

fn goldens<T: for<'a> Deserialize<'a>>(name: &str) -> T {
    serde_json::from_slice(&std::fs::read(folder().join(name)).unwrap()).unwrap()
}

/// The formula of `scripts/tiny.py`.
fn formula(name: &str, count: usize) -> Vec<f32> {
    let hash = |x: u32, byte: u8| (x ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let mut x = name.bytes().fold(0x811C_9DC5, hash);
    let (scale, shift) = match name {
        name if name.contains("norm") => (0.2, 1.0),
        name if name.contains("embed") || name.contains("lm_head") => (0.5, 0.0),
        _ => (0.3, 0.0),
    };
    let mut next = || {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (shift + scale * (f64::from(x) / 2_147_483_648.0 - 1.0)) as f32
    };
    (0..count).map(|_| next()).collect()
}

/// `model.safetensors` of an architecture by the formula, its tensors in a given element type.
fn weights(architecture: &Architecture, dtype: Dtype) -> Vec<u8> {
    let mut tensors: HashMap<String, (Vec<usize>, Vec<u8>)> = HashMap::new();
    for parameter in architecture.parameters() {
        for (name, rows) in parameter.parts {
            let shape: Vec<usize> = std::iter::once(rows).chain(parameter.columns).collect();
            let values = formula(&name, shape.iter().product());
            let bytes = values.iter().flat_map(|&value| match dtype {
                Dtype::BF16 => half::bf16::from_f32(value).to_le_bytes().to_vec(),
                Dtype::F16 => half::f16::from_f32(value).to_le_bytes().to_vec(),
                _ => value.to_le_bytes().to_vec(),
            });
            tensors.insert(name, (shape, bytes.collect()));
        }
    }
    let views = tensors.iter().map(|(name, (shape, bytes))| {
        (name, TensorView::new(dtype, shape.clone(), bytes).unwrap())
    });
    safetensors::serialize(views, None).unwrap()
}

fn model(case: &ModelCase, dtype: Dtype) -> Model {
    let architecture = Architecture::parse(&case.config.to_string()).unwrap();
    let bytes = weights(&architecture, dtype);
    let mut collector = Collector::new(Arc::new(architecture));
    collector.add(&bytes).unwrap();
    collector.finish().unwrap()
}

fn logits(model: &Model, goldens: &Models) -> Vec<f32> {
    small_models::logits(model, &goldens.tokens, &goldens.positions)
}

fn worst(ours: &[f32], theirs: &[Vec<f32>]) -> f32 {
    let theirs = theirs.concat();
    assert_eq!(ours.len(), theirs.len());
    let errors = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs());
    errors.fold(0.0, f32::max)
}

#[test]
fn logits_are_those_of_transformers() {
    let goldens: Models = goldens("models.json");
    assert_eq!(goldens.models.len(), 7);
    for case in &goldens.models {
        let error = worst(&logits(&model(case, Dtype::F32), &goldens), &case.logits);
        assert!(error < 1e-4, "{}: {error}", case.name);
    }
}

#[test]
fn narrow_weights_give_logits_near_by() {
    let goldens: Models = goldens("models.json");
    for (dtype, tolerance) in [(Dtype::F16, 0.05), (Dtype::BF16, 0.4)] {
        for case in &goldens.models {
            let error = worst(&logits(&model(case, dtype), &goldens), &case.logits);
            assert!(
                error > 1e-4 && error < tolerance,
                "{}, {dtype:?}: {error}",
                case.name
            );
        }
    }
}

fn adapter_case(goldens: &Models) -> &ModelCase {
    let name = &goldens.adapter.case;
    goldens
        .models
        .iter()
        .find(|case| case.name == *name)
        .unwrap()
}

#[test]
fn an_adapter_trained_by_trl_gives_pefts_logits() {
    let goldens: Models = goldens("models.json");
    let mut model = model(adapter_case(&goldens), Dtype::F32);
    let folder = folder().join("peft");
    let files = AdapterFiles::read(&folder).unwrap();
    files.merge_into(&mut model, &folder).unwrap();
    let error = worst(&logits(&model, &goldens), &goldens.adapter.logits);
    assert!(error < 1e-4, "{error}");
}

fn tiny() -> BaseName {
    BaseName {
        model: "some-org/tiny".into(),
        revision: Some("0123456789abcdef0123456789abcdef01234567".into()),
    }
}

/// A trained adapter on the golden model, and the files it is stored in.
fn trained(goldens: &Models, config: &LoraConfig) -> (Model, AdapterFiles) {
    let mut model = model(adapter_case(goldens), Dtype::F32).with_adapter(config, 9);
    model.update(|parameters| {
        for (i, values) in parameters.iter_mut().enumerate() {
            for (j, value) in values.iter_mut().enumerate() {
                *value += 0.05 * ((i + 3 * j) as f32).sin();
            }
        }
    });
    let files = AdapterFiles::of(&model, &tiny()).unwrap().unwrap();
    (model, files)
}

fn config() -> LoraConfig {
    LoraConfig {
        r: 3,
        alpha: 5.0,
        ..LoraConfig::default()
    }
}

#[test]
fn an_adapter_comes_back_from_its_files() {
    let goldens: Models = goldens("models.json");
    let (trained, files) = trained(&goldens, &config());
    let folder = tempfile::tempdir().unwrap();
    files.write(folder.path()).unwrap();
    let read = AdapterFiles::read(folder.path()).unwrap();
    assert_eq!(read, files);
    let mut merged = model(adapter_case(&goldens), Dtype::F32);
    read.merge_into(&mut merged, folder.path()).unwrap();
    assert_eq!(
        Some(merged.weights()),
        trained.merged_weights().as_deref(),
        "equal to the bit"
    );
}

#[test]
fn adapters_that_do_not_fit_are_named() {
    let goldens: Models = goldens("models.json");
    let (_, files) = trained(&goldens, &config());
    let refuse = |files: &AdapterFiles, case: &ModelCase, parts: &[&str]| {
        let mut model = model(case, Dtype::F32);
        let error = files.merge_into(&mut model, Path::new("DIR")).unwrap_err();
        let error = error.to_string();
        for part in parts.iter().chain(&["DIR/adapter_"]) {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
        assert!(!error.contains('\n'), "{error}");
    };
    let case = adapter_case(&goldens);
    let edited = |from: &str, to: &str| {
        let text = String::from_utf8(files.config.clone()).unwrap();
        assert!(text.contains(from), "{text}");
        let config = text.replace(from, to).into_bytes();
        AdapterFiles {
            config,
            ..files.clone()
        }
    };
    refuse(&edited("\"LORA\"", "\"LOHA\""), case, &["peft_type"]);
    refuse(
        &edited("\"use_dora\": false", "\"use_dora\": true"),
        case,
        &["use_dora"],
    );
    refuse(
        &edited("\"r\": 3", "\"r\": 4"),
        case,
        &["lora_A", "[3, 32]", "[4, 32]"],
    );
    let cut = AdapterFiles {
        weights: files.weights[..100].to_vec(),
        ..files.clone()
    };
    refuse(&cut, case, &["truncated"]);
    let only = |part: &str| {
        let tensors = SafeTensors::deserialize(&files.weights).unwrap();
        let kept = tensors.iter().filter(|(name, _)| name.contains(part));
        let weights = safetensors::serialize(kept.collect::<Vec<_>>(), None).unwrap();
        AdapterFiles {
            weights,
            ..files.clone()
        }
    };
    refuse(
        &only("layers.0."),
        case,
        &["layers.1.", "q_proj.lora_A.weight", "missing"],
    );
    refuse(
        &only("lora_A"),
        case,
        &["layers.0.", "lora_B.weight", "missing"],
    );
    refuse(&only("nothing"), case, &["no tensors"]);
    refuse(
        &edited("\"lora_alpha\": 5.0", "\"lora_alpha\": 1e308"),
        case,
        &["not finite"],
    );
    let shallow = ModelCase {
        name: "one layer".into(),
        config: {
            let mut config = case.config.clone();
            config["num_hidden_layers"] = 1.into();
            config
        },
        logits: Vec::new(),
    };
    refuse(&files, &shallow, &["layers.1.", "no place"]);
}

/// Has `scripts/peft_check.py` load what lies in a folder and compare its logits with the model's. REWARD_SEARCH_PEFT_PYTHON names a
/// Python with `scripts/requirements-transformers.txt`, gigabytes that no test run fetches: `cargo test -- --ignored`.
fn check_in_python(folder: &Path, model: &Model, goldens: &Models, facts: serde_json::Value) {
    let python = std::env::var_os("REWARD_SEARCH_PEFT_PYTHON").unwrap();
    let rows: Vec<Vec<f32>> = logits(model, goldens)
        .chunks(64)
        .map(<[f32]>::to_vec)
        .collect();
    let mut expected = serde_json::json!({"tokens": goldens.tokens, "positions": goldens.positions, "logits": rows});
    let facts = facts.as_object().unwrap().clone();
    expected.as_object_mut().unwrap().extend(facts);
    std::fs::write(folder.join("expected.json"), expected.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/peft_check.py");
    let output = std::process::Command::new(python)
        .arg(script)
        .arg(folder)
        .output()
        .unwrap();
    eprint!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
#[ignore = "needs REWARD_SEARCH_PEFT_PYTHON, a Python with scripts/requirements-transformers.txt"]
fn our_adapter_loads_in_peft() {
    let goldens: Models = goldens("models.json");
    let some = LoraConfig {
        targets: ["k_proj", "down_proj"].map(str::to_owned).to_vec(),
        ..config()
    };
    for (config, modules) in [(config(), 14), (some, 4)] {
        let (model, files) = trained(&goldens, &config);
        let folder = tempfile::tempdir().unwrap();
        files.write(folder.path()).unwrap();
        let facts = serde_json::json!({"case": goldens.adapter.case, "modules": modules});
        check_in_python(folder.path(), &model, &goldens, facts);
    }
}

/// A golden model with other weights, and the folder they are written to beside a golden configuration that says bf16.
fn trained_folder(case: &ModelCase) -> (Model, tempfile::TempDir) {
    let mut config = case.config.clone();
    config["torch_dtype"] = "bfloat16".into();
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(from.path().join("config.json"), config.to_string()).unwrap();
    std::fs::write(from.path().join("generation_config.json"), "{}").unwrap();
    let mut trained = model(case, Dtype::F32);
    trained.update(|parameters| {
        for value in parameters.iter_mut().flatten() {
            *value *= 1.1;
        }
    });
    let source = Source::folder(from.path()).unwrap();
    source.write_with(&trained, to.path()).unwrap();
    (trained, to)
}

#[test]
fn a_trained_model_comes_back_from_its_folder() {
    let goldens: Models = goldens("models.json");
    for case in &goldens.models {
        let (trained, folder) = trained_folder(case);
        let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
        assert_eq!(read("generation_config.json"), b"{}");
        let config = String::from_utf8(read("config.json")).unwrap();
        assert!(config.contains("\"dtype\": \"float32\"") && !config.contains("bfloat16"));
        let mut collector = Collector::new(Arc::new(Architecture::parse(&config).unwrap()));
        collector.add(&read("model.safetensors")).unwrap();
        let again = collector.finish().unwrap();
        assert_eq!(again.weights(), trained.weights(), "equal to the bit");
    }
}

#[test]
#[ignore = "needs REWARD_SEARCH_PEFT_PYTHON, a Python with scripts/requirements-transformers.txt"]
fn our_trained_model_loads_in_transformers() {
    let goldens: Models = goldens("models.json");
    for case in &goldens.models {
        let (trained, folder) = trained_folder(case);
        check_in_python(
            folder.path(),
            &trained,
            &goldens,
            serde_json::json!({"modules": 0}),
        );
    }
}

#[test]
fn chat_prompts_are_those_of_transformers_token_by_token() {
    let goldens: Chats = goldens("chat.json");
    assert_eq!(goldens.conversations.len(), 9);
    for conversation in goldens.conversations {
        let folder = folder().join("chat").join(&conversation.style);
        let read = |name: &str| std::fs::read(folder.join(name)).ok();
        let own = read("chat_template.jinja");
        let config = read("tokenizer_config.json");
        let config = config.map_or_else(Default::default, |config| {
            TokenizerConfig::parse(&config).unwrap()
        });
        let template = ChatTemplate::of_folder(own.as_deref(), &config);
        let tokenizer = Tokenizer::parse(&read("tokenizer.json").unwrap(), Vec::new())
            .unwrap()
            .with_chat(template.unwrap().unwrap(), conversation.system);
        let ids = tokenizer.encode_prompt(&conversation.user).unwrap();
        assert_eq!(
            ids, conversation.ids,
            "{}: {}",
            conversation.style, conversation.user
        );
    }
}

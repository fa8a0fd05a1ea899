//! Model folders that cannot be used: one clear line each, naming the file and the field or tensor.

use std::{fs, path::Path};

use safetensors::{SafeTensors, tensor::TensorView};
use trainer_bridge::{CandleConfig, TrainError, TrainerConfig};

use crate::jobs::try_build;

fn toy() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/models/toy"))
}

fn load(folder: &Path) -> Result<(), TrainError> {
    let model = folder.to_str().unwrap().to_owned();
    try_build(&TrainerConfig::Candle(CandleConfig {
        model,
        ..CandleConfig::default()
    }))
    .map(|_| ())
}

/// A copy of the embedded model's folder.
fn copy() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(toy().join(file), copy.path().join(file)).unwrap();
    }
    copy
}

/// Loads a copy of the embedded model after a change, and checks the complaint.
fn refused(change: impl FnOnce(&Path), parts: &[&str]) {
    let copy = copy();
    change(copy.path());
    match load(copy.path()) {
        Err(TrainError::Setup(message)) => {
            assert!(!message.contains('\n'), "{message}");
            for part in parts {
                assert!(message.contains(part), "{part} is not in: {message}");
            }
        }
        other => panic!("{parts:?}: {other:?}"),
    }
}

fn edit_config(folder: &Path, from: &str, to: &str) {
    let path = folder.join("config.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from));
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn the_shipped_folder_loads() {
    load(toy()).unwrap();
}

#[test]
fn missing_files_are_named() {
    assert!(
        load(Path::new("/nowhere"))
            .unwrap_err()
            .to_string()
            .contains("/nowhere")
    );
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        refused(
            |folder| fs::remove_file(folder.join(file)).unwrap(),
            &[file],
        );
    }
}

#[test]
fn a_file_in_another_programs_form_comes_with_advice() {
    for (file, other, advice) in [
        ("tokenizer.json", "tokenizer.model", "AutoTokenizer"),
        ("tokenizer.json", "vocab.json", "AutoTokenizer"),
        (
            "model.safetensors",
            "pytorch_model.bin",
            "AutoModelForCausalLM",
        ),
        ("config.json", "adapter_config.json", "`adapter`"),
    ] {
        let exchange = |folder: &Path| {
            fs::remove_file(folder.join(file)).unwrap();
            fs::write(folder.join(other), "").unwrap();
        };
        refused(exchange, &[file, other, advice]);
    }
}

#[test]
fn broken_files_are_named() {
    for size in [0, 100, 300_000] {
        let cut = |folder: &Path| {
            let path = folder.join("model.safetensors");
            let bytes = fs::read(&path).unwrap();
            fs::write(path, &bytes[..size]).unwrap();
        };
        refused(cut, &["model.safetensors", "truncated"]);
    }
    refused(
        |folder| fs::write(folder.join("config.json"), "{").unwrap(),
        &["config.json", "EOF"],
    );
    refused(
        |folder| fs::write(folder.join("tokenizer.json"), "[]").unwrap(),
        &["tokenizer.json"],
    );
}

#[test]
fn fields_that_do_not_fit_are_named() {
    let edits: [(&str, &str, &[&str]); 7] = [
        (
            "\"llama\"",
            "\"mamba\"",
            &["config.json", "model_type", "mamba"],
        ),
        (
            "\"hidden_size\": 64",
            "\"hidden_size\": 32",
            &["model.safetensors", "model.embed_tokens.weight", "[85, 32]"],
        ),
        (
            "\"num_hidden_layers\": 3",
            "\"num_hidden_layers\": 4",
            &["model.layers.3.", "missing"],
        ),
        (
            "\"vocab_size\": 85",
            "\"vocab_size\": 80",
            &["tokenizer.json", "85", "vocab_size", "80"],
        ),
        (
            "\"head_dim\": 16",
            "\"head_dim\": 10",
            &["config.json", "head_dim", "10"],
        ),
        (
            "\"num_key_value_heads\": 4",
            "\"num_key_value_heads\": 3",
            &["config.json", "num_key_value_heads"],
        ),
        (
            "  \"hidden_size\": 64,\n",
            "",
            &["config.json", "hidden_size"],
        ),
    ];
    for (from, to, parts) in edits {
        refused(|folder| edit_config(folder, from, to), parts);
    }
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let poison = |folder: &Path| {
        let path = folder.join("model.safetensors");
        let mut bytes = fs::read(&path).unwrap();
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        fs::write(path, bytes).unwrap();
    };
    refused(poison, &["model.safetensors", "not finite"]);
}

/// Sizes that no model has, and fields of the wrong kind. None of them may take memory before it is refused.
#[test]
fn fields_that_cannot_be_are_named() {
    for (field, value, part) in [
        ("vocab_size", "1000000000000", "at most"),
        ("num_hidden_layers", "1000000000", "at most"),
        ("intermediate_size", "2305843009213693952", "at most"),
        ("vocab_size", "16000000", "model.embed_tokens.weight"),
        ("intermediate_size", "16000000", "mlp.down_proj"),
        ("num_hidden_layers", "2", "num_hidden_layers"),
        ("num_hidden_layers", "10000", "model.layers.3."),
        ("hidden_size", "\"64\"", "`hidden_size`"),
        ("rms_norm_eps", "\"1e-5\"", "`rms_norm_eps`"),
        ("rms_norm_eps", "0.0", "`rms_norm_eps`"),
        ("rms_norm_eps", "-1.0", "`rms_norm_eps`"),
        ("rope_theta", "0.0", "`rope_theta`"),
        ("rope_theta", "-5.0", "`rope_theta`"),
        ("eos_token_id", "-1", "`eos_token_id`"),
        ("eos_token_id", "9999", "9999"),
        ("eos_token_id", "null", "stop_strings"),
        ("tie_word_embeddings", "false", "lm_head.weight"),
        ("model_type", "null", "`model_type`"),
        ("layer_types", "[\"sliding_attention\"]", "layer_types"),
        (
            "rope_parameters",
            r#"{"rope_type": "default", "partial_rotary_factor": 0.5}"#,
            "partial_rotary_factor",
        ),
        (
            "rope_parameters",
            r#"{"rope_type": "default", "mrope_section": [1]}"#,
            "mrope_section",
        ),
        (
            "rope_scaling",
            r#"{"rope_type": "llama3", "factor": "8"}"#,
            "`rope_scaling.factor`",
        ),
    ] {
        refused(|folder| set(folder, field, value), &[part]);
    }
}

fn set(folder: &Path, field: &str, value: &str) {
    let path = folder.join("config.json");
    let mut config: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    config[field] = serde_json::from_str(value).unwrap();
    fs::write(path, config.to_string()).unwrap();
}

#[test]
fn what_is_not_used_is_not_read() {
    let folder = copy();
    for (field, value) in [
        ("pad_token_id", "-1"),
        ("bos_token_id", "\"<s>\""),
        ("architectures", "null"),
        ("initializer_range", "\"small\""),
        ("max_position_embeddings", "1000000000000"),
    ] {
        set(folder.path(), field, value);
    }
    load(folder.path()).unwrap();
}

#[test]
fn the_tokenizers_own_end_token_ends_completions() {
    for (file, content) in [
        ("tokenizer_config.json", r#"{"eos_token": "<eos>"}"#),
        (
            "tokenizer_config.json",
            r#"{"eos_token": {"content": "<eos>"}}"#,
        ),
        ("special_tokens_map.json", r#"{"eos_token": "<eos>"}"#),
    ] {
        let folder = copy();
        set(folder.path(), "eos_token_id", "null");
        fs::write(folder.path().join(file), content).unwrap();
        load(folder.path()).unwrap();
    }
    let beyond = |folder: &Path| {
        fs::write(
            folder.join("generation_config.json"),
            r#"{"eos_token_id": [1, 85]}"#,
        )
        .unwrap();
    };
    refused(beyond, &["generation_config.json", "85", "vocab_size"]);
}

/// Adds a tensor of the embedding's shape and values, the first value changed by `change`, to the weights of a folder.
fn add_tensor(folder: &Path, name: &str, change: f32) {
    let path = folder.join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    let all = SafeTensors::deserialize(&bytes).unwrap();
    let embedding = all.tensor("model.embed_tokens.weight").unwrap();
    let mut data = embedding.data().to_vec();
    let first = f32::from_le_bytes(data[..4].try_into().unwrap()) + change;
    data[..4].copy_from_slice(&first.to_le_bytes());
    let shape = embedding.shape().to_vec();
    let added = TensorView::new(embedding.dtype(), shape, &data).unwrap();
    let mut tensors: Vec<_> = all.iter().collect();
    tensors.push((name, added));
    fs::write(path, safetensors::serialize(tensors, None).unwrap()).unwrap();
}

#[test]
fn tensors_without_a_place_are_refused_with_what_they_tell() {
    for (name, hint) in [
        ("model.layers.0.self_attn.q_norm.weight", "qwen3"),
        ("model.layers.0.self_attn.q_proj.bias", "qwen2"),
        ("model.layers.0.mlp.gate_proj.qweight", "quantised"),
        ("model.layers.0.mlp.experts.0.up_proj.weight", "experts"),
        ("model.layers.0.self_attn.q_proj.lora_A.weight", "`adapter`"),
        ("norm.weight", "AutoModelForCausalLM"),
        ("visual.patch_embed.weight", "another architecture"),
    ] {
        refused(
            |folder| add_tensor(folder, name, 0.0),
            &["model.safetensors", name, "no place", hint],
        );
    }
    for harmless in [
        "lm_head.weight",
        "model.layers.0.self_attn.rotary_emb.inv_freq",
    ] {
        let folder = copy();
        add_tensor(folder.path(), harmless, 0.0);
        load(folder.path()).unwrap();
    }
    refused(
        |folder| add_tensor(folder, "lm_head.weight", 0.5),
        &["lm_head.weight", "tie_word_embeddings"],
    );
}

#[test]
fn one_weights_file_is_taken_before_several() {
    let folder = copy();
    let index = r#"{"weight_map": {"a": "old-00001.safetensors"}}"#;
    fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
    load(folder.path()).unwrap();
}

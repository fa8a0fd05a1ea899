//! Model folders that cannot be used: one clear line each, naming the file and the field or tensor.

use std::{fs, path::Path};

use trainer_bridge::{CandleConfig, TrainError, TrainerConfig, build};

fn toy() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/models/toy"))
}

fn load(folder: &Path) -> Result<(), TrainError> {
    let model = folder.to_str().unwrap().to_owned();
    build(&TrainerConfig::Candle(CandleConfig {
        model,
        ..CandleConfig::default()
    }))
    .map(|_| ())
}

/// Loads a copy of the embedded model after a change, and checks the complaint.
fn refused(change: impl FnOnce(&Path), parts: &[&str]) {
    let copy = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(toy().join(file), copy.path().join(file)).unwrap();
    }
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

//! The search on real GSM8K problems with a checkpoint in Hugging Face's layout, from loading to the leaderboard: a small random Qwen2
//! with a byte-level tokenizer and a chat template, trained with LoRA. It learns nothing in a step; that everything fits together is the
//! point. Skipped where the data set is not at hand.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use std::{fs, path::Path};

use orchestrator::config::{Config, TaskConfig};
use program::{Program, gsm8k};
use serde_json::json;
use trainer_bridge::{CandleConfig, TrainerConfig};

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

const HIDDEN: usize = 32;
const INNER: usize = 48;
const LAYERS: usize = 2;

/// Name and shape of every tensor of the checkpoint: two query heads, one key-value head, the output head tied to the embedding.
fn tensors(vocabulary: usize) -> Vec<(String, Vec<usize>)> {
    let mut tensors = vec![
        (
            "model.embed_tokens.weight".to_owned(),
            vec![vocabulary, HIDDEN],
        ),
        ("model.norm.weight".to_owned(), vec![HIDDEN]),
    ];
    for layer in 0..LAYERS {
        for (name, shape) in [
            ("input_layernorm.weight", vec![HIDDEN]),
            ("post_attention_layernorm.weight", vec![HIDDEN]),
            ("self_attn.q_proj.weight", vec![HIDDEN, HIDDEN]),
            ("self_attn.q_proj.bias", vec![HIDDEN]),
            ("self_attn.k_proj.weight", vec![HIDDEN / 2, HIDDEN]),
            ("self_attn.k_proj.bias", vec![HIDDEN / 2]),
            ("self_attn.v_proj.weight", vec![HIDDEN / 2, HIDDEN]),
            ("self_attn.v_proj.bias", vec![HIDDEN / 2]),
            ("self_attn.o_proj.weight", vec![HIDDEN, HIDDEN]),
            ("mlp.gate_proj.weight", vec![INNER, HIDDEN]),
            ("mlp.up_proj.weight", vec![INNER, HIDDEN]),
            ("mlp.down_proj.weight", vec![HIDDEN, INNER]),
        ] {
            tensors.push((format!("model.layers.{layer}.{name}"), shape));
        }
    }
    tensors
}

/// A safetensors file of pseudo-random bf16 weights: a length, a JSON header, the data.
fn weights(vocabulary: usize) -> Vec<u8> {
    let mut data: Vec<u8> = Vec::new();
    let mut header = serde_json::Map::new();
    let mut state = 7_u32;
    for (name, shape) in tensors(vocabulary) {
        let start = data.len();
        for _ in 0..shape.iter().product() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let shift = if name.contains("norm") { 1.0 } else { 0.0 };
            let value = shift + 0.2 * (state as f32 / 2_147_483_648.0 - 1.0);
            // bf16 is the upper half of f32.
            data.extend(&value.to_bits().to_le_bytes()[2..]);
        }
        let offsets = [start, data.len()];
        header.insert(
            name,
            json!({"dtype": "BF16", "shape": shape, "data_offsets": offsets}),
        );
    }
    let header = serde_json::to_vec(&header).unwrap();
    [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat()
}

fn write_checkpoint(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let tokenizer = repository().join("trainer-bridge/tests/goldens/chat/qwen2.5");
    for file in ["tokenizer.json", "tokenizer_config.json"] {
        fs::copy(tokenizer.join(file), folder.join(file)).unwrap();
    }
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("tokenizer.json")).unwrap()).unwrap();
    let added = json["added_tokens"].as_array().unwrap();
    let end = added
        .iter()
        .find(|token| token["content"] == "<|im_end|>")
        .unwrap();
    let vocabulary = added
        .iter()
        .filter_map(|token| token["id"].as_u64())
        .max()
        .unwrap()
        + 1;
    let config = json!({
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": HIDDEN, "intermediate_size": INNER,
        "num_hidden_layers": LAYERS, "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": vocabulary,
        "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "rope_theta": 1e6, "tie_word_embeddings": true,
        "hidden_act": "silu", "use_sliding_window": false, "sliding_window": 2048, "torch_dtype": "bfloat16",
        "eos_token_id": end["id"],
    });
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    fs::write(
        folder.join("generation_config.json"),
        json!({"eos_token_id": [end["id"]]}).to_string(),
    )
    .unwrap();
    fs::write(
        folder.join("model.safetensors"),
        weights(vocabulary as usize),
    )
    .unwrap();
}

const CONFIG: &str = r#"
[search]
name = "small"
rounds = 1
candidates_per_round = 2
with_base_rewards = true

[task]
kind = "gsm8k"
path = "PATH"
dev_size = 40

[proposer]
kind = "grammar"

[trainer]
kind = "candle"
model = "./checkpoint"
system_prompt = "Think between <thinking> and </thinking>; answer between <solution> and </solution>."
lora = { r = 4, alpha = 8 }

[grpo]
prompts_per_step = 2
num_generations = 2
max_completion_length = 24

[evaluation]
temperature = 0
max_completion_length = 16

[screen]
steps = 1
problems = 12

[ensemble]
sizes = []

[confirm]
steps = 1
problems = 12
seeds = 1
candidates = 1
"#;

#[test]
fn a_checkpoint_goes_all_the_way_to_the_leaderboard() {
    let Some(data) = gsm8k() else { return };
    let program = Program::with(&CONFIG.replace("PATH", data.to_str().unwrap()));
    write_checkpoint(&program.path("checkpoint"));
    let printed = program.run(&["run", "search.toml"]);
    // Its weights are random: that it answers next to nothing, and that nothing came of it, is said.
    assert_eq!(printed.code, 3, "{}", printed.err);
    for part in [
        "The untouched model: every completion",
        "grpo.max_completion_length = 24",
        "the search found nothing",
    ] {
        assert!(printed.err.contains(part), "{}", printed.err);
    }
    let board = program.leaderboard();
    assert_eq!(board["state"], "finished");
    let candidates = board["candidates"].as_array().unwrap();
    assert!(
        candidates
            .iter()
            .any(|candidate| candidate["state"] == "complete"),
        "{board}"
    );
    assert!(
        !board["confirmed"].as_array().unwrap().is_empty(),
        "{board}"
    );
}

#[test]
fn the_real_configurations_load_and_name_what_they_need() {
    for (file, model) in [
        ("gsm8k-qwen2.5-0.5b.toml", "Qwen/Qwen2.5-0.5B-Instruct"),
        ("gsm8k-llama3.2-3b.toml", "meta-llama/Llama-3.2-3B-Instruct"),
    ] {
        let config = Config::load(&repository().join("configs").join(file)).unwrap();
        let TrainerConfig::Candle(trainer) = &config.trainer else {
            panic!("{file}: {:?}", config.trainer)
        };
        assert_eq!(trainer.hub_id(), Some(model));
        assert_eq!(trainer.problems(), [""; 0]);
        assert_eq!(
            trainer.revision.as_ref().map(String::len),
            Some(40),
            "pinned"
        );
        assert!(
            trainer
                .system_prompt
                .as_ref()
                .unwrap()
                .contains("<solution>")
        );
        assert!(matches!(&config.task, TaskConfig::Gsm8k(gsm8k) if gsm8k.path.is_none()));
        assert_eq!(config.evaluation.temperature, 0.0);
        let lora = trainer.lora.as_ref().unwrap();
        assert_eq!((lora.r, lora.alpha, lora.targets.len()), (32, 32.0, 7));
    }
    let default = CandleConfig::default();
    assert_eq!(default.hub_id(), None, "the embedded model is no hub id");
}

//! Small models with random weights, for tests.

use crate::candle::model::{Model, architecture::Architecture};

/// A small Llama with random weights: grouped queries, and an output head of its own unless `tied`.
pub fn small_model(tied: bool) -> Model {
    small("llama", tied)
}

/// A small model of a family with random weights.
pub fn small(model_type: &str, tied: bool) -> Model {
    let architecture = Architecture::parse(&format!(
        r#"{{"model_type": "{model_type}", "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4,
            "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 23, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
            "tie_word_embeddings": {tied}, "eos_token_id": 1}}"#
    ));
    let architecture = architecture.expect("the configuration above is valid");
    let mut model = crate::candle::pretrain::random(architecture.into(), 5);
    model.update(stir);
    model
}

/// Makes norms other than 1, biases and adapters other than 0, and weights large enough for attention to be far from uniform.
pub fn stir(parameters: &mut [Vec<f32>]) {
    for (i, values) in parameters.iter_mut().enumerate() {
        for (j, value) in values.iter_mut().enumerate() {
            *value = *value * 4.0 + 0.1 * ((i + 3 * j) as f32).sin();
        }
    }
}

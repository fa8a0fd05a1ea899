//! Small models with random weights, for tests.

use std::convert::Infallible;

use crate::candle::{
    decoder::{
        cpu::{
            adapter::LowRank,
            engine::CpuEngine,
            ops::{CpuOps, OverPack},
            pack_attention::Gathered,
        },
        pack::{Group, Pack},
        pass::{Keep, Tape},
    },
    model::{Model, architecture::Architecture},
};

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

/// An engine on the processor.
pub fn engine(model: &Model) -> CpuEngine {
    CpuEngine::new(model, Default::default())
}

/// Log-probabilities of the groups' completion tokens, as one micro-batch.
pub fn log_probs(model: &Model, groups: &[Group<'_>], temperature: f64) -> Vec<f32> {
    engine(model).log_probs(model, &[groups], temperature)
}

/// The same as a training pass sees them, with dropout, and the gradients of their sum, each weighted.
pub fn training_pass(
    model: &Model,
    groups: &[Group<'_>],
    weight: impl Fn(usize) -> f32 + Sync,
) -> (Vec<f32>, Vec<Vec<f32>>) {
    let loss = |_: usize, log_probs: &[f32], derivative: &mut [f32]| {
        for (i, slope) in derivative.iter_mut().enumerate() {
            *slope = weight(i);
        }
        Ok::<_, Infallible>(log_probs.to_vec())
    };
    let mut engine = engine(model);
    let Ok((log_probs, gradients)) = engine.gradients(model, &[groups], 1.0, loss);
    let gradients = gradients.iter().map(<[f32]>::to_vec).collect();
    (log_probs.concat(), gradients)
}

/// Logits of chosen rows of one sequence of tokens.
pub fn logits(model: &Model, tokens: &[u32], rows: &[u32]) -> Vec<f32> {
    let (pack, layout) = (Pack::prompts(&[tokens]), model.layout());
    let mut ops = CpuOps {
        weights: &engine(model).weights(model),
        positions: &pack.positions,
        noise: None,
        low_rank: &mut LowRank::default(),
        attention: OverPack {
            heads: model.architecture().heads(),
            pack: &pack,
            gathered: &mut Gathered::default(),
        },
    };
    let mut tape = Tape::default();
    let Ok(()) = tape.run(&mut ops, layout, tokens, Keep::Everything);
    let Ok(logits) = tape.predict(&mut ops, layout, rows);
    logits.clone()
}

//! Supervised pretraining of a tiny model from nothing: what makes the embedded base model again from its seed.

use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::candle::{
    decoder::{
        cpu::engine::{CpuEngine, ROWS_PER_MICRO_BATCH},
        micro_batches::micro_batches,
        pack::Group,
    },
    files::{
        Loaded, ModelFiles, Source,
        tokenizer::{Tokenizer, excerpt, word_level},
        weights::encode_weights,
    },
    learn::adamw::{AdamW, Update},
    model::{
        Model,
        architecture::{Architecture, TokenIds},
        layout::Role,
    },
    threads::in_pool,
};

/// Size of the model and recipe of its pretraining. The defaults make the embedded base model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PretrainConfig {
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward block.
    pub intermediate_size: usize,
    /// Decoder layers.
    pub num_hidden_layers: usize,
    /// Attention heads, as many for keys and values.
    pub num_attention_heads: usize,
    /// Longest sequence, tokens.
    pub max_position_embeddings: usize,
    /// Examples an optimiser step.
    pub batch_size: usize,
    /// Peak learning rate; linear warm-up, then a cosine down to `final_learning_rate_ratio` of it.
    pub learning_rate: f64,
    /// Optimiser steps of warm-up.
    pub warmup_steps: usize,
    /// Share of the peak learning rate that is left at the end.
    pub final_learning_rate_ratio: f64,
    /// AdamW beta1.
    pub adam_beta1: f64,
    /// AdamW beta2.
    pub adam_beta2: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Global gradient-norm clip.
    pub max_grad_norm: f64,
    /// Threads.
    pub threads: usize,
}

impl Default for PretrainConfig {
    fn default() -> Self {
        Self {
            hidden_size: 64,
            intermediate_size: 176,
            num_hidden_layers: 3,
            num_attention_heads: 4,
            max_position_embeddings: 128,
            batch_size: 64,
            learning_rate: 4e-3,
            warmup_steps: 100,
            final_learning_rate_ratio: 0.05,
            adam_beta1: 0.9,
            adam_beta2: 0.98,
            weight_decay: 0.01,
            max_grad_norm: 1.0,
            threads: 1,
        }
    }
}

/// One supervised example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SftExample {
    /// The prompt exactly as the model will see it.
    pub prompt: String,
    /// What it shall answer; a space is put between the two.
    pub completion: String,
}

impl SftExample {
    /// The completion as it follows the prompt.
    fn continuation(&self) -> String {
        format!(" {}", self.completion)
    }
}

/// Progress of pretraining after a step.
#[derive(Debug, Clone, PartialEq)]
pub struct SftProgress {
    /// The step just done, from 1.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// Mean negative log-likelihood of the step's completion tokens, nats.
    pub loss: f64,
    /// Learning rate of the step.
    pub learning_rate: f64,
}

/// Trains a model from random weights on `examples`, in their order, `batch_size` a step, and a word-level tokenizer made of exactly
/// their words. The loss is on completions alone. Returns the model folder's files; the same seed gives the same bytes.
///
/// # Errors
/// `Setup` when there are no examples or one is longer than the model; `NonFinite` when training leaves the numbers.
pub fn pretrain(
    config: &PretrainConfig,
    examples: &[SftExample],
    seed: u64,
    on_step: &mut (dyn FnMut(SftProgress) + Send),
) -> Result<ModelFiles, TrainError> {
    some(examples, config)?;
    let completions: Vec<String> = examples.iter().map(SftExample::continuation).collect();
    let prompts = examples.iter().map(|example| example.prompt.as_str());
    let tokenizer_json = word_level(prompts.chain(completions.iter().map(String::as_str)));
    let tokenizer =
        Tokenizer::parse(tokenizer_json.as_bytes(), vec![1]).map_err(TrainError::Setup)?;
    let architecture = architecture(config, tokenizer.size());
    let encoded = encode_all(&tokenizer, examples, config.max_position_embeddings)?;
    let model = in_pool(config.threads, || {
        let mut model = random(Arc::new(architecture.clone()), seed);
        train(config, &mut model, &encoded, on_step)?;
        Ok(model)
    })?;
    let config = serde_json::to_string_pretty(&architecture)
        .map_err(|error| TrainError::Host(error.to_string()))?;
    Ok(ModelFiles {
        config: (config + "\n").into_bytes(),
        weights: encode_weights(&model)?,
        tokenizer: tokenizer_json.into_bytes(),
    })
}

/// Trains the model `base` on: one that is part of this program, or a folder. Of `config`, the sizes are the base's own; there is no seed,
/// since nothing is drawn. Returns the model folder's files.
///
/// # Errors
/// As [`pretrain`]; also `Setup` when the base cannot be read or lacks a word of the examples.
pub fn pretrain_on(
    base: &str,
    config: &PretrainConfig,
    examples: &[SftExample],
    on_step: &mut (dyn FnMut(SftProgress) + Send),
) -> Result<ModelFiles, TrainError> {
    some(examples, config)?;
    let source = Source::of(base)?;
    let Loaded { model, tokenizer } = source.load()?;
    let longest = model.architecture().max_position_embeddings;
    let encoded = encode_all(&tokenizer, examples, longest)?;
    let model = in_pool(config.threads, move || {
        let mut model = model;
        train(config, &mut model, &encoded, on_step)?;
        Ok(model)
    })?;
    source.files_with(&model)
}

fn some(examples: &[SftExample], config: &PretrainConfig) -> Result<(), TrainError> {
    if examples.is_empty() || config.batch_size == 0 {
        return Err(TrainError::Setup(
            "pretraining needs examples and a `batch_size` of at least 1".into(),
        ));
    }
    Ok(())
}

fn architecture(config: &PretrainConfig, vocab_size: usize) -> Architecture {
    Architecture {
        model_type: "llama".into(),
        architectures: vec!["LlamaForCausalLM".into()],
        hidden_size: config.hidden_size,
        intermediate_size: config.intermediate_size,
        num_hidden_layers: config.num_hidden_layers,
        num_attention_heads: config.num_attention_heads,
        num_key_value_heads: Some(config.num_attention_heads),
        head_dim: Some(config.hidden_size / config.num_attention_heads),
        vocab_size,
        max_position_embeddings: config.max_position_embeddings,
        rms_norm_eps: 1e-5,
        rope_theta: Some(10_000.0),
        rope_parameters: None,
        rope_scaling: None,
        tie_word_embeddings: true,
        hidden_act: "silu".into(),
        attention_bias: false,
        mlp_bias: false,
        use_sliding_window: None,
        layer_types: None,
        partial_rotary_factor: None,
        quantization_config: None,
        eos_token_id: Some(TokenIds::One(1)),
        pad_token_id: Some(0),
        bos_token_id: None,
        initializer_range: Some(INITIAL_DEVIATION),
        dtype: Some("float32".into()),
    }
}

/// The tokens of a prompt, and of what follows it.
type Encoded = (Vec<u32>, Vec<u32>);

fn encode_all(
    tokenizer: &Tokenizer,
    examples: &[SftExample],
    longest: usize,
) -> Result<Vec<Encoded>, TrainError> {
    let encode =
        |example: &SftExample| encode(tokenizer, &example.prompt, &example.continuation(), longest);
    examples.iter().map(encode).collect()
}

fn encode(
    tokenizer: &Tokenizer,
    prompt: &str,
    completion: &str,
    longest: usize,
) -> Result<Encoded, TrainError> {
    let prompt_ids = tokenizer.encode_prompt(prompt).map_err(TrainError::Setup)?;
    let mut completion_ids = tokenizer
        .encode_continuation(completion)
        .map_err(TrainError::Setup)?;
    completion_ids.extend(tokenizer.eos());
    let length = prompt_ids.len() + completion_ids.len();
    if prompt_ids.is_empty() || length > longest {
        return Err(TrainError::Setup(format!(
            "the example with prompt {} has {length} tokens; prompts must not be empty, \
             and `max_position_embeddings` is {longest}",
            excerpt(prompt)
        )));
    }
    Ok((prompt_ids, completion_ids))
}

fn train(
    config: &PretrainConfig,
    model: &mut Model,
    examples: &[Encoded],
    on_step: &mut (dyn FnMut(SftProgress) + Send),
) -> Result<(), TrainError> {
    let mut optimizer = AdamW::new(model.parameters());
    let mut engine = CpuEngine::new(model, Arc::default());
    let steps = examples.len().div_ceil(config.batch_size);
    for (index, batch) in examples.chunks(config.batch_size).enumerate() {
        let completions: Vec<[&[u32]; 1]> = batch
            .iter()
            .map(|(_, completion)| [completion.as_slice()])
            .collect();
        let groups: Vec<Group<'_>> = batch
            .iter()
            .zip(&completions)
            .map(|((prompt, _), completions)| Group {
                prompt,
                completions,
            })
            .collect();
        let tokens: usize = batch.iter().map(|(_, completion)| completion.len()).sum();
        let scale = -1.0 / tokens as f64;
        let mean_nll = |_: usize, log_probs: &[f32], derivative: &mut [f32]| {
            derivative.fill(scale as f32);
            let sum: f64 = log_probs.iter().map(|&l| f64::from(l)).sum();
            Ok::<f64, TrainError>(sum * scale)
        };
        let batches = micro_batches(&groups, ROWS_PER_MICRO_BATCH);
        let (losses, gradients) = engine.gradients(model, &batches, 1.0, mean_nll)?;
        let loss: f64 = losses.iter().sum();
        let norm = gradients.norm();
        let step = index as u32 + 1;
        for (what, value) in [("loss", loss), ("gradient", norm)] {
            if !value.is_finite() {
                return Err(TrainError::NonFinite { what, step });
            }
        }
        let learning_rate = config.learning_rate * schedule(config, index, steps);
        // On gains, too: what the embedded model was made with.
        let decays = vec![true; model.parameters().len()];
        let update = Update {
            learning_rate,
            beta1: config.adam_beta1,
            beta2: config.adam_beta2,
            weight_decay: config.weight_decay,
            decays: &decays,
            max_grad_norm: config.max_grad_norm,
        };
        model.update(|parameters| optimizer.update(parameters, gradients, norm, &update));
        on_step(SftProgress {
            step: index + 1,
            steps,
            loss,
            learning_rate,
        });
    }
    Ok(())
}

/// Share of the peak learning rate: linear warm-up, then half a cosine.
fn schedule(config: &PretrainConfig, index: usize, steps: usize) -> f64 {
    if index < config.warmup_steps {
        return (index + 1) as f64 / config.warmup_steps as f64;
    }
    let done = (index - config.warmup_steps) as f64 / (steps - config.warmup_steps).max(1) as f64;
    let floor = config.final_learning_rate_ratio;
    floor + (1.0 - floor) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
}

/// Standard deviation of the initial weights.
const INITIAL_DEVIATION: f64 = 0.05;

/// Random weights: normal with [`INITIAL_DEVIATION`], norms 1, and projections onto the residual stream smaller by sqrt(2 layers), as
/// in GPT-2.
pub fn random(architecture: Arc<Architecture>, seed: u64) -> Model {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let depth = (2.0 * architecture.num_hidden_layers as f64).sqrt();
    let parameters = architecture
        .parameters()
        .iter()
        .map(|parameter| {
            let count = parameter.shape().iter().product();
            match parameter.role {
                Role::Norm => vec![1.0; count],
                Role::Bias => vec![0.0; count],
                Role::Embedding | Role::Input => {
                    normal(&mut rng, INITIAL_DEVIATION).take(count).collect()
                }
                Role::Output => normal(&mut rng, INITIAL_DEVIATION / depth)
                    .take(count)
                    .collect(),
            }
        })
        .collect();
    Model::new(architecture, parameters)
}

/// Normal draws (Box and Muller's transform).
fn normal(rng: &mut ChaCha8Rng, deviation: f64) -> impl Iterator<Item = f32> + '_ {
    let mut uniform = move || (rng.next_u32() as f64 + 0.5) / 4_294_967_296.0;
    std::iter::repeat_with(move || {
        let (radius, angle) = (
            (-2.0 * uniform().ln()).sqrt(),
            2.0 * std::f64::consts::PI * uniform(),
        );
        (deviation * radius * angle.cos()) as f32
    })
}

//! How fast the embedded trainer's two kinds of work are on this machine: drawing completions, and an optimiser step over completions.
//! A measurement for people who compare trainers (`examples/speed.rs`), no part of a run.
//!
//! Tokens are random and nothing ends a completion, so that the work is the same whatever the weights. One thread.

use std::sync::Arc;

use cpu_time::ThreadTime;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::candle::{
    decoder::{
        cpu::engine::{CpuEngine, ROWS_PER_MICRO_BATCH},
        micro_batches::micro_batches,
        pack::Group,
    },
    files::{Source, tokenizer::Tokenizer},
    kernels::choose::Truncation,
    learn::adamw::{AdamW, Update},
    model::{Model, lora::LoraConfig},
    sample::{
        cpu::sample,
        rows::{Prompt, Settings},
    },
    threads::in_pool,
};
use crate::{
    GrpoConfig, TrainError,
    grpo::objective::{Objective, Term},
};

/// What is measured. Lengths are tokens, drawn evenly from a lowest and a highest one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Distinct prompts.
    pub prompts: usize,
    /// Completions a prompt.
    pub num_generations: usize,
    /// Lengths of prompts.
    pub prompt_length: (usize, usize),
    /// Lengths of the completions that are trained on.
    pub trained_length: (usize, usize),
    /// Length of the completions that are drawn.
    pub sampled_length: usize,
    /// Rank of an adapter on all projections; 0 trains all weights.
    pub lora_rank: usize,
    /// Repeats; the best one counts.
    pub repeats: usize,
}

/// Seconds of processor time, best of the repeats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// All completions drawn.
    pub sample_cpu_s: f64,
    /// Tokens drawn.
    pub sampled_tokens: usize,
    /// Forward, backward and AdamW over all completions.
    pub update_cpu_s: f64,
    /// Completion tokens trained on.
    pub trained_tokens: usize,
    /// Floats the optimiser moves.
    pub trained_parameters: usize,
}

/// Measures a workload on a model: `toy` or a folder.
///
/// # Errors
/// `Setup` when the model cannot be used, `NonFinite` when its weights are no numbers.
pub fn measure(model: &str, workload: &Workload) -> Result<Timings, TrainError> {
    let source = Source::of(model)?.load()?;
    let (loaded, endless) = (
        with_adapter(source.model, workload.lora_rank),
        source.tokenizer.endless(),
    );
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let vocabulary = loaded.architecture().vocab_size as u32;
    let mut draw = |(low, high): (usize, usize)| -> Vec<u32> {
        let length = rng.random_range(low..=high);
        (0..length)
            .map(|_| rng.random_range(0..vocabulary))
            .collect()
    };
    let prompts: Vec<Vec<u32>> = (0..workload.prompts)
        .map(|_| draw(workload.prompt_length))
        .collect();
    let completions: Vec<Vec<Vec<u32>>> = prompts
        .iter()
        .map(|_| {
            let completions = 0..workload.num_generations;
            completions.map(|_| draw(workload.trained_length)).collect()
        })
        .collect();
    in_pool(1, || {
        let engine = CpuEngine::new(&loaded, Arc::default());
        Ok(Timings {
            sample_cpu_s: best(workload.repeats, || {
                draw_all(&engine, &loaded, &endless, &prompts, workload)
            })?,
            sampled_tokens: workload.prompts * workload.num_generations * workload.sampled_length,
            update_cpu_s: update_seconds(loaded.clone(), &prompts, &completions, workload.repeats)?,
            trained_tokens: completions.iter().flatten().map(Vec::len).sum(),
            trained_parameters: loaded.parameters().iter().map(Vec::len).sum(),
        })
    })
}

fn with_adapter(model: Model, rank: usize) -> Model {
    if rank == 0 {
        return model;
    }
    let config = LoraConfig {
        r: rank,
        ..LoraConfig::default()
    };
    model.with_adapter(&config, 0)
}

fn draw_all(
    engine: &CpuEngine,
    model: &Model,
    tokenizer: &Tokenizer,
    prompts: &[Vec<u32>],
    workload: &Workload,
) -> Result<(), TrainError> {
    let requests: Vec<Prompt<'_>> = prompts
        .iter()
        .map(|tokens| Prompt {
            tokens,
            seeds: (0..workload.num_generations)
                .map(|i| [i as u8; 32])
                .collect(),
        })
        .collect();
    let settings = Settings {
        temperature: 1.0,
        truncation: Truncation::NONE,
        max_length: workload.sampled_length,
    };
    let drawn = sample(&engine.weights(model), tokenizer, &requests, settings);
    drawn.map(drop).map_err(|trouble| trouble.at(0))
}

fn update_seconds(
    mut model: Model,
    prompts: &[Vec<u32>],
    completions: &[Vec<Vec<u32>>],
    repeats: usize,
) -> Result<f64, TrainError> {
    let views: Vec<Vec<&[u32]>> = completions
        .iter()
        .map(|group| group.iter().map(Vec::as_slice).collect())
        .collect();
    let groups: Vec<Group<'_>> = prompts
        .iter()
        .zip(&views)
        .map(|(prompt, completions)| Group {
            prompt,
            completions,
        })
        .collect();
    let tokens: usize = completions.iter().flatten().map(Vec::len).sum();
    let term = Term {
        advantage: 1.0,
        share: 1.0 / tokens.max(1) as f64,
        old: None,
        reference: None,
    };
    let objective = Objective::new(&GrpoConfig::default());
    let mut engine = CpuEngine::new(&model, Arc::default());
    let mut optimizer = AdamW::new(model.parameters());
    let decays = model.decays();
    let update = Update {
        learning_rate: 1e-4,
        beta1: 0.9,
        beta2: 0.999,
        weight_decay: 0.01,
        decays: &decays,
        max_grad_norm: 1.0,
    };
    let batches = micro_batches(&groups, ROWS_PER_MICRO_BATCH);
    best(repeats, || {
        let loss = |_: usize, log_probs: &[f32], derivative: &mut [f32]| {
            // One long completion does for the arithmetic: every token has the same share.
            objective.completion(&term, log_probs, derivative)
        };
        let (_, gradients) = engine
            .gradients(&model, &batches, 1.0, loss)
            .map_err(|diverged| diverged.at(0))?;
        let norm = gradients.norm();
        model.update(|parameters| optimizer.update(parameters, gradients, norm, &update));
        Ok(())
    })
}

/// The best of a few repeats after one to warm up.
fn best(
    repeats: usize,
    mut work: impl FnMut() -> Result<(), TrainError>,
) -> Result<f64, TrainError> {
    work()?;
    let mut shortest = f64::INFINITY;
    for _ in 0..repeats.max(1) {
        let start = ThreadTime::now();
        work()?;
        shortest = shortest.min(start.elapsed().as_secs_f64());
    }
    Ok(shortest)
}

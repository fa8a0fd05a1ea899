//! Log-probabilities and gradients on the processor: micro-batches small enough for the caches, on as many threads as the run may use.

use std::sync::Arc;

use rayon::prelude::*;

use crate::candle::{
    decoder::{
        cpu::{
            adapter::LowRank,
            ops::{CpuOps, CpuTraining, OverPack},
            pack_attention::Gathered,
            weights::{CpuWeights, PreparedModels},
        },
        gradients::Gradients,
        pack::{Group, Pack},
        pass::{Keep, Pass, PassInput},
    },
    model::Model,
};

/// Rows a micro-batch aims at: larger ones fall out of the cache, smaller ones pay the fixed costs too often.
pub const ROWS_PER_MICRO_BATCH: usize = 512;

/// Memory that a pass works in, used again from pass to pass.
#[derive(Default)]
struct Buffers {
    pass: Pass<Vec<f32>>,
    low_rank: LowRank,
    gathered: Gathered,
    unused: Vec<f32>,
}

impl Buffers {
    /// Log-probabilities of a pack's completion tokens.
    fn log_probs(&mut self, weights: &CpuWeights<'_>, pack: &Pack, temperature: f64) -> &[f32] {
        let mut ops = CpuOps {
            weights,
            positions: &pack.positions,
            noise: None,
            low_rank: &mut self.low_rank,
            attention: OverPack {
                heads: weights.model.architecture().heads(),
                pack,
                gathered: &mut self.gathered,
            },
        };
        let Ok(log_probs) = self
            .pass
            .forward(&mut ops, pass_input(weights, pack, temperature));
        log_probs
    }
}

fn pass_input<'a>(weights: &CpuWeights<'a>, pack: &'a Pack, temperature: f64) -> PassInput<'a> {
    PassInput {
        layout: weights.model.layout(),
        pack,
        keep: Keep::Everything,
        temperature,
    }
}

/// What one thread works with.
struct Worker {
    buffers: Buffers,
    gradients: Gradients,
    derivative: Vec<f32>,
}

impl Worker {
    /// Writes the gradients of a loss of a pack's log-probabilities; as [`CpuEngine::gradients`].
    fn gradients<R, E>(
        &mut self,
        weights: &CpuWeights<'_>,
        pack: &Pack,
        temperature: f64,
        loss: impl FnOnce(&[f32], &mut [f32]) -> Result<R, E>,
    ) -> Result<R, E> {
        let Buffers {
            pass,
            low_rank,
            gathered,
            unused,
        } = &mut self.buffers;
        self.gradients.clear();
        let mut ops = CpuOps {
            weights,
            positions: &pack.positions,
            noise: weights.model.noise(&pack.tokens),
            low_rank,
            attention: CpuTraining {
                attention: OverPack {
                    heads: weights.model.architecture().heads(),
                    pack,
                    gathered,
                },
                gradients: &mut self.gradients,
                unused,
            },
        };
        let input = pass_input(weights, pack, temperature);
        let Ok(log_probs) = pass.forward(&mut ops, input);
        self.derivative.clear();
        self.derivative.resize(log_probs.len(), 0.0);
        let result = loss(log_probs, &mut self.derivative)?;
        let Ok(()) = pass.backward(&mut ops, input, &self.derivative);
        Ok(result)
    }
}

/// Computes on the processor; keeps its memory from step to step.
pub struct CpuEngine {
    prepared: Arc<PreparedModels>,
    workers: Vec<Worker>,
    total: Gradients,
}

impl CpuEngine {
    /// For a model, on as many threads as the current pool has. What is prepared of models can be shared with other engines.
    pub fn new(model: &Model, prepared: Arc<PreparedModels>) -> Self {
        let worker = || Worker {
            buffers: Buffers::default(),
            gradients: Gradients::zeros(model.parameters()),
            derivative: Vec::new(),
        };
        let workers = std::iter::repeat_with(worker)
            .take(rayon::current_num_threads().max(1))
            .collect();
        Self {
            prepared,
            workers,
            total: Gradients::zeros(model.parameters()),
        }
    }

    /// A model's weights, prepared for the processor.
    pub fn weights<'a>(&self, model: &'a Model) -> CpuWeights<'a> {
        CpuWeights::of(model, &self.prepared)
    }

    /// Sums a loss's gradients over micro-batches.
    ///
    /// `loss` gets a micro-batch's index and the log-probabilities of its completion tokens, writes the loss's derivative by each of them,
    /// and returns what the caller wants to know of the micro-batch. Gradients are added in the order of the micro-batches, so the number
    /// of threads does not change a bit.
    pub fn gradients<R: Send, E: Send>(
        &mut self,
        model: &Model,
        batches: &[&[Group<'_>]],
        temperature: f64,
        loss: impl Fn(usize, &[f32], &mut [f32]) -> Result<R, E> + Sync,
    ) -> Result<(Vec<R>, &Gradients), E> {
        let weights = CpuWeights::of(model, &self.prepared);
        self.total.clear();
        let mut results = Vec::with_capacity(batches.len());
        let width = self.workers.len();
        for (wave, batches) in batches.chunks(width).enumerate() {
            let work = |(i, worker): (usize, &mut Worker)| {
                let pack = Pack::new(batches[i]);
                worker.gradients(&weights, &pack, temperature, |log_probs, derivative| {
                    loss(wave * width + i, log_probs, derivative)
                })
            };
            let workers = &mut self.workers[..batches.len()];
            let wave: Vec<R> = workers
                .par_iter_mut()
                .enumerate()
                .map(work)
                .collect::<Result<_, E>>()?;
            results.extend(wave);
            for worker in workers {
                self.total.add(&worker.gradients);
            }
        }
        Ok((results, &self.total))
    }

    /// Log-probabilities of the completion tokens of micro-batches, end to end.
    pub fn log_probs(
        &mut self,
        model: &Model,
        batches: &[&[Group<'_>]],
        temperature: f64,
    ) -> Vec<f32> {
        let weights = CpuWeights::of(model, &self.prepared);
        let mut all = Vec::new();
        for batches in batches.chunks(self.workers.len()) {
            let workers = &mut self.workers[..batches.len()];
            let wave: Vec<Vec<f32>> = workers
                .par_iter_mut()
                .zip(batches)
                .map(|(worker, batch)| {
                    let pack = Pack::new(batch);
                    let buffers = &mut worker.buffers;
                    buffers.log_probs(&weights, &pack, temperature).to_vec()
                })
                .collect();
            all.extend(wave.into_iter().flatten());
        }
        all
    }
}

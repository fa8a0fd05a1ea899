//! Loss and gradients over many sequences: micro-batches small enough for the caches, on as many threads as the run may use.

use rayon::prelude::*;

use crate::candle::{
    decoder::{
        cpu::{backward::Scratch, forward::Tape},
        pack::{Group, Pack},
    },
    learn::adamw::Gradients,
    model::Model,
};

/// Rows a micro-batch aims at: larger ones fall out of the cache, smaller ones pay the fixed costs too often.
pub const ROWS_PER_MICRO_BATCH: usize = 512;

/// Splits groups into runs of whole groups of about so many rows.
pub fn micro_batches<'a, 'g>(groups: &'a [Group<'g>], most: usize) -> Vec<&'a [Group<'g>]> {
    let rows = |group: &Group<'_>| {
        group.prompt.len() + group.completions.iter().map(|c| c.len()).sum::<usize>()
    };
    let mut batches = Vec::new();
    let (mut start, mut filled) = (0, 0);
    for (i, group) in groups.iter().enumerate() {
        let here = rows(group);
        if i > start && filled + here > most {
            batches.push(&groups[start..i]);
            (start, filled) = (i, 0);
        }
        filled += here;
    }
    if start < groups.len() {
        batches.push(&groups[start..]);
    }
    batches
}

/// The memory one thread works in.
struct Bench {
    tape: Tape,
    scratch: Scratch,
    gradients: Gradients,
    derivative: Vec<f32>,
}

/// Computes losses and gradients; keeps its memory from step to step.
pub struct Stepper {
    benches: Vec<Bench>,
    total: Gradients,
}

impl Stepper {
    /// For a model, on as many threads as the current pool has.
    pub fn new(model: &Model) -> Self {
        let bench = || Bench {
            tape: Tape::default(),
            scratch: Scratch::default(),
            gradients: Gradients::zeros(model.parameters()),
            derivative: Vec::new(),
        };
        let benches = std::iter::repeat_with(bench)
            .take(rayon::current_num_threads().max(1))
            .collect();
        Self {
            benches,
            total: Gradients::zeros(model.parameters()),
        }
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
        self.total.clear();
        let mut results = Vec::with_capacity(batches.len());
        let width = self.benches.len();
        for (wave, batches) in batches.chunks(width).enumerate() {
            let work = |(i, bench): (usize, &mut Bench)| {
                bench.gradients.clear();
                let pack = Pack::new(batches[i]);
                let log_probs = bench.tape.training_log_probs(model, &pack, temperature);
                bench.derivative.clear();
                bench.derivative.resize(log_probs.len(), 0.0);
                let result = loss(wave * width + i, log_probs, &mut bench.derivative)?;
                bench.scratch.backward(
                    model,
                    &pack,
                    &mut bench.tape,
                    temperature,
                    &bench.derivative,
                    &mut bench.gradients,
                );
                Ok(result)
            };
            let benches = &mut self.benches[..batches.len()];
            let wave: Vec<R> = benches
                .par_iter_mut()
                .enumerate()
                .map(work)
                .collect::<Result<_, E>>()?;
            results.extend(wave);
            for bench in benches {
                self.total.add(&bench.gradients);
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
        let mut all = Vec::new();
        for batches in batches.chunks(self.benches.len()) {
            let benches = &mut self.benches[..batches.len()];
            let wave: Vec<Vec<f32>> = benches
                .par_iter_mut()
                .zip(batches)
                .map(|(bench, batch)| {
                    let pack = Pack::new(batch);
                    bench.tape.log_probs(model, &pack, temperature).to_vec()
                })
                .collect();
            all.extend(wave.into_iter().flatten());
        }
        all
    }
}

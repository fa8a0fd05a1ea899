//! Loss and gradients over many sequences: micro-batches small enough for the caches, on as many threads as the run may use.

use candle_core::{Device, Result, Tensor, Var};
use rayon::prelude::*;

use super::{
    backward::Scratch,
    forward::Tape,
    model::Model,
    optim::Gradients,
    pack::{Group, Pack},
};

/// Rows a micro-batch aims at: larger ones fall out of the cache, smaller ones pay the fixed costs too often.
pub const ROWS_PER_MICRO_BATCH: usize = 512;

/// Splits groups into runs of whole groups of about [`ROWS_PER_MICRO_BATCH`] rows.
pub fn micro_batches<'a, 'g>(groups: &'a [Group<'g>]) -> Vec<&'a [Group<'g>]> {
    let rows = |group: &Group<'_>| {
        group.prompt.len() + group.completions.iter().map(|c| c.len()).sum::<usize>()
    };
    let mut batches = Vec::new();
    let (mut start, mut filled) = (0, 0);
    for (i, group) in groups.iter().enumerate() {
        let here = rows(group);
        if i > start && filled + here > ROWS_PER_MICRO_BATCH {
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
    loss: f64,
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
            loss: 0.0,
        };
        let benches = std::iter::repeat_with(bench)
            .take(rayon::current_num_threads().max(1))
            .collect();
        Self {
            benches,
            total: Gradients::zeros(model.parameters()),
        }
    }

    /// Sum over micro-batches of a loss and of its gradients.
    ///
    /// `loss` gets a micro-batch's index and the log-probabilities of its completion tokens, and gives a scalar computed from them by
    /// the tensor library's operations. Gradients are added in the order of the micro-batches, so the number of threads does not
    /// change a bit.
    pub fn gradients(
        &mut self,
        model: &Model,
        batches: &[&[Group<'_>]],
        temperature: f64,
        loss: impl Fn(usize, &Tensor) -> Result<Tensor> + Sync,
    ) -> Result<(f64, &Gradients)> {
        self.total.clear();
        let mut sum = 0.0;
        let width = self.benches.len();
        for (wave, batches) in batches.chunks(width).enumerate() {
            let work = |(i, bench): (usize, &mut Bench)| -> Result<()> {
                bench.gradients.clear();
                let pack = Pack::new(batches[i]);
                let log_probs = bench.tape.log_probs(model, &pack, temperature);
                let log_probs = Var::from_slice(log_probs, log_probs.len(), &Device::Cpu)?;
                let loss = loss(wave * width + i, &log_probs)?;
                bench.loss = f64::from(loss.to_scalar::<f32>()?);
                let store = loss.backward()?;
                let Some(derivative) = store.get(&log_probs) else {
                    return Ok(());
                };
                let derivative = derivative.to_vec1::<f32>()?;
                bench.scratch.backward(
                    model,
                    &pack,
                    &mut bench.tape,
                    temperature,
                    &derivative,
                    &mut bench.gradients,
                );
                Ok(())
            };
            let benches = &mut self.benches[..batches.len()];
            benches
                .par_iter_mut()
                .enumerate()
                .map(|(i, bench)| work((i, bench)))
                .collect::<Result<()>>()?;
            for bench in benches {
                sum += bench.loss;
                self.total.add(&bench.gradients);
            }
        }
        Ok((sum, &self.total))
    }
}

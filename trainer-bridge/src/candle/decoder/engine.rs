//! Who computes a run: the processor's own kernels, or a device. Everything above this seam is the same for both.

use crate::TrainError;
use crate::candle::{
    decoder::{
        cpu::micro_batches::{self, Stepper, micro_batches},
        device::{self, DeviceEngine, place::Place},
        pack::Group,
    },
    files::tokenizer::Tokenizer,
    learn::adamw::Gradients,
    model::Model,
    sample::{
        cpu::sample,
        rows::{Completion, Prompt, Settings},
    },
};

/// The decoder's three operations: drawing completions, log-probabilities, gradients.
pub enum Engine {
    /// By the processor's own kernels.
    Fused(Stepper),
    /// On a device.
    Device(DeviceEngine),
}

impl Engine {
    /// For a model, at a place; on the processor on as many threads as the current pool has.
    pub fn new(model: &Model, place: &Place) -> Self {
        match place {
            Place::Processor => Self::Fused(Stepper::new(model)),
            Place::Device { device, dtype } => {
                Self::Device(DeviceEngine::new(model, device.clone(), *dtype))
            }
        }
    }

    /// Splits groups into micro-batches of whole groups, as large as suits the place.
    pub fn micro_batches<'a, 'g>(&self, groups: &'a [Group<'g>]) -> Vec<&'a [Group<'g>]> {
        let rows = match self {
            Self::Fused(_) => micro_batches::ROWS_PER_MICRO_BATCH,
            Self::Device(_) => device::ROWS_PER_MICRO_BATCH,
        };
        micro_batches(groups, rows)
    }

    /// Draws the completions of every prompt, in order. `step` stands in the error messages.
    pub fn sample(
        &self,
        model: &Model,
        tokenizer: &Tokenizer,
        prompts: &[Prompt<'_>],
        settings: Settings,
        step: u32,
    ) -> Result<Vec<Vec<Completion>>, TrainError> {
        match self {
            Self::Fused(_) => {
                sample(model, tokenizer, prompts, settings).map_err(|trouble| trouble.at(step))
            }
            Self::Device(engine) => engine.sample(model, tokenizer, prompts, settings, step),
        }
    }

    /// Log-probabilities of the completion tokens of micro-batches, end to end.
    pub fn log_probs(
        &mut self,
        model: &Model,
        batches: &[&[Group<'_>]],
        temperature: f64,
    ) -> Result<Vec<f32>, TrainError> {
        match self {
            Self::Fused(stepper) => Ok(stepper.log_probs(model, batches, temperature)),
            Self::Device(engine) => engine.log_probs(model, batches, temperature),
        }
    }

    /// Sums a loss's gradients over micro-batches.
    ///
    /// `loss` gets a micro-batch's index and the log-probabilities of its completion tokens, writes the loss's derivative by each of them,
    /// and returns what the caller wants to know of the micro-batch.
    pub fn gradients<R: Send>(
        &mut self,
        model: &Model,
        batches: &[&[Group<'_>]],
        temperature: f64,
        loss: impl Fn(usize, &[f32], &mut [f32]) -> Result<R, TrainError> + Sync,
    ) -> Result<(Vec<R>, &Gradients), TrainError> {
        match self {
            Self::Fused(stepper) => stepper.gradients(model, batches, temperature, loss),
            Self::Device(engine) => engine.gradients(model, batches, temperature, loss),
        }
    }
}

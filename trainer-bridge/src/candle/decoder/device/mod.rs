//! The decoder on a device of the tensor library's: sampling, log-probabilities and gradients as the processor's own path computes them,
//! for the same models, packs and noise. Weights stay there; what is trained is changed on the host and goes there before each use.

pub mod attention;
pub mod backward;
pub mod decoder;
pub mod ops;
pub mod place;
pub mod weights;

use backward::Pass;
use candle_core::{DType, Device};
use decoder::Decoder;
pub use weights::Uploads;
use weights::{Sums, Weights};

use crate::TrainError;
use crate::candle::{
    decoder::pack::{Group, Pack},
    files::tokenizer::Tokenizer,
    learn::adamw::Gradients,
    model::Model,
    sample::rows::{Completion, Prompt, Rows, Settings, portions, positions},
};

/// Rows a micro-batch aims at: enough to keep a device busy, few enough for one layer's intermediate results to fit beside the weights.
pub const ROWS_PER_MICRO_BATCH: usize = 4096;

/// Computes on a device.
pub struct DeviceEngine {
    device: Device,
    dtype: DType,
    total: Gradients,
}

impl DeviceEngine {
    /// For a model, on a device, with elements of a type.
    pub fn new(model: &Model, device: Device, dtype: DType) -> Self {
        Self {
            device,
            dtype,
            total: Gradients::zeros(model.parameters()),
        }
    }

    fn weights(&self, model: &Model) -> Result<Weights, TrainError> {
        Ok(Weights::upload(model, &self.device, self.dtype)?)
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
        let weights = self.weights(model)?;
        let decoder = Decoder {
            model,
            weights: &weights,
            noise: None,
        };
        let together = crate::candle::sample::device::rows_together(
            &decoder,
            positions(model, prompts, settings),
        );
        let mut done = Vec::with_capacity(prompts.len());
        for portion in portions(prompts, together) {
            let rows = Rows::new(model, tokenizer, portion, settings);
            done.extend(crate::candle::sample::device::run(
                &decoder, portion, rows, step,
            )?);
        }
        Ok(done)
    }

    /// Log-probabilities of the completion tokens of micro-batches, end to end.
    pub fn log_probs(
        &self,
        model: &Model,
        batches: &[&[Group<'_>]],
        temperature: f64,
    ) -> Result<Vec<f32>, TrainError> {
        let weights = self.weights(model)?;
        let decoder = Decoder {
            model,
            weights: &weights,
            noise: None,
        };
        let mut all = Vec::new();
        for batch in batches {
            let pack = Pack::new(batch);
            all.extend(Pass::forward(&decoder, &pack, temperature, false)?.log_probs()?);
        }
        Ok(all)
    }

    /// Sums a loss's gradients over micro-batches; as `Stepper::gradients`.
    pub fn gradients<R>(
        &mut self,
        model: &Model,
        batches: &[&[Group<'_>]],
        temperature: f64,
        loss: impl Fn(usize, &[f32], &mut [f32]) -> Result<R, TrainError>,
    ) -> Result<(Vec<R>, &Gradients), TrainError> {
        let weights = self.weights(model)?;
        let mut sums = Sums::new(&weights);
        let mut results = Vec::with_capacity(batches.len());
        for (index, batch) in batches.iter().enumerate() {
            let pack = Pack::new(batch);
            let decoder = Decoder {
                model,
                weights: &weights,
                noise: model.noise(&pack.tokens),
            };
            let pass = Pass::forward(&decoder, &pack, temperature, true)?;
            let log_probs = pass.log_probs()?;
            let mut derivative = vec![0.0; log_probs.len()];
            results.push(loss(index, &log_probs, &mut derivative)?);
            pass.backward(&derivative, &mut sums)?;
        }
        self.total.clear();
        sums.bring_home(&mut self.total)?;
        Ok((results, &self.total))
    }
}

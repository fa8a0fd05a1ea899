//! Who computes a run: the processor's own kernels, or a device. Everything above this seam is the same for both.

use crate::{
    TrainError,
    candle::{
        decoder::{
            backend::Backend,
            cpu::engine::{self as cpu, CpuEngine},
            device::engine::{self as device, DeviceEngine},
            gradients::Gradients,
            micro_batches::micro_batches,
            pack::Group,
        },
        model::Model,
    },
};

/// Computes log-probabilities and gradients.
pub enum Engine {
    /// By the processor's own kernels.
    Cpu(CpuEngine),
    /// On a device.
    Device(DeviceEngine),
}

impl Engine {
    /// For a model; on the processor on as many threads as the current pool has.
    pub fn new(model: &Model, backend: &Backend) -> Self {
        match backend.clone() {
            Backend::Cpu { prepared } => Self::Cpu(CpuEngine::new(model, prepared)),
            Backend::Device {
                device,
                dtype,
                uploaded,
            } => Self::Device(DeviceEngine::new(model, device, dtype, uploaded)),
        }
    }

    /// Splits groups into micro-batches of whole groups, as large as suits the backend.
    pub fn micro_batches<'a, 'g>(&self, groups: &'a [Group<'g>]) -> Vec<&'a [Group<'g>]> {
        let rows = match self {
            Self::Cpu(_) => cpu::ROWS_PER_MICRO_BATCH,
            Self::Device(_) => device::ROWS_PER_MICRO_BATCH,
        };
        micro_batches(groups, rows)
    }

    /// Log-probabilities of the completion tokens of micro-batches, end to end.
    pub fn log_probs(
        &mut self,
        model: &Model,
        batches: &[&[Group<'_>]],
        temperature: f64,
    ) -> Result<Vec<f32>, TrainError> {
        match self {
            Self::Cpu(engine) => Ok(engine.log_probs(model, batches, temperature)),
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
            Self::Cpu(engine) => engine.gradients(model, batches, temperature, loss),
            Self::Device(engine) => engine.gradients(model, batches, temperature, loss),
        }
    }
}

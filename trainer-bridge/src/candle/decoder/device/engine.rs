//! Log-probabilities and gradients on a device.

use std::sync::Arc;

use candle_core::{DType, Device, Result as CandleResult};

use crate::{
    TrainError,
    candle::{
        decoder::{
            device::{
                attention::PackAttention,
                ops::{DeviceOps, DeviceTraining},
                weights::{DeviceGradients, DeviceWeights, UploadedModels},
            },
            gradients::Gradients,
            pack::{Group, Pack},
            pass::{Keep, Pass, PassInput},
        },
        model::Model,
    },
};

/// Rows a micro-batch aims at: enough to keep a device busy, few enough for one layer's intermediate results to fit beside the weights.
pub const ROWS_PER_MICRO_BATCH: usize = 4096;

/// Computes on a device.
pub struct DeviceEngine {
    device: Device,
    dtype: DType,
    uploaded: Arc<UploadedModels>,
    total: Gradients,
}

impl DeviceEngine {
    /// For a model, on a device, with elements of a type. What is uploaded there of models can be shared with other engines.
    pub fn new(model: &Model, device: Device, dtype: DType, uploaded: Arc<UploadedModels>) -> Self {
        Self {
            device,
            dtype,
            uploaded,
            total: Gradients::zeros(model.parameters()),
        }
    }

    /// A model's weights on the device.
    pub fn weights(&self, model: &Model) -> CandleResult<DeviceWeights> {
        DeviceWeights::of(model, &self.device, self.dtype, &self.uploaded)
    }

    /// Log-probabilities of the completion tokens of micro-batches, end to end.
    pub fn log_probs(
        &self,
        model: &Model,
        batches: &[&[Group<'_>]],
        temperature: f64,
    ) -> Result<Vec<f32>, TrainError> {
        let weights = self.weights(model)?;
        let mut all = Vec::new();
        for batch in batches {
            let pack = Pack::new(batch);
            let attention = self.attention(model, &pack)?;
            let mut ops = DeviceOps::new(model, &weights, &pack.positions, &attention)?;
            let input = PassInput {
                layout: model.layout(),
                pack: &pack,
                keep: Keep::Nothing,
                temperature,
            };
            all.extend_from_slice(Pass::default().forward(&mut ops, input)?);
        }
        Ok(all)
    }

    /// Sums a loss's gradients over micro-batches; as `CpuEngine::gradients`.
    pub fn gradients<R>(
        &mut self,
        model: &Model,
        batches: &[&[Group<'_>]],
        temperature: f64,
        loss: impl Fn(usize, &[f32], &mut [f32]) -> Result<R, TrainError>,
    ) -> Result<(Vec<R>, &Gradients), TrainError> {
        let weights = self.weights(model)?;
        let mut sums = DeviceGradients::new(&weights);
        let mut results = Vec::with_capacity(batches.len());
        for (index, batch) in batches.iter().enumerate() {
            let pack = Pack::new(batch);
            let training = DeviceTraining {
                attention: &self.attention(model, &pack)?,
                sums: &mut sums,
            };
            let mut ops = DeviceOps::new(model, &weights, &pack.positions, training)?;
            ops.noise = model.noise(&pack.tokens);
            let input = PassInput {
                layout: model.layout(),
                pack: &pack,
                keep: Keep::Entries,
                temperature,
            };
            let mut pass = Pass::default();
            let log_probs = pass.forward(&mut ops, input)?;
            let mut derivative = vec![0.0; log_probs.len()];
            results.push(loss(index, log_probs, &mut derivative)?);
            pass.backward(&mut ops, input, &derivative)?;
        }
        self.total.clear();
        sums.download(&mut self.total)?;
        Ok((results, &self.total))
    }

    fn attention(&self, model: &Model, pack: &Pack) -> CandleResult<PackAttention> {
        PackAttention::new(pack, model.architecture().heads(), &self.device)
    }
}

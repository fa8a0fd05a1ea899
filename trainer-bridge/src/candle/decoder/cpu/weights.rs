//! What the processor computes with: a model's weights, the product of an adapter merged in, and packed for products. Merging makes sampling
//! and the forward pass cost what they cost without an adapter.

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
};

use crate::candle::{
    decoder::by_version::ByVersion,
    kernels::gemm::{Matrix, Panels, Write, gemm, gemm_packed},
    model::Model,
};

/// Most bytes of weights that are kept packed beside the plain ones; of a larger model each product packs what it needs.
const MAX_PACKED: usize = 4 << 30;

/// Bytes that the packed form of a model's weights takes beside the plain one.
pub fn packed_bytes(model: &Model) -> usize {
    let floats: usize = model.weights().iter().map(Vec::len).sum();
    let bytes = size_of::<f32>() * floats;
    if bytes <= MAX_PACKED { bytes } else { 0 }
}

/// Forms of a model's weights that are made once and used by every product.
pub struct PreparedWeights {
    /// All weights with the adapter's product; nothing where the model has no adapter.
    merged: Option<Vec<Vec<f32>>>,
    /// Each weight packed when it is first asked for; nothing where that would take too much memory.
    packed: Option<Box<[OnceLock<Panels>]>>,
}

impl PreparedWeights {
    fn of(model: &Model) -> Self {
        let empty = || model.weights().iter().map(|_| OnceLock::new()).collect();
        Self {
            merged: model.merged_weights(),
            packed: (packed_bytes(model) > 0).then(empty),
        }
    }
}

/// The prepared weights of the models that are in use.
pub type PreparedModels = ByVersion<PreparedWeights>;

/// A model's weights as the processor computes with them.
pub struct CpuWeights<'a> {
    /// The model.
    pub model: &'a Model,
    prepared: Arc<PreparedWeights>,
}

impl<'a> CpuWeights<'a> {
    /// Of a model, prepared unless they are already.
    pub fn of(model: &'a Model, prepared: &PreparedModels) -> Self {
        let make = || Ok::<_, Infallible>(PreparedWeights::of(model));
        let Ok(prepared) = prepared.get_or_make(model.version(), make);
        Self { model, prepared }
    }

    /// The weight at an index.
    pub fn at(&self, index: usize) -> &[f32] {
        let merged = self.prepared.merged.as_deref();
        &merged.unwrap_or(self.model.weights())[index]
    }

    /// The weight at an index as a matrix.
    pub fn matrix(&self, index: usize) -> Matrix<'_> {
        Matrix::new(self.at(index), self.model.layout().columns[index])
    }

    /// Computes `y = x W^T` or `y += x W^T`.
    pub fn product(&self, index: usize, x: Matrix<'_>, y: &mut [f32], write: Write) {
        let weight = self.matrix(index).transposed();
        match &self.prepared.packed {
            Some(packed) => {
                let panels = packed[index].get_or_init(|| Panels::of(weight));
                gemm_packed(x, panels, y, write);
            }
            None => gemm(x, weight, y, write),
        }
    }
}

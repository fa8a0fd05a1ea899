//! An adapter on the processor, where its product is merged into the weights: the way back needs the small matrices' gradients only, and those
//! are small products. With dropout the forward pass adds what the dropped inputs would change.

use crate::candle::{
    decoder::{cpu::buffer::sized, gradients::Gradients},
    kernels::gemm::{Matrix, Write, gemm},
    model::adapter::Adapter,
};

/// The adapters on one weight.
#[derive(Clone, Copy)]
pub struct AdaptedWeight<'a> {
    /// All adapters of the model.
    pub adapter: &'a Adapter,
    /// Index of the weight.
    pub weight: usize,
}

/// A projection on its way back.
pub struct Projection<'a> {
    /// What went in.
    pub x: &'a [f32],
    /// The gradient of what came out.
    pub dy: &'a [f32],
    /// The gradient of what went in, computed with the merged weight.
    pub dx: &'a mut [f32],
}

/// Scratch of the way through an adapter.
#[derive(Default)]
pub struct LowRank {
    reduced: Vec<f32>,
    wide: Vec<f32>,
    dropped: Vec<f32>,
}

impl LowRank {
    /// Adds to `y = x W^T`, computed with merged weights, what dropping some of the adapter's inputs changes.
    pub fn drop_inputs(&mut self, on: AdaptedWeight<'_>, noise: u64, x: &[f32], y: &mut [f32]) {
        let Self {
            reduced,
            wide,
            dropped,
        } = self;
        let (adapter, r) = (on.adapter, on.adapter.config().r);
        for (at, site) in adapter.on(on.weight) {
            let (rows, out) = (x.len() / site.columns, site.rows.len());
            let factors = adapter.factors(noise, at);
            dropped.clear();
            dropped.extend(x.iter().zip(factors).map(|(x, factor)| x * (factor - 1.0)));
            let [a, b] = adapter.matrices(at, site);
            let reduced = sized(reduced, rows * r);
            let inputs = Matrix::new(dropped, site.columns);
            gemm(inputs, a.transposed(), reduced, Write::Over);
            let wide = sized(wide, rows * out);
            let reduced = Matrix::new(reduced, r);
            gemm(reduced, b.transposed(), wide, Write::Over);
            let scale = adapter.config().scale() as f32;
            let width = y.len() / rows.max(1);
            for (y, change) in y.chunks_exact_mut(width).zip(wide.chunks_exact(out)) {
                for (y, change) in y[site.rows.clone()].iter_mut().zip(change) {
                    *y += scale * change;
                }
            }
        }
    }

    /// The way back of a projection `y = x W^T` with merged weights: adds to the gradients of A and B, and, where inputs were dropped,
    /// to `dx`. With u = dropout(x) A^T and du = scale dy B: dB += scale dy^T u, dA += du^T dropout(x).
    pub fn backward(
        &mut self,
        on: AdaptedWeight<'_>,
        noise: Option<u64>,
        projection: Projection<'_>,
        gradients: &mut Gradients,
    ) {
        let Self {
            reduced,
            wide,
            dropped,
        } = self;
        let Projection { x, dy, dx } = projection;
        let (adapter, r) = (on.adapter, on.adapter.config().r);
        let scale = adapter.config().scale() as f32;
        for (at, site) in adapter.on(on.weight) {
            let columns = site.columns;
            let rows = x.len() / columns;
            let inputs = match noise {
                None => x,
                Some(noise) => {
                    dropped.clear();
                    let factors = adapter.factors(noise, at);
                    dropped.extend(x.iter().zip(factors).map(|(x, factor)| x * factor));
                    dropped.as_slice()
                }
            };
            let [a, b] = adapter.matrices(at, site);
            let inputs = Matrix::new(inputs, columns);
            let dy = Matrix::new(dy, dy.len() / rows.max(1)).columns(site.rows.clone());
            let reduced = sized(reduced, rows * r);
            gemm(inputs, a.transposed(), reduced, Write::Over);
            reduced.iter_mut().for_each(|value| *value *= scale);
            let u = Matrix::new(reduced, r);
            gemm(dy.transposed(), u, gradients.at(at + 1), Write::Add);
            gemm(dy, b, reduced, Write::Over);
            reduced.iter_mut().for_each(|value| *value *= scale);
            let du = Matrix::new(reduced, r);
            gemm(du.transposed(), inputs, gradients.at(at), Write::Add);
            if let Some(noise) = noise {
                let wide = sized(wide, rows * columns);
                gemm(du, a, wide, Write::Over);
                let factors = adapter.factors(noise, at);
                for ((dx, change), factor) in dx.iter_mut().zip(wide).zip(factors) {
                    *dx += *change * (factor - 1.0);
                }
            }
        }
    }
}

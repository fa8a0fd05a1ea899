//! Gradients of a model's parameters, added up over micro-batches.

use crate::candle::kernels::{lanes::dot, vectorized};

/// Gradients of every parameter, in the model's order.
pub struct Gradients(Vec<Vec<f32>>);

impl Gradients {
    /// Zero for every parameter.
    pub fn zeros(parameters: &[Vec<f32>]) -> Self {
        Self(
            parameters
                .iter()
                .map(|parameter| vec![0.0; parameter.len()])
                .collect(),
        )
    }

    /// Sets all to zero.
    pub fn clear(&mut self) {
        self.0.iter_mut().for_each(|gradient| gradient.fill(0.0));
    }

    /// The gradient of one parameter.
    pub fn at(&mut self, index: usize) -> &mut [f32] {
        &mut self.0[index]
    }

    /// Adds other gradients.
    pub fn add(&mut self, other: &Self) {
        for (sum, gradient) in self.0.iter_mut().zip(&other.0) {
            for (s, &g) in sum.iter_mut().zip(gradient) {
                *s += g;
            }
        }
    }

    /// Each parameter's gradient, in the model's order.
    pub fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// Euclidean norm over all parameters. Not finite if any gradient is not.
    pub fn norm(&self) -> f64 {
        let mut squares = vec![0.0; self.0.len()];
        sums_of_squares(&self.0, &mut squares);
        squares
            .iter()
            .map(|&square| f64::from(square))
            .sum::<f64>()
            .sqrt()
    }
}

vectorized! {
fn sums_of_squares<'a>(vectors: &'a [Vec<f32>], out: &'a mut [f32]) {
    for (vector, out) in vectors.iter().zip(out) {
        *out = dot(vector, vector);
    }
}
}

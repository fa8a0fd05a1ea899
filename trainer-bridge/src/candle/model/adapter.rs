//! Low-rank adapters (Hu et al., arXiv 2106.09685): `y = x W^T + scale * dropout(x) A^T B^T` with `scale = alpha / r`, W frozen.
//!
//! The product is merged into the weights after every update, so that sampling and the forward pass cost what they cost without an
//! adapter; the way back needs the small matrices' gradients only, and those are small products. With dropout the forward pass adds
//! what the dropped inputs would change.

use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::candle::{
    decoder::cpu::forward::sized,
    kernels::gemm::{Into, View, gemm},
    learn::adamw::Gradients,
    model::{
        architecture::Architecture,
        lora::{LoraConfig, Site, sites},
    },
};

/// An adapter on a model's weights.
#[derive(Clone)]
pub struct Adapter {
    config: LoraConfig,
    seed: u64,
    sites: Arc<[Site]>,
    /// The weights it sits on.
    frozen: Arc<Vec<Vec<f32>>>,
    /// `A [r, columns]` and `B [rows, r]` of each site in turn.
    parameters: Vec<Vec<f32>>,
}

/// Scratch of the way through an adapter.
#[derive(Default)]
pub struct LowRank {
    reduced: Vec<f32>,
    wide: Vec<f32>,
    dropped: Vec<f32>,
}

impl Adapter {
    /// A fresh adapter, which changes nothing yet: A uniform within `1 / sqrt(columns)` (PEFT's initial values), B zero.
    pub fn new(
        config: &LoraConfig,
        architecture: &Architecture,
        frozen: Arc<Vec<Vec<f32>>>,
        seed: u64,
    ) -> Self {
        let sites = sites(architecture, &config.targets);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut parameters = Vec::with_capacity(2 * sites.len());
        for site in &sites {
            let bound = 1.0 / (site.columns as f64).sqrt();
            let mut draw = || ((f64::from(rng.next_u32()) + 0.5) / 2_147_483_648.0 - 1.0) * bound;
            parameters.push(
                (0..config.r * site.columns)
                    .map(|_| draw() as f32)
                    .collect(),
            );
            parameters.push(vec![0.0; site.rows.len() * config.r]);
        }
        Self {
            config: config.clone(),
            seed,
            sites: sites.into(),
            frozen,
            parameters,
        }
    }

    /// Its settings.
    pub fn config(&self) -> &LoraConfig {
        &self.config
    }

    /// Where it sits, in the order of the parameters' pairs.
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// The weights it sits on.
    pub fn frozen(&self) -> &[Vec<f32>] {
        &self.frozen
    }

    /// `A [r, columns]` and `B [rows, r]` of each site in turn.
    pub fn parameters(&self) -> &[Vec<f32>] {
        &self.parameters
    }

    /// The same, to be changed; [`Self::merge_into`] must follow.
    pub fn parameters_mut(&mut self) -> &mut [Vec<f32>] {
        &mut self.parameters
    }

    /// Writes `W + scale B A` of every site into `weights`.
    pub fn merge_into(&self, weights: &mut [Vec<f32>]) {
        for (site, pair) in self.sites.iter().zip(self.parameters.chunks_exact(2)) {
            let range = site.rows.start * site.columns..site.rows.end * site.columns;
            let merged = &mut weights[site.weight][range.clone()];
            merged.copy_from_slice(&self.frozen[site.weight][range]);
            add_product(
                merged,
                &pair[0],
                &pair[1],
                site.columns,
                self.config.r,
                self.config.scale(),
            );
        }
    }

    /// The sites on one weight, with the indices of their A.
    fn on(&self, weight: usize) -> impl Iterator<Item = (usize, &Site)> {
        let numbered = self.sites.iter().enumerate();
        numbered
            .filter(move |(_, site)| site.weight == weight)
            .map(|(index, site)| (2 * index, site))
    }

    /// The noise of dropout in a training pass over these tokens after so many updates; none where nothing is dropped.
    pub fn noise(&self, updates: u32, tokens: &[u32]) -> Option<u64> {
        let start = mix(self.seed ^ mix(u64::from(updates)));
        let fold = |noise, &token: &u32| mix(noise ^ u64::from(token));
        (self.config.dropout > 0.0).then(|| tokens.iter().fold(start, fold))
    }

    /// Adds to `y = x W^T`, computed with merged weights, what dropping some of the adapter's inputs changes.
    pub fn drop_inputs(
        &self,
        weight: usize,
        noise: u64,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut LowRank,
    ) {
        let LowRank {
            reduced,
            wide,
            dropped,
        } = scratch;
        for (at, site) in self.on(weight) {
            let (rows, r, out) = (x.len() / site.columns, self.config.r, site.rows.len());
            let factors = self.factors(noise, at);
            dropped.clear();
            dropped.extend(x.iter().zip(factors).map(|(x, factor)| x * (factor - 1.0)));
            let reduced = sized(reduced, rows * r);
            let a = View::transposed(&self.parameters[at], site.columns);
            gemm(
                rows,
                r,
                site.columns,
                View::rows(dropped, site.columns),
                a,
                reduced,
                Into::Overwrite,
            );
            let wide = sized(wide, rows * out);
            let b = View::transposed(&self.parameters[at + 1], r);
            gemm(
                rows,
                out,
                r,
                View::rows(reduced, r),
                b,
                wide,
                Into::Overwrite,
            );
            let scale = self.config.scale() as f32;
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
    #[expect(clippy::too_many_arguments, reason = "the operands of a gradient")]
    pub fn backward(
        &self,
        weight: usize,
        noise: Option<u64>,
        x: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        gradients: &mut Gradients,
        scratch: &mut LowRank,
    ) {
        let LowRank {
            reduced,
            wide,
            dropped,
        } = scratch;
        for (at, site) in self.on(weight) {
            let (columns, r, out) = (site.columns, self.config.r, site.rows.len());
            let rows = x.len() / columns;
            let width = dy.len() / rows.max(1);
            let (a, b) = (&self.parameters[at], &self.parameters[at + 1]);
            let scale = self.config.scale() as f32;
            let inputs = match noise {
                None => x,
                Some(noise) => {
                    dropped.clear();
                    dropped.extend(
                        x.iter()
                            .zip(self.factors(noise, at))
                            .map(|(x, factor)| x * factor),
                    );
                    dropped.as_slice()
                }
            };
            let dy = &dy[site.rows.start.min(dy.len())..];
            let reduced = sized(reduced, rows * r);
            gemm(
                rows,
                r,
                columns,
                View::rows(inputs, columns),
                View::transposed(a, columns),
                reduced,
                Into::Overwrite,
            );
            reduced.iter_mut().for_each(|value| *value *= scale);
            gemm(
                out,
                r,
                rows,
                View::transposed(dy, width),
                View::rows(reduced, r),
                gradients.at(at + 1),
                Into::Add,
            );
            gemm(
                rows,
                r,
                out,
                View::rows(dy, width),
                View::rows(b, r),
                reduced,
                Into::Overwrite,
            );
            reduced.iter_mut().for_each(|value| *value *= scale);
            gemm(
                r,
                columns,
                rows,
                View::transposed(reduced, r),
                View::rows(inputs, columns),
                gradients.at(at),
                Into::Add,
            );
            if let Some(noise) = noise {
                let wide = sized(wide, rows * columns);
                gemm(
                    rows,
                    columns,
                    r,
                    View::rows(reduced, r),
                    View::rows(a, columns),
                    wide,
                    Into::Overwrite,
                );
                for ((dx, change), factor) in dx.iter_mut().zip(wide).zip(self.factors(noise, at)) {
                    *dx += *change * (factor - 1.0);
                }
            }
        }
    }

    /// What each input of a site is multiplied by under dropout: 0, or `1 / (1 - dropout)`. A function of the noise and the place alone,
    /// so that the way back meets the same ones.
    pub fn factors(&self, noise: u64, site: usize) -> impl Iterator<Item = f32> + use<> {
        let drop = self.config.dropout;
        let kept = (1.0 / (1.0 - drop)) as f32;
        let limit = (drop * f64::from(u32::MAX)) as u32;
        let start = mix(noise ^ mix(site as u64 + 1));
        (0_u64..).map(move |place| {
            if (mix(start.wrapping_add(place)) >> 32) as u32 >= limit {
                kept
            } else {
                0.0
            }
        })
    }
}

/// Adds `scale B A` to a matrix of `columns` columns.
pub fn add_product(matrix: &mut [f32], a: &[f32], b: &[f32], columns: usize, r: usize, scale: f64) {
    let scaled: Vec<f32> = b.iter().map(|value| value * scale as f32).collect();
    let rows = matrix.len() / columns;
    gemm(
        rows,
        columns,
        r,
        View::rows(&scaled, r),
        View::rows(a, columns),
        matrix,
        Into::Add,
    );
}

/// A well-mixed function of a number (the finaliser of SplitMix64, Steele et al. 2014).
fn mix(value: u64) -> u64 {
    let z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candle::{
        decoder::{
            cpu::{backward::Scratch, forward::Tape},
            pack::{Group, Pack},
        },
        model::Model,
        tests::small_models::{small, stir},
    };

    fn adapted(dropout: f64) -> Model {
        let config = LoraConfig {
            r: 2,
            alpha: 3.0,
            dropout,
            targets: ["q_proj", "v_proj", "o_proj", "down_proj"]
                .map(str::to_owned)
                .to_vec(),
        };
        let mut model = small("qwen2", false).with_adapter(&config, 11);
        model.update(stir);
        model
    }

    fn pack() -> Pack {
        let completions: [&[u32]; 2] = [&[7, 8, 9, 10, 11], &[5, 2, 3]];
        Pack::new(&[Group {
            prompt: &[4, 6, 12],
            completions: &completions,
        }])
    }

    fn loss(model: &Model) -> f64 {
        let pack = pack();
        let mut tape = Tape::default();
        let log_probs = tape.training_log_probs(model, &pack, 1.0);
        let weighted = log_probs.iter().enumerate();
        weighted
            .map(|(i, &l)| f64::from(l) * (1.0 + i as f64))
            .sum()
    }

    #[test]
    fn a_fresh_adapter_changes_nothing() {
        let model = small("llama", true);
        let fresh = model.with_adapter(&LoraConfig::default(), 1);
        assert_eq!(loss(&model), loss(&fresh));
        let mut merged = fresh.clone();
        merged.update(|_| {});
        assert_eq!(merged.weights(), model.weights());
        assert_eq!(fresh.parameters().len(), 2 * 7 * 2);
    }

    #[test]
    fn dropout_drops_its_share_and_keeps_the_mean() {
        let config = LoraConfig {
            dropout: 0.3,
            ..LoraConfig::default()
        };
        let model = small("llama", true).with_adapter(&config, 1);
        let adapter = model.adapter().expect("it was just put on");
        let factors: Vec<f32> = adapter.factors(5, 2).take(100_000).collect();
        let dropped = factors.iter().filter(|&&factor| factor == 0.0).count();
        assert!((29_000..31_000).contains(&dropped), "{dropped}");
        let mean = factors.iter().sum::<f32>() / 100_000.0;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
    }

    #[test]
    fn gradients_with_dropout_are_those_of_finite_differences() {
        let model = adapted(0.4);
        let plain = adapted(0.0);
        assert!(
            (loss(&model) - loss(&plain)).abs() > 1e-3,
            "something is dropped"
        );
        assert_eq!(loss(&model), loss(&model), "the same noise each time");
        let pack = pack();
        let mut tape = Tape::default();
        let count = tape.training_log_probs(&model, &pack, 1.0).len();
        let direction: Vec<f32> = (0..count).map(|i| 1.0 + i as f32).collect();
        let mut gradients = Gradients::zeros(model.parameters());
        Scratch::default().backward(&model, &pack, &mut tape, 1.0, &direction, &mut gradients);
        let step = 4e-3_f32;
        for (index, gradient) in gradients.iter().enumerate() {
            // Along the gradient's signs, so that rounding stays small beside the change.
            let moved = |sign: f32| {
                let mut moved = model.clone();
                let change = |parameters: &mut [Vec<f32>]| {
                    for (value, slope) in parameters[index].iter_mut().zip(gradient) {
                        *value += sign * step * slope.signum() / gradient.len() as f32;
                    }
                };
                moved.restore(model.updates(), change);
                loss(&moved)
            };
            let seen = (moved(1.0) - moved(-1.0)) / (2.0 * f64::from(step));
            let mean = gradient
                .iter()
                .map(|slope| f64::from(slope.abs()))
                .sum::<f64>();
            let expected = mean / gradient.len() as f64;
            let error = (seen - expected).abs() / expected.max(0.1);
            assert!(error < 2e-2, "parameter {index}: {seen} is not {expected}");
        }
    }
}

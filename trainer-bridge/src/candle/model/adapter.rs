//! Low-rank adapters (Hu et al., arXiv 2106.09685): `y = x W^T + scale * dropout(x) A^T B^T` with `scale = alpha / r`, W frozen.

use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::candle::{
    kernels::gemm::{Matrix, Write, gemm},
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
    /// `A [r, columns]` and `B [rows, r]` of each site in turn.
    parameters: Vec<Vec<f32>>,
}

impl Adapter {
    /// A fresh adapter, which changes nothing yet: A uniform within `1 / sqrt(columns)` (PEFT's initial values), B zero.
    pub fn new(config: &LoraConfig, architecture: &Architecture, seed: u64) -> Self {
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

    /// `A [r, columns]` and `B [rows, r]` of each site in turn.
    pub fn parameters(&self) -> &[Vec<f32>] {
        &self.parameters
    }

    /// The same, to be changed.
    pub fn parameters_mut(&mut self) -> &mut [Vec<f32>] {
        &mut self.parameters
    }

    /// Adds `scale B A` of every site to the weights it sits on.
    pub fn merge_into(&self, weights: &mut [Vec<f32>]) {
        let scale = self.config.scale();
        for (site, pair) in self.sites.iter().zip(self.parameters.chunks_exact(2)) {
            let range = site.rows.start * site.columns..site.rows.end * site.columns;
            let matrix = &mut weights[site.weight][range];
            add_product(matrix, &pair[0], &pair[1], site.columns, scale);
        }
    }

    /// The sites on one weight, with the indices of their A.
    pub fn on(&self, weight: usize) -> impl Iterator<Item = (usize, &Site)> {
        let numbered = self.sites.iter().enumerate();
        numbered
            .filter(move |(_, site)| site.weight == weight)
            .map(|(index, site)| (2 * index, site))
    }

    /// A and B of a site; `at` is the index of its A.
    pub fn matrices(&self, at: usize, site: &Site) -> [Matrix<'_>; 2] {
        [
            Matrix::new(&self.parameters[at], site.columns),
            Matrix::new(&self.parameters[at + 1], self.config.r),
        ]
    }

    /// The noise of dropout in a training pass over these tokens after so many updates; none where nothing is dropped.
    pub fn noise(&self, updates: u32, tokens: &[u32]) -> Option<u64> {
        let start = mix(self.seed ^ mix(u64::from(updates)));
        let fold = |noise, &token: &u32| mix(noise ^ u64::from(token));
        (self.config.dropout > 0.0).then(|| tokens.iter().fold(start, fold))
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
pub fn add_product(matrix: &mut [f32], a: &[f32], b: &[f32], columns: usize, scale: f64) {
    let scaled: Vec<f32> = b.iter().map(|value| value * scale as f32).collect();
    let a = Matrix::new(a, columns);
    gemm(Matrix::new(&scaled, a.height()), a, matrix, Write::Add);
}

/// A well-mixed function of a number (the finaliser of SplitMix64, Steele et al. 2014).
fn mix(value: u64) -> u64 {
    let z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

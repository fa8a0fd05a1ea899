//! A decoder-only language model: its architecture, its rotary angles, its weights as plain vectors, and the adapter on them, if any. Whoever
//! computes with it keeps what it makes of the weights to itself, by their version.

pub mod adapter;
pub mod architecture;
mod complaints;
pub mod layout;
pub mod lora;
pub mod rope;
mod rope_config;
pub mod version;

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::candle::model::{
    adapter::{Adapter, add_product},
    architecture::Architecture,
    layout::{Layout, Role},
    lora::{LoraConfig, Site},
    rope::Rope,
    version::Version,
};

/// A decoder with its weights. Clones share them until one of the two is trained.
#[derive(Clone)]
pub struct Model {
    architecture: Arc<Architecture>,
    layout: Arc<Layout>,
    rope: Arc<Rope>,
    weights: Arc<Vec<Vec<f32>>>,
    weights_version: Version,
    adapter: Option<Adapter>,
    version: Version,
    updates: u32,
}

impl Model {
    /// Puts a model together from weights in the order of [`Architecture::parameters`], their sizes checked by the caller.
    pub fn new(architecture: Arc<Architecture>, weights: Vec<Vec<f32>>) -> Self {
        let version = Version::new();
        Self {
            rope: Arc::new(architecture.rope()),
            layout: Arc::new(Layout::new(&architecture)),
            architecture,
            weights: Arc::new(weights),
            weights_version: version.clone(),
            adapter: None,
            version,
            updates: 0,
        }
    }

    /// The model with a fresh adapter to be trained instead of its weights.
    pub fn with_adapter(&self, config: &LoraConfig, seed: u64) -> Self {
        Self {
            adapter: Some(Adapter::new(config, &self.architecture, seed)),
            version: Version::new(),
            ..self.clone()
        }
    }

    /// Adds `scale B A` to a projection for good.
    pub fn merge(&mut self, site: &Site, a: &[f32], b: &[f32], scale: f64) {
        let range = site.rows.start * site.columns..site.rows.end * site.columns;
        let matrix = &mut self.weights_mut()[site.weight][range];
        add_product(matrix, a, b, site.columns, scale);
    }

    /// What kind of decoder this is.
    pub fn architecture(&self) -> &Arc<Architecture> {
        &self.architecture
    }

    /// Where the weights lie.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The rotary angles.
    pub fn rope(&self) -> &Rope {
        &self.rope
    }

    /// The adapter, if one is trained.
    pub fn adapter(&self) -> Option<&Adapter> {
        self.adapter.as_ref()
    }

    /// All weights, in the order of [`Architecture::parameters`], without any adapter's product.
    pub fn weights(&self) -> &[Vec<f32>] {
        &self.weights
    }

    /// The version of [`Self::weights`].
    pub fn weights_version(&self) -> &Version {
        &self.weights_version
    }

    /// A copy of all weights with the adapter's product added, if there is an adapter.
    pub fn merged_weights(&self) -> Option<Vec<Vec<f32>>> {
        let adapter = self.adapter.as_ref()?;
        let mut weights = self.weights.to_vec();
        adapter.merge_into(&mut weights);
        Some(weights)
    }

    /// The version of the weights and the adapter together.
    pub fn version(&self) -> &Version {
        &self.version
    }

    fn weights_mut(&mut self) -> &mut Vec<Vec<f32>> {
        self.version = Version::new();
        self.weights_version = self.version.clone();
        Arc::make_mut(&mut self.weights)
    }

    /// SHA-256 of the weights, hexadecimal.
    pub fn digest(&self) -> String {
        /// Numbers turned into bytes at a time.
        const PORTION: usize = 4096;
        let (mut digest, mut bytes) = (Sha256::new(), Vec::with_capacity(4 * PORTION));
        for portion in self
            .weights
            .iter()
            .flat_map(|values| values.chunks(PORTION))
        {
            bytes.clear();
            bytes.extend(portion.iter().flat_map(|value| value.to_le_bytes()));
            digest.update(&bytes);
        }
        let hex = digest.finalize();
        hex.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What training changes: all weights, or the adapter's matrices.
    pub fn parameters(&self) -> &[Vec<f32>] {
        match &self.adapter {
            Some(adapter) => adapter.parameters(),
            None => &self.weights,
        }
    }

    /// One update of what training changes.
    pub fn update(&mut self, change: impl FnOnce(&mut [Vec<f32>])) {
        match &mut self.adapter {
            Some(adapter) => {
                change(adapter.parameters_mut());
                self.version = Version::new();
            }
            None => change(self.weights_mut()),
        }
        self.updates += 1;
    }

    /// Which parameters weight decay is for: not gains of norms and biases, as in transformers' trainer.
    pub fn decays(&self) -> Vec<bool> {
        match &self.adapter {
            Some(adapter) => vec![true; adapter.parameters().len()],
            None => {
                let parameters = self.architecture.parameters().into_iter();
                let decays = |role| !matches!(role, Role::Norm | Role::Bias);
                parameters.map(|parameter| decays(parameter.role)).collect()
            }
        }
    }

    /// Puts a state back that was reached after `updates` updates.
    pub fn restore(&mut self, updates: u32, change: impl FnOnce(&mut [Vec<f32>])) {
        self.update(change);
        self.updates = updates;
    }

    /// Updates done.
    #[cfg(test)]
    pub fn updates(&self) -> u32 {
        self.updates
    }

    /// The noise of dropout for a training pass over these tokens; none where nothing is dropped. It depends on seed, number of updates and
    /// tokens alone: continuing a run meets the same noise.
    pub fn noise(&self, tokens: &[u32]) -> Option<u64> {
        self.adapter.as_ref()?.noise(self.updates, tokens)
    }
}

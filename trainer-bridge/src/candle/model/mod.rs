//! A decoder-only language model: its architecture, its rotary angles, its weights as plain vectors, and the adapter on them, if any.

pub mod adapter;
pub mod architecture;
pub mod layout;
pub mod lora;
pub mod rope;
mod rope_config;

use std::sync::{Arc, OnceLock};

use sha2::{Digest as _, Sha256};

pub use crate::candle::model::layout::Part;
use crate::candle::{
    decoder::device::Uploads,
    kernels::gemm::{Panels, View},
    model::{
        adapter::{Adapter, add_product},
        architecture::Architecture,
        layout::Role,
        lora::{LoraConfig, Site},
        rope::Rope,
    },
};

/// A decoder with its weights. Clones share them until one of the two is trained.
#[derive(Clone)]
pub struct Model {
    architecture: Arc<Architecture>,
    rope: Arc<Rope>,
    /// As the forward pass uses them: an adapter's product is merged in.
    weights: Arc<Vec<Vec<f32>>>,
    /// Weights packed for products, each when it is first asked for; `None` where that would take too much memory.
    packed: Option<Arc<[OnceLock<Panels>]>>,
    adapter: Option<Adapter>,
    /// Whether `weights` stay as they are under an adapter, whose product somebody else adds.
    adapter_apart: bool,
    updates: u32,
    uploads: Arc<Uploads>,
}

/// Most bytes of weights that are kept packed beside the plain ones; of a larger model each product packs what it needs.
const MAX_PACKED: usize = 4 << 30;

/// Index of the embedding among the weights.
pub const EMBEDDING: usize = 0;

impl Model {
    /// Puts a model together from weights in the order of [`Architecture::parameters`], their sizes checked by the caller.
    pub fn new(architecture: Arc<Architecture>, weights: Vec<Vec<f32>>) -> Self {
        Self {
            rope: Arc::new(architecture.rope()),
            architecture,
            packed: nothing_packed(&weights),
            weights: Arc::new(weights),
            adapter: None,
            adapter_apart: false,
            updates: 0,
            uploads: Arc::default(),
        }
    }

    /// The model with a fresh adapter to be trained instead of its weights.
    pub fn with_adapter(&self, config: &LoraConfig, seed: u64) -> Self {
        let frozen = Arc::clone(&self.weights);
        Self {
            adapter: Some(Adapter::new(config, &self.architecture, frozen, seed)),
            ..self.clone()
        }
    }

    /// Adds `scale B A` to a projection for good.
    pub fn merge(&mut self, site: &Site, a: &[f32], b: &[f32], scale: f64) {
        let range = site.rows.start * site.columns..site.rows.end * site.columns;
        let matrix = &mut Arc::make_mut(&mut self.weights)[site.weight][range];
        add_product(matrix, a, b, site.columns, a.len() / site.columns, scale);
        self.packed = nothing_packed(&self.weights);
        self.uploads = Arc::default();
    }

    /// From now on the adapter's product is not merged into the weights, which then stay shared with the model it was put on: for a
    /// decoder elsewhere that adds the product itself.
    pub fn keep_adapter_apart(&mut self) {
        self.adapter_apart = true;
    }

    /// What kind of decoder this is.
    pub fn architecture(&self) -> &Arc<Architecture> {
        &self.architecture
    }

    /// The rotary angles.
    pub fn rope(&self) -> &Rope {
        &self.rope
    }

    /// The adapter, if one is trained.
    pub fn adapter(&self) -> Option<&Adapter> {
        self.adapter.as_ref()
    }

    /// All weights, in the order of [`Architecture::parameters`], an adapter merged in unless it is kept apart.
    pub fn weights(&self) -> &[Vec<f32>] {
        &self.weights
    }

    /// Bytes that packed weights take beside the plain ones.
    pub fn packed_bytes(&self) -> usize {
        self.packed.as_ref().map_or(0, |_| bytes(&self.weights))
    }

    /// The transpose of the weight at `index`, of `inner` columns, packed for products, if packed weights are kept.
    pub fn packed(&self, index: usize, inner: usize) -> Option<&Panels> {
        let weight = &self.weights[index];
        let pack = || Panels::of(weight.len() / inner, inner, View::transposed(weight, inner));
        Some(self.packed.as_ref()?[index].get_or_init(pack))
    }

    /// All weights without any adapter's product.
    pub fn plain_weights(&self) -> &[Vec<f32>] {
        match &self.adapter {
            Some(adapter) => adapter.frozen(),
            None => &self.weights,
        }
    }

    /// Copies of [`Self::plain_weights`] on devices.
    pub fn uploads(&self) -> &Uploads {
        &self.uploads
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
                if !self.adapter_apart {
                    let weights = Arc::make_mut(&mut self.weights);
                    adapter.merge_into(weights);
                }
            }
            None => {
                let weights = Arc::make_mut(&mut self.weights);
                change(weights);
                self.uploads = Arc::default();
            }
        }
        self.packed = nothing_packed(&self.weights);
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

    /// Index of a layer's weight, where the architecture has it.
    pub fn find(&self, layer: usize, part: Part) -> Option<usize> {
        let parts = self.architecture.layer_parts();
        let place = parts.iter().position(|&p| p == part)?;
        Some(1 + layer * parts.len() + place)
    }

    /// Index of a layer's weight.
    pub fn index(&self, layer: usize, part: Part) -> usize {
        self.find(layer, part)
            .expect("only parts that every architecture has are asked for so")
    }

    /// Index of the final norm.
    pub fn final_norm(&self) -> usize {
        1 + self.architecture.num_hidden_layers * self.architecture.layer_parts().len()
    }

    /// Index of the output head: the embedding where they are tied.
    pub fn head(&self) -> usize {
        if self.architecture.tie_word_embeddings {
            EMBEDDING
        } else {
            self.final_norm() + 1
        }
    }

    /// A layer's weight.
    pub fn part(&self, layer: usize, part: Part) -> &[f32] {
        &self.weights[self.index(layer, part)]
    }
}

/// Room for the packed form of every weight, if all of them together are not too much.
fn nothing_packed(weights: &[Vec<f32>]) -> Option<Arc<[OnceLock<Panels>]>> {
    (bytes(weights) <= MAX_PACKED).then(|| weights.iter().map(|_| OnceLock::new()).collect())
}

fn bytes(weights: &[Vec<f32>]) -> usize {
    weights.iter().map(|weight| size_of_val(&weight[..])).sum()
}

//! A decoder-only language model: its architecture, its rotary angles and its weights, as plain vectors.

use std::sync::Arc;

use super::{architecture::Architecture, rope::Rope};

/// A decoder with its weights.
#[derive(Clone)]
pub struct Model {
    architecture: Arc<Architecture>,
    rope: Arc<Rope>,
    parameters: Vec<Vec<f32>>,
}

/// Where a layer's parameters stand, counted from its first.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// Gain before attention.
    InputNorm,
    /// Fused query, key and value projection.
    Qkv,
    /// Projection of the attention's result.
    Output,
    /// Gain before the feed-forward block.
    PostNorm,
    /// Fused gate and up projection.
    GateUp,
    /// Projection of the feed-forward block's result.
    Down,
}

/// Parameters of one layer.
const PER_LAYER: usize = 6;

/// Index of the embedding among the parameters.
pub const EMBEDDING: usize = 0;

impl Model {
    /// Puts a model together from parameters in the order of [`Architecture::parameters`], their sizes checked by the caller.
    pub fn new(architecture: Arc<Architecture>, parameters: Vec<Vec<f32>>) -> Self {
        let (heads, theta) = (architecture.heads(), architecture.rope_theta());
        let rope = Arc::new(Rope::new(
            heads.dim,
            theta,
            architecture.max_position_embeddings,
        ));
        Self {
            architecture,
            rope,
            parameters,
        }
    }

    /// What kind of decoder this is.
    pub fn architecture(&self) -> &Arc<Architecture> {
        &self.architecture
    }

    /// The rotary angles.
    pub fn rope(&self) -> &Rope {
        &self.rope
    }

    /// All parameters, in the order of [`Architecture::parameters`].
    pub fn parameters(&self) -> &[Vec<f32>] {
        &self.parameters
    }

    /// The same, to be updated.
    pub fn parameters_mut(&mut self) -> &mut [Vec<f32>] {
        &mut self.parameters
    }

    /// Index of a layer's parameter.
    pub fn index(&self, layer: usize, part: Part) -> usize {
        1 + layer * PER_LAYER + part as usize
    }

    /// Index of the final norm.
    pub fn final_norm(&self) -> usize {
        1 + self.architecture.num_hidden_layers * PER_LAYER
    }

    /// Index of the output head: the embedding where they are tied.
    pub fn head(&self) -> usize {
        if self.architecture.tie_word_embeddings {
            EMBEDDING
        } else {
            self.final_norm() + 1
        }
    }

    /// A layer's parameter.
    pub fn part(&self, layer: usize, part: Part) -> &[f32] {
        &self.parameters[self.index(layer, part)]
    }
}

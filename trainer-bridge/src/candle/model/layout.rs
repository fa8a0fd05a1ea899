//! Which parameters a decoder has, in which order, and which tensors of the checkpoint each is made of.

use crate::candle::model::architecture::{Architecture, Family};

/// A parameter of the decoder: one matrix (or vector) here, one or several tensors of the checkpoint stacked by rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its role.
    pub role: Role,
    /// The tensors of the checkpoint with their rows, in order.
    pub parts: Vec<(String, usize)>,
    /// Columns; absent for vectors.
    pub columns: Option<usize>,
}

/// What a parameter is for; decides its initial values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Token embedding or output head.
    Embedding,
    /// Gain of a normalisation.
    Norm,
    /// Bias of a projection.
    Bias,
    /// Projection that reads the residual stream.
    Input,
    /// Projection that writes to the residual stream.
    Output,
}

/// A parameter's place within a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Gain before attention.
    InputNorm,
    /// Fused query, key and value projection.
    Qkv,
    /// Bias of the fused projection; Qwen2.
    QkvBias,
    /// Gain of every query head; Qwen3.
    QueryNorm,
    /// Gain of every key head; Qwen3.
    KeyNorm,
    /// Projection of the attention's result.
    Output,
    /// Gain before the feed-forward block.
    PostNorm,
    /// Fused gate and up projection.
    GateUp,
    /// Projection of the feed-forward block's result.
    Down,
}

/// A layer's parameters in order, of whatever family.
const LAYER: [Part; 9] = [
    Part::InputNorm,
    Part::Qkv,
    Part::QkvBias,
    Part::QueryNorm,
    Part::KeyNorm,
    Part::Output,
    Part::PostNorm,
    Part::GateUp,
    Part::Down,
];

impl Family {
    /// Whether the family's layers have a part. All else that tells families apart follows from this.
    fn has(self, part: Part) -> bool {
        match part {
            Part::QkvBias => self == Self::Qwen2,
            Part::QueryNorm | Part::KeyNorm => self == Self::Qwen3,
            _ => true,
        }
    }
}

/// Index of the embedding among the parameters.
pub const EMBEDDING: usize = 0;

/// Where a decoder's weights lie among its parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// Columns of every parameter; of a vector, one.
    pub columns: Vec<usize>,
    /// Each layer's.
    pub layers: Vec<LayerWeights>,
    /// Gain of the last normalisation.
    pub final_norm: usize,
    /// The output head: the embedding where they are tied.
    pub head: usize,
}

/// Where a layer's weights lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerWeights {
    /// The layer's number.
    pub layer: usize,
    /// Gain before attention.
    pub input_norm: usize,
    /// Fused query, key and value projection.
    pub qkv: usize,
    /// Its bias, where the family has one.
    pub qkv_bias: Option<usize>,
    /// Gains of the query and the key heads, where the family normalises them.
    pub head_norms: Option<[usize; 2]>,
    /// Projection of the attention's result.
    pub output: usize,
    /// Gain before the feed-forward block.
    pub post_norm: usize,
    /// Fused gate and up projection.
    pub gate_up: usize,
    /// Projection of the feed-forward block's result.
    pub down: usize,
}

impl Layout {
    /// Of an architecture.
    pub fn new(architecture: &Architecture) -> Self {
        let parts = architecture.layer_parts();
        let layer = |layer: usize| {
            let first = EMBEDDING + 1 + layer * parts.len();
            let find = |part| Some(first + parts.iter().position(|&p| p == part)?);
            let at = |part| find(part).expect("every family has the part");
            LayerWeights {
                layer,
                input_norm: at(Part::InputNorm),
                qkv: at(Part::Qkv),
                qkv_bias: find(Part::QkvBias),
                head_norms: find(Part::QueryNorm)
                    .zip(find(Part::KeyNorm))
                    .map(|(queries, keys)| [queries, keys]),
                output: at(Part::Output),
                post_norm: at(Part::PostNorm),
                gate_up: at(Part::GateUp),
                down: at(Part::Down),
            }
        };
        let layers = architecture.num_hidden_layers;
        let final_norm = EMBEDDING + 1 + layers * parts.len();
        let parameters = architecture.parameters();
        Self {
            columns: parameters.iter().map(|p| p.columns.unwrap_or(1)).collect(),
            layers: (0..layers).map(layer).collect(),
            final_norm,
            head: if architecture.tie_word_embeddings {
                EMBEDDING
            } else {
                final_norm + 1
            },
        }
    }
}

impl Parameter {
    /// Rows over all parts.
    pub fn rows(&self) -> usize {
        self.parts.iter().map(|(_, rows)| rows).sum()
    }

    /// Shape of the stacked tensor.
    pub fn shape(&self) -> Vec<usize> {
        std::iter::once(self.rows()).chain(self.columns).collect()
    }
}

impl Architecture {
    /// A layer's parameters, in order.
    fn layer_parts(&self) -> Vec<Part> {
        let family = self.family();
        let parts = LAYER.into_iter();
        parts.filter(|&part| family.has(part)).collect()
    }

    /// Every parameter in the decoder's order: embedding; each layer's; final norm; output head unless
    /// tied.
    pub fn parameters(&self) -> Vec<Parameter> {
        let embedding = |name: &str| Parameter {
            role: Role::Embedding,
            parts: vec![(name.into(), self.vocab_size)],
            columns: Some(self.hidden_size),
        };
        let mut all = vec![embedding("model.embed_tokens.weight")];
        let parts = self.layer_parts();
        for layer in 0..self.num_hidden_layers {
            let parts = parts.iter();
            all.extend(parts.map(|&part| self.layer_parameter(layer, part)));
        }
        all.push(Parameter {
            role: Role::Norm,
            parts: vec![("model.norm.weight".into(), self.hidden_size)],
            columns: None,
        });
        if !self.tie_word_embeddings {
            all.push(embedding("lm_head.weight"));
        }
        all
    }

    fn layer_parameter(&self, layer: usize, part: Part) -> Parameter {
        let (hidden, inner, heads) = (self.hidden_size, self.intermediate_size, self.heads());
        let name = |module: &str, kind: &str| format!("model.layers.{layer}.{module}.{kind}");
        let norm = |module: &str, rows| Parameter {
            role: Role::Norm,
            parts: vec![(name(module, "weight"), rows)],
            columns: None,
        };
        let stacked = |role, modules: &[(&str, usize)], kind: &str, columns| Parameter {
            role,
            parts: modules
                .iter()
                .map(|(module, rows)| (name(module, kind), *rows))
                .collect(),
            columns,
        };
        let qkv = [
            ("self_attn.q_proj", heads.out_width()),
            ("self_attn.k_proj", heads.kv_width()),
            ("self_attn.v_proj", heads.kv_width()),
        ];
        let gate_up = [("mlp.gate_proj", inner), ("mlp.up_proj", inner)];
        match part {
            Part::InputNorm => norm("input_layernorm", hidden),
            Part::Qkv => stacked(Role::Input, &qkv, "weight", Some(hidden)),
            Part::QkvBias => stacked(Role::Bias, &qkv, "bias", None),
            Part::QueryNorm => norm("self_attn.q_norm", heads.dim),
            Part::KeyNorm => norm("self_attn.k_norm", heads.dim),
            Part::Output => {
                let modules = [("self_attn.o_proj", hidden)];
                stacked(Role::Output, &modules, "weight", Some(heads.out_width()))
            }
            Part::PostNorm => norm("post_attention_layernorm", hidden),
            Part::GateUp => stacked(Role::Input, &gate_up, "weight", Some(hidden)),
            Part::Down => {
                let modules = [("mlp.down_proj", hidden)];
                stacked(Role::Output, &modules, "weight", Some(inner))
            }
        }
    }
}

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
pub enum Part {
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

const LLAMA: [Part; 6] = [
    Part::InputNorm,
    Part::Qkv,
    Part::Output,
    Part::PostNorm,
    Part::GateUp,
    Part::Down,
];
const QWEN2: [Part; 7] = [
    Part::InputNorm,
    Part::Qkv,
    Part::QkvBias,
    Part::Output,
    Part::PostNorm,
    Part::GateUp,
    Part::Down,
];
const QWEN3: [Part; 8] = [
    Part::InputNorm,
    Part::Qkv,
    Part::QueryNorm,
    Part::KeyNorm,
    Part::Output,
    Part::PostNorm,
    Part::GateUp,
    Part::Down,
];

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
    pub fn layer_parts(&self) -> &'static [Part] {
        match self.family() {
            Family::Llama => &LLAMA,
            Family::Qwen2 => &QWEN2,
            Family::Qwen3 => &QWEN3,
        }
    }

    /// Every parameter in the decoder's order: embedding; each layer's, as [`Self::layer_parts`] says; final norm; output head unless
    /// tied.
    pub fn parameters(&self) -> Vec<Parameter> {
        let embedding = |name: &str| Parameter {
            role: Role::Embedding,
            parts: vec![(name.into(), self.vocab_size)],
            columns: Some(self.hidden_size),
        };
        let mut all = vec![embedding("model.embed_tokens.weight")];
        for layer in 0..self.num_hidden_layers {
            let parts = self.layer_parts().iter();
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

//! `config.json` of a Hugging Face decoder: what it says of the architecture, and which parameters follow from it.

use serde::{Deserialize, Serialize};

use super::kernels::attention::{HEAD_DIMS, Heads};

/// The fields of `config.json` that the decoder needs, under their Hugging Face names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Architecture {
    /// `llama` is the one supported type.
    pub model_type: String,
    /// Name of the transformers class; written for transformers' sake.
    #[serde(default)]
    pub architectures: Vec<String>,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward block.
    pub intermediate_size: usize,
    /// Decoder layers.
    pub num_hidden_layers: usize,
    /// Query heads.
    pub num_attention_heads: usize,
    /// Key-value heads; as many as query heads where absent.
    #[serde(default)]
    pub num_key_value_heads: Option<usize>,
    /// Elements a head; `hidden_size / num_attention_heads` where absent.
    #[serde(default)]
    pub head_dim: Option<usize>,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Longest sequence.
    pub max_position_embeddings: usize,
    /// Epsilon of the normalisations.
    pub rms_norm_eps: f64,
    /// Base of the rotary angles (transformers before 5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rope_theta: Option<f64>,
    /// Rotary settings (transformers from 5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rope_parameters: Option<RopeParameters>,
    /// Rotary scaling (transformers before 5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rope_scaling: Option<serde_json::Value>,
    /// Whether the output head is the embedding.
    #[serde(default)]
    pub tie_word_embeddings: bool,
    /// Activation of the feed-forward block.
    #[serde(default = "silu")]
    pub hidden_act: String,
    /// Whether the attention projections have biases.
    #[serde(default)]
    pub attention_bias: bool,
    /// Whether the feed-forward projections have biases.
    #[serde(default)]
    pub mlp_bias: bool,
    /// The token or tokens that end a completion.
    #[serde(default)]
    pub eos_token_id: Option<TokenIds>,
    /// The padding token; unused here, written for transformers' sake.
    #[serde(default)]
    pub pad_token_id: Option<u32>,
    /// Beginning-of-sequence token; unused here, written for transformers' sake.
    #[serde(default)]
    pub bos_token_id: Option<u32>,
    /// Standard deviation of the initial weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initializer_range: Option<f64>,
    /// Element type of the weights file; written for transformers' sake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtype: Option<String>,
}

/// `rope_parameters` of transformers 5.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RopeParameters {
    /// Base of the angles.
    pub rope_theta: f64,
    /// `default` is the one supported type.
    #[serde(default = "default_rope")]
    pub rope_type: String,
}

/// One token id or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TokenIds {
    /// A single id.
    One(u32),
    /// Several.
    Many(Vec<u32>),
}

fn silu() -> String {
    "silu".into()
}

fn default_rope() -> String {
    "default".into()
}

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
    /// Projection that reads the residual stream.
    Input,
    /// Projection that writes to the residual stream.
    Output,
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
    /// Reads and checks `config.json`. The error names the field.
    pub fn parse(json: &str) -> Result<Self, String> {
        let architecture: Self = serde_json::from_str(json).map_err(|error| error.to_string())?;
        architecture.check().map(|()| architecture)
    }

    fn check(&self) -> Result<(), String> {
        let require = |holds: bool, message: String| if holds { Ok(()) } else { Err(message) };
        let unsupported = |field: &str, value: &str, supported: &str| {
            format!("`{field}` is `{value}`, which is not supported (supported: {supported})")
        };
        require(
            self.model_type == "llama",
            unsupported("model_type", &self.model_type, "llama"),
        )?;
        require(
            self.hidden_act == "silu",
            unsupported("hidden_act", &self.hidden_act, "silu"),
        )?;
        for (field, set) in [
            ("attention_bias", self.attention_bias),
            ("mlp_bias", self.mlp_bias),
        ] {
            require(!set, unsupported(field, "true", "false"))?;
        }
        let scaled = self
            .rope_scaling
            .as_ref()
            .is_some_and(|scaling| !scaling.is_null());
        require(!scaled, unsupported("rope_scaling", "set", "null"))?;
        if let Some(rope) = &self.rope_parameters {
            require(
                rope.rope_type == "default",
                unsupported("rope_parameters.rope_type", &rope.rope_type, "default"),
            )?;
        }
        for (field, size) in [
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("vocab_size", self.vocab_size),
            ("max_position_embeddings", self.max_position_embeddings),
        ] {
            require(size > 0, format!("`{field}` must be at least 1"))?;
        }
        let heads = self.heads();
        require(
            heads.key_value > 0 && heads.query.is_multiple_of(heads.key_value),
            format!(
                "`num_key_value_heads` ({}) must divide `num_attention_heads` ({})",
                heads.key_value, heads.query
            ),
        )?;
        require(
            HEAD_DIMS.contains(&heads.dim),
            unsupported("head_dim", &heads.dim.to_string(), "16, 32, 64, 128"),
        )
    }

    /// The shape of the heads.
    pub fn heads(&self) -> Heads {
        let query = self.num_attention_heads;
        Heads {
            query,
            key_value: self.num_key_value_heads.unwrap_or(query),
            dim: self.head_dim.unwrap_or(self.hidden_size / query),
        }
    }

    /// Base of the rotary angles; 10000 where the file says nothing, as in transformers.
    pub fn rope_theta(&self) -> f64 {
        self.rope_parameters
            .as_ref()
            .map(|rope| rope.rope_theta)
            .or(self.rope_theta)
            .unwrap_or(10_000.0)
    }

    /// Tokens that end a completion.
    pub fn eos(&self) -> Vec<u32> {
        match &self.eos_token_id {
            Some(TokenIds::One(id)) => vec![*id],
            Some(TokenIds::Many(ids)) => ids.clone(),
            None => Vec::new(),
        }
    }

    /// Every parameter in the decoder's order: embedding; each layer's input norm, fused query-key-value, output, post-attention norm,
    /// fused gate-up, down; final norm; output head unless tied.
    pub fn parameters(&self) -> Vec<Parameter> {
        let (hidden, inner, heads) = (self.hidden_size, self.intermediate_size, self.heads());
        let norm = |name: String| Parameter {
            role: Role::Norm,
            parts: vec![(name, hidden)],
            columns: None,
        };
        let matrix = |role, parts: Vec<(String, usize)>, columns| Parameter {
            role,
            parts,
            columns: Some(columns),
        };
        let mut all = vec![matrix(
            Role::Embedding,
            vec![("model.embed_tokens.weight".into(), self.vocab_size)],
            hidden,
        )];
        for layer in 0..self.num_hidden_layers {
            let name = |part: &str| format!("model.layers.{layer}.{part}.weight");
            all.extend([
                norm(name("input_layernorm")),
                matrix(
                    Role::Input,
                    vec![
                        (name("self_attn.q_proj"), heads.out_width()),
                        (name("self_attn.k_proj"), heads.kv_width()),
                        (name("self_attn.v_proj"), heads.kv_width()),
                    ],
                    hidden,
                ),
                matrix(
                    Role::Output,
                    vec![(name("self_attn.o_proj"), hidden)],
                    heads.out_width(),
                ),
                norm(name("post_attention_layernorm")),
                matrix(
                    Role::Input,
                    vec![(name("mlp.gate_proj"), inner), (name("mlp.up_proj"), inner)],
                    hidden,
                ),
                matrix(Role::Output, vec![(name("mlp.down_proj"), hidden)], inner),
            ]);
        }
        all.push(norm("model.norm.weight".into()));
        if !self.tie_word_embeddings {
            all.push(matrix(
                Role::Embedding,
                vec![("lm_head.weight".into(), self.vocab_size)],
                hidden,
            ));
        }
        all
    }
}

//! `config.json` of a Hugging Face decoder: what it says of the architecture. Which parameters follow from it is `layout`'s; the rotary
//! angles are `rope_config`'s.

use serde::{Deserialize, Serialize};

use crate::candle::{
    json,
    kernels::attention::{HEAD_DIMS, Heads},
    model::{
        complaints::{require, unsupported},
        rope::Rope,
        rope_config::{RopeParameters, Rotation},
    },
};

/// Bound of widths and of the vocabulary; no product of sizes within it can overflow.
const WIDEST: usize = 1 << 24;
/// Bound of the number of layers.
const DEEPEST: usize = 10_000;
/// Positions there are angles for at most, whatever a model was made for: their table takes memory from the start.
const LONGEST_CONTEXT: usize = 1 << 17;

/// The fields of `config.json` that the decoder needs, under their Hugging Face names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Architecture {
    /// Which decoder this is.
    pub model_type: String,
    /// Name of the transformers class; written for transformers' sake.
    #[serde(skip_deserializing)]
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
    /// Elements a head; `hidden_size / num_attention_heads` where absent (128 in Qwen3).
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
    pub rope_scaling: Option<RopeParameters>,
    /// Whether the output head is the embedding.
    #[serde(default)]
    pub tie_word_embeddings: bool,
    /// Activation of the feed-forward block.
    #[serde(default = "silu")]
    pub hidden_act: String,
    /// Whether all four attention projections have biases (Qwen2's three have them without saying so).
    #[serde(default)]
    pub attention_bias: bool,
    /// Whether the feed-forward projections have biases.
    #[serde(default)]
    pub mlp_bias: bool,
    /// Whether some layers see a window only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_sliding_window: Option<bool>,
    /// What each layer sees (transformers from 5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer_types: Option<Vec<String>>,
    /// Share of a head that is rotated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial_rotary_factor: Option<f64>,
    /// Set in checkpoints of quantised weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantization_config: Option<serde_json::Value>,
    /// The token or tokens that end a completion.
    #[serde(default)]
    pub eos_token_id: Option<TokenIds>,
    /// The padding token; unused here, written for transformers' sake.
    #[serde(skip_deserializing)]
    pub pad_token_id: Option<u32>,
    /// Beginning-of-sequence token; unused here, written for transformers' sake.
    #[serde(skip_deserializing)]
    pub bos_token_id: Option<u32>,
    /// Standard deviation of the initial weights.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub initializer_range: Option<f64>,
    /// Element type of the weights file; written for transformers' sake.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub dtype: Option<String>,
}

/// One token id or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a token id or a list of token ids")]
pub enum TokenIds {
    /// A single id.
    One(u32),
    /// Several.
    Many(Vec<u32>),
}

impl TokenIds {
    /// The ids as a list.
    pub fn to_vec(&self) -> Vec<u32> {
        match self {
            Self::One(id) => vec![*id],
            Self::Many(ids) => ids.clone(),
        }
    }
}

fn silu() -> String {
    "silu".into()
}

/// The decoders there is code for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Llama 2 and 3, and whatever has its shape.
    Llama,
    /// Qwen2 and 2.5: query, key and value projections have biases.
    Qwen2,
    /// Qwen3, dense: every query and key head is normalised before it is rotated.
    Qwen3,
}

const FAMILIES: [(&str, Family); 3] = [
    ("llama", Family::Llama),
    ("qwen2", Family::Qwen2),
    ("qwen3", Family::Qwen3),
];

impl Architecture {
    /// Reads and checks `config.json`. The error names the field.
    pub fn parse(json: &str) -> Result<Self, String> {
        let fields: serde_json::Value = json::parse(json.as_bytes())?;
        // Before all other fields: a decoder of another family may lack some, and that is not what is wrong with it.
        if let Some(model_type) = fields["model_type"].as_str() {
            family_of(model_type)?;
        }
        let architecture: Self = json::parse(json.as_bytes())?;
        architecture.check().map(|()| architecture)
    }

    fn check(&self) -> Result<(), String> {
        require(self.hidden_act == "silu", || {
            unsupported("hidden_act", &self.hidden_act, "silu")
        })?;
        for (field, set) in [
            ("attention_bias", self.attention_bias),
            ("mlp_bias", self.mlp_bias),
            (
                "use_sliding_window",
                self.use_sliding_window.unwrap_or(false),
            ),
        ] {
            require(!set, || unsupported(field, "true", "false"))?;
        }
        require(self.quantization_config.is_none(), || {
            unsupported("quantization_config", "set", "float weights")
        })?;
        let rotated = self.partial_rotary_factor.unwrap_or(1.0);
        require(rotated == 1.0, || {
            unsupported("partial_rotary_factor", &rotated.to_string(), "1")
        })?;
        for (field, size, most) in [
            ("hidden_size", self.hidden_size, WIDEST),
            ("intermediate_size", self.intermediate_size, WIDEST),
            ("num_hidden_layers", self.num_hidden_layers, DEEPEST),
            ("num_attention_heads", self.num_attention_heads, WIDEST),
            ("vocab_size", self.vocab_size, WIDEST),
            (
                "max_position_embeddings",
                self.max_position_embeddings,
                usize::MAX,
            ),
        ] {
            require(size > 0, || format!("`{field}` must be at least 1"))?;
            require(size <= most, || {
                format!("`{field}` is {size}, which is no model's (at most {most})")
            })?;
        }
        let epsilon = self.rms_norm_eps;
        require(epsilon.is_finite() && epsilon > 0.0, || {
            format!("`rms_norm_eps` must be a number above 0, not {epsilon}")
        })?;
        let kinds = self.layer_types.iter().flatten();
        for kind in kinds {
            require(kind == "full_attention", || {
                unsupported("layer_types", kind, "full_attention")
            })?;
        }
        let heads = self.heads();
        require(
            heads.key_value > 0 && heads.query.is_multiple_of(heads.key_value),
            || {
                format!(
                    "`num_key_value_heads` ({}) must divide `num_attention_heads` ({})",
                    heads.key_value, heads.query
                )
            },
        )?;
        require(HEAD_DIMS.contains(&heads.dim), || {
            unsupported("head_dim", &heads.dim.to_string(), "16, 32, 64, 128")
        })?;
        self.check_ends(&self.eos())?;
        self.rotation().map(drop)
    }

    /// Which decoder this is.
    pub fn family(&self) -> Family {
        family_of(&self.model_type).unwrap_or(Family::Llama)
    }

    /// The shape of the heads.
    pub fn heads(&self) -> Heads {
        let query = self.num_attention_heads;
        let usual = match self.family() {
            Family::Qwen3 => 128,
            Family::Llama | Family::Qwen2 => self.hidden_size / query,
        };
        Heads {
            query,
            key_value: self.num_key_value_heads.unwrap_or(query),
            dim: self.head_dim.unwrap_or(usual),
        }
    }

    /// The rotary angles, of [`LONGEST_CONTEXT`] positions at most.
    pub fn rope(&self) -> Rope {
        let rotation = self
            .rotation()
            .expect("the rotation was checked when the file was read");
        let positions = self.max_position_embeddings.min(LONGEST_CONTEXT);
        let scaling = rotation.scaling.as_ref();
        Rope::new(self.heads().dim, rotation.theta, scaling, positions)
    }

    fn rotation(&self) -> Result<Rotation, String> {
        let (parameters, scaling) = (&self.rope_parameters, &self.rope_scaling);
        Rotation::of(parameters.as_ref(), scaling.as_ref(), self.rope_theta)
    }

    /// Refuses end tokens that no row of the embedding stands for.
    pub fn check_ends(&self, ids: &[u32]) -> Result<(), String> {
        match ids.iter().find(|&&id| id as usize >= self.vocab_size) {
            Some(id) => Err(format!(
                "`eos_token_id` has {id}, but `vocab_size` in config.json is {}",
                self.vocab_size
            )),
            None => Ok(()),
        }
    }

    /// Tokens that end a completion.
    pub fn eos(&self) -> Vec<u32> {
        self.eos_token_id
            .as_ref()
            .map_or_else(Vec::new, TokenIds::to_vec)
    }
}

fn family_of(model_type: &str) -> Result<Family, String> {
    FAMILIES
        .iter()
        .find(|(name, _)| *name == model_type)
        .map(|&(_, family)| family)
        .ok_or_else(|| unsupported("model_type", model_type, "llama, qwen2, qwen3"))
}

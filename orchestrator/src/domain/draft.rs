//! What a proposer suggests, and what asking for it took.

use sandbox::Source;
use serde::{Deserialize, Serialize};

/// A raw suggestion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The author's name for it; the search makes it unique.
    pub name: String,
    /// What its author wrote.
    pub source: Source,
    /// Why it should work.
    pub rationale: String,
    /// Names of the candidates it was made from.
    pub parents: Vec<String>,
}

/// One request to a language model and what came back. Never holds a key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// The model asked.
    pub model: String,
    /// The whole prompt.
    pub prompt: String,
    /// The whole reply; empty if there was none.
    pub reply: String,
    /// HTTP status or what broke, if the request failed.
    pub error: Option<String>,
    /// Prompt tokens as reported.
    pub prompt_tokens: Option<u64>,
    /// Completion tokens as reported.
    pub completion_tokens: Option<u64>,
    /// Cost in dollars, if prices are configured.
    pub cost_usd: Option<f64>,
}

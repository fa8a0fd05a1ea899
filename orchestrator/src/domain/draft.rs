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

/// The step of an exchange that only saw whether there is an answer.
pub const CHECK: &str = "check";

/// One request to a language model and what came back. Never holds a key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// Which request of its round it belongs to: the reply to a step is asked for once.
    pub step: String,
    /// The model asked.
    pub model: String,
    /// The whole prompt.
    pub prompt: String,
    /// The whole reply; empty if there was none.
    pub reply: String,
    /// What the server says the model thought before its reply; never read as a draft.
    pub reasoning: Option<String>,
    /// A refusal, or calls of tools, in place of a text.
    pub instead: Option<String>,
    /// Why the reply ended, in the server's words.
    pub stopped_because: Option<String>,
    /// The model that answered, by the server's name for it.
    pub answered_by: Option<String>,
    /// HTTP status or what broke, if the request failed.
    pub error: Option<String>,
    /// Prompt tokens, as reported or guessed; `None` where nothing can be billed.
    pub prompt_tokens: Option<u64>,
    /// Completion tokens, likewise.
    pub completion_tokens: Option<u64>,
    /// Some of the tokens are guessed from the length of the texts.
    pub is_estimate: bool,
    /// Cost in dollars, if prices are configured.
    pub cost_usd: Option<f64>,
}

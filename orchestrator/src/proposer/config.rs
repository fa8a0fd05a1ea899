//! The `[proposer]` section of a search's configuration, and the proposer it asks for.

use std::{path::PathBuf, sync::Arc};

use sandbox::Language;
use serde::{Deserialize, Serialize};

pub use crate::endpoint::ChatApi;
use crate::endpoint::{EndpointConfig, Origin, Prices};

use super::{ProposeError, Proposer, chat::Chat, grammar::Grammar, replay::Replay};

/// Which proposer a search uses: `kind = "grammar"`, `"chat"` or `"replay"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ProposerConfig {
    /// The built-in grammar: works offline.
    Grammar(GrammarConfig),
    /// A language model behind an HTTP endpoint.
    Chat(ChatConfig),
    /// Drafts written down before.
    Replay(ReplayConfig),
}

impl Default for ProposerConfig {
    fn default() -> Self {
        Self::Grammar(GrammarConfig::default())
    }
}

/// Settings of the built-in grammar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrammarConfig {
    /// Share of each later round that is drawn afresh instead of from the best so far; `0.0..=1.0`.
    pub explore: f64,
    /// Terms a reward may have at most.
    pub max_terms: usize,
}

impl Default for GrammarConfig {
    fn default() -> Self {
        Self {
            explore: 0.2,
            max_terms: 5,
        }
    }
}

/// Settings of a language model behind an HTTP endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChatConfig {
    /// The endpoint up to and with its version, e.g. `https://api.openai.com/v1`. Holds no credentials.
    pub base_url: String,
    /// The model's name as the endpoint knows it.
    pub model: String,
    /// The dialect it speaks.
    pub api: ChatApi,
    /// NAME of the environment variable that holds the key; leave it out for a local server without one.
    pub api_key_env: Option<String>,
    /// Sampling temperature. A model that takes none is asked again without it.
    pub temperature: f64,
    /// Tokens a reply may have at most, reasoning included.
    pub max_tokens: u32,
    /// The language rewards are to be written in.
    pub language: Language,
    /// Seconds until a request is given up (and tried again).
    pub timeout_s: u64,
    /// Further tries after a failed request.
    pub max_retries: u32,
    /// Milliseconds before the first further try; doubles with each. A `Retry-After` of the server takes precedence.
    pub backoff_ms: u64,
    /// Dollars a million prompt tokens, to account for cost.
    pub price_per_million_prompt_tokens: Option<f64>,
    /// Dollars a million completion tokens, to account for cost.
    pub price_per_million_completion_tokens: Option<f64>,
    /// Folder with a `system.md`, a `user.md` or both, in place of the built-in prompt templates.
    pub prompt_dir: Option<PathBuf>,
}

impl Default for ChatConfig {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            model: String::new(),
            api: ChatApi::default(),
            api_key_env: None,
            temperature: 0.6,
            max_tokens: 8192,
            language: Language::Rust,
            timeout_s: 300,
            max_retries: 5,
            backoff_ms: 1000,
            price_per_million_prompt_tokens: None,
            price_per_million_completion_tokens: None,
            prompt_dir: None,
        }
    }
}

impl ChatConfig {
    /// How its endpoint is asked.
    #[must_use]
    pub fn endpoint(&self) -> EndpointConfig {
        EndpointConfig {
            origin: Origin::Section("proposer"),
            base_url: self.base_url.clone(),
            model: self.model.clone(),
            api: self.api,
            api_key_env: self.api_key_env.clone(),
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            timeout_s: self.timeout_s,
            max_retries: self.max_retries,
            backoff_ms: self.backoff_ms,
            prices: Prices {
                prompt: self.price_per_million_prompt_tokens,
                completion: self.price_per_million_completion_tokens,
            },
        }
    }
}

/// Where written-down drafts are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayConfig {
    /// A JSONL file of drafts, or the database of an earlier search.
    pub path: PathBuf,
}

/// The proposer that `config` asks for. Reads what it needs once: the key's variable, templates, recordings.
///
/// A database to replay is not read here but by the caller, which owns the store: see [`Replay::by_round`].
///
/// # Errors
/// [`ProposeError::Setup`], saying which setting cannot work and why.
pub fn build(config: &ProposerConfig) -> Result<Arc<dyn Proposer>, ProposeError> {
    Ok(match config {
        ProposerConfig::Grammar(config) => Arc::new(Grammar::new(config.clone())?),
        ProposerConfig::Chat(config) => Arc::new(Chat::from_environment(config.clone())?),
        ProposerConfig::Replay(config) => Arc::new(Replay::from_jsonl(&config.path)?),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn kinds_and_defaults() {
        let grammar: ProposerConfig = toml::from_str("kind = 'grammar'").unwrap();
        assert_eq!(grammar, ProposerConfig::default());
        let chat = "kind = 'chat'\nbase_url = 'http://localhost:1/v1'\nmodel = 'm'\napi = 'anthropic'\n\
                    api_key_env = 'KEY'\nlanguage = 'rust'";
        let ProposerConfig::Chat(chat) = toml::from_str(chat).unwrap() else {
            unreachable!("the kind says so")
        };
        assert_eq!((chat.api, chat.timeout_s), (ChatApi::Anthropic, 300));
        let replay: ProposerConfig = toml::from_str("kind = 'replay'\npath = 'a.jsonl'").unwrap();
        assert_eq!(
            replay,
            ProposerConfig::Replay(ReplayConfig {
                path: "a.jsonl".into()
            })
        );
    }

    #[test]
    fn unknown_keys_and_kinds_are_named() {
        for (text, named) in [
            ("kind = 'grammar'\nexplor = 1", "explor"),
            ("kind = 'chat'\napi_key = 'sk'", "api_key"),
            ("kind = 'replay'\npath = 'x'\nround = 1", "round"),
            ("kind = 'oracle'", "oracle"),
            ("kind = 'replay'", "path"),
        ] {
            let error = toml::from_str::<ProposerConfig>(text)
                .unwrap_err()
                .to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}

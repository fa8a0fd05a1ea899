//! The `[proposer]` section of a search's configuration, and the proposer it asks for.

use std::sync::Arc;

use sandbox::Language;
use serde::{Deserialize, Serialize};

use super::{
    ProposeError, Proposer,
    chat::{Chat, ChatConfig},
    grammar::{Grammar, GrammarConfig},
    replay::{Replay, ReplayConfig},
};

/// Which proposer a search uses: `kind = "grammar"`, `"chat"` or `"replay"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ProposerConfig {
    /// The built-in grammar: works offline.
    Grammar(GrammarConfig),
    /// A language model behind an HTTP endpoint.
    Chat(Box<ChatConfig>),
    /// Drafts written down before.
    Replay(ReplayConfig),
}

impl ProposerConfig {
    /// Whether what it proposes needs rustc; what is replayed is not known before.
    #[must_use]
    pub fn writes_rust(&self) -> bool {
        match self {
            Self::Grammar(_) => true,
            Self::Chat(config) => config.language == Language::Rust,
            Self::Replay(_) => false,
        }
    }
}

impl Default for ProposerConfig {
    fn default() -> Self {
        Self::Grammar(GrammarConfig::default())
    }
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
        ProposerConfig::Chat(config) => Arc::new(Chat::from_environment((**config).clone())?),
        ProposerConfig::Replay(config) => Arc::new(Replay::from_jsonl(&config.path)?),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::judge::endpoint::ChatApi;

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

//! Settings of a language model that proposes.

use std::path::PathBuf;

use sandbox::Language;
use serde::{Deserialize, Serialize};

use crate::judge::endpoint::{ChatApi, EndpointConfig, Origin, Prices};

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

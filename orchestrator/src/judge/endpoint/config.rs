//! How an endpoint is reached and what every request to it says, whoever asks.
//!
//! [`EndpointConfig`] is no section of a file. A section that names an endpoint is made by `endpoint_section!`, which gives it the settings
//! all such sections share, its own settings and its own defaults.

use serde::{Deserialize, Serialize};

/// The dialect an endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatApi {
    /// `POST {base_url}/chat/completions`: OpenAI and the many servers compatible with it (vLLM, Ollama, OpenRouter, …).
    #[default]
    Openai,
    /// `POST {base_url}/messages`: Anthropic.
    Anthropic,
    /// Azure's OpenAI service: the OpenAI dialect, the key in a header `api-key`, and an `?api-version=` in `base_url` where the deployment
    /// asks for one.
    Azure,
}

/// Where the settings were made, so that messages name them as the user knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A section of a configuration file.
    Section(&'static str),
    /// The command line.
    Flags,
}

impl Origin {
    /// A setting as it is written there: `proposer.api_key_env`, `--api-key-env`.
    #[must_use]
    pub fn setting(self, name: &str) -> String {
        match (self, name) {
            (Self::Section(section), _) => format!("{section}.{name}"),
            (Self::Flags, "base_url") => "--endpoint".to_owned(),
            (Self::Flags, _) => format!("--{}", name.replace('_', "-")),
        }
    }

    /// All of them.
    pub(super) fn all(self) -> String {
        match self {
            Self::Section(section) => format!("the [{section}] section of the configuration"),
            Self::Flags => "the command line".to_owned(),
        }
    }
}

/// Dollars a million tokens, where they are known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Prices {
    /// Of the prompt.
    pub prompt: Option<f64>,
    /// Of the completion.
    pub completion: Option<f64>,
}

/// Defines the type of a section of the configuration that names an endpoint. The settings that all such sections have stand here once; a
/// section adds its own and says what is usual for it. (A macro, because serde does not flatten one struct into another and still name the
/// key that is unknown or has the wrong type.)
macro_rules! endpoint_section {
    (
        $(#[$about:meta])*
        pub struct $section:ident {
            $($(#[$about_own:meta])* pub $own:ident: $own_type:ty = $usual_own:expr,)*
        }
        usually {
            temperature: $temperature:expr,
            max_tokens: $tokens:ty = $max_tokens:expr,
            timeout_s: $timeout_s:expr,
            max_retries: $max_retries:expr,
            backoff_ms: $backoff_ms:expr,
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $section {
            /// The endpoint up to and with its version, e.g. `https://api.openai.com/v1`. Holds no credentials.
            pub base_url: String,
            /// The model's name as the endpoint knows it.
            pub model: String,
            /// The dialect the endpoint speaks.
            pub api: $crate::judge::endpoint::ChatApi,
            /// NAME of the environment variable that holds the key; leave it out for a local server without one.
            pub api_key_env: Option<String>,
            /// Sampling temperature. A model that takes none is asked again without it.
            pub temperature: f64,
            /// Tokens a reply may have at most, reasoning included; absent means what is usual for the section.
            pub max_tokens: $tokens,
            /// Seconds without a word from the server until a request is given up (and tried again once). A reply that does not come as a
            /// stream is one word.
            pub timeout_s: u64,
            /// Further tries after a failed request.
            pub max_retries: u32,
            /// Milliseconds before the first further try; doubles with each. A `Retry-After` of the server takes precedence.
            pub backoff_ms: u64,
            /// Dollars a million prompt tokens, to account for cost.
            pub price_per_million_prompt_tokens: Option<f64>,
            /// Dollars a million completion tokens, to account for cost.
            pub price_per_million_completion_tokens: Option<f64>,
            $($(#[$about_own])* pub $own: $own_type,)*
        }

        impl Default for $section {
            fn default() -> Self {
                Self {
                    base_url: String::new(),
                    model: String::new(),
                    api: $crate::judge::endpoint::ChatApi::default(),
                    api_key_env: None,
                    temperature: $temperature,
                    max_tokens: $max_tokens,
                    timeout_s: $timeout_s,
                    max_retries: $max_retries,
                    backoff_ms: $backoff_ms,
                    price_per_million_prompt_tokens: None,
                    price_per_million_completion_tokens: None,
                    $($own: $usual_own,)*
                }
            }
        }

        impl $section {
            /// The endpoint as it is asked, for a section of this name.
            fn endpoint_of(&self, section: &'static str, max_tokens: u32) -> $crate::judge::endpoint::EndpointConfig {
                $crate::judge::endpoint::EndpointConfig {
                    origin: $crate::judge::endpoint::Origin::Section(section),
                    base_url: self.base_url.clone(),
                    model: self.model.clone(),
                    api: self.api,
                    api_key_env: self.api_key_env.clone(),
                    temperature: self.temperature,
                    max_tokens,
                    timeout_s: self.timeout_s,
                    max_retries: self.max_retries,
                    backoff_ms: self.backoff_ms,
                    stream: false,
                    prices: $crate::judge::endpoint::Prices {
                        prompt: self.price_per_million_prompt_tokens,
                        completion: self.price_per_million_completion_tokens,
                    },
                }
            }
        }
    };
}
pub(crate) use endpoint_section;

/// An endpoint and how it is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointConfig {
    /// Where these settings were made.
    pub origin: Origin,
    /// The endpoint up to and with its version, e.g. `https://api.openai.com/v1`. Holds no credentials.
    pub base_url: String,
    /// The model's name as the endpoint knows it.
    pub model: String,
    /// The dialect it speaks.
    pub api: ChatApi,
    /// NAME of the environment variable that holds the key.
    pub api_key_env: Option<String>,
    /// Sampling temperature. A model that takes none is asked again without it.
    pub temperature: f64,
    /// Tokens a reply may have at most, reasoning included.
    pub max_tokens: u32,
    /// Seconds without a word from the server until a request is given up (and tried again once).
    pub timeout_s: u64,
    /// Further tries after a failed request.
    pub max_retries: u32,
    /// Milliseconds before the first further try; doubles with each. A `Retry-After` of the server takes precedence.
    pub backoff_ms: u64,
    /// Ask for the reply as a stream. One that comes as a stream is read either way.
    pub stream: bool,
    /// What a reply costs.
    pub prices: Prices,
}

impl EndpointConfig {
    /// What is wrong with the first setting that cannot work.
    ///
    /// # Errors
    /// One line that names the setting.
    pub fn check(&self) -> Result<(), String> {
        super::api::address(self)?;
        let setting = |name| self.origin.setting(name);
        let sound =
            |price: Option<f64>| price.is_none_or(|price| price.is_finite() && price >= 0.0);
        if self.model.trim().is_empty() {
            Err(format!(
                "{} is missing: give the model's name as the endpoint knows it",
                setting("model")
            ))
        } else if self.max_tokens == 0 {
            Err(format!(
                "{} is 0; a reply needs at least one",
                setting("max_tokens")
            ))
        } else if self.timeout_s == 0 {
            Err(format!(
                "{} is 0; a model needs a minute or more",
                setting("timeout_s")
            ))
        } else if !(0.0..=2.0).contains(&self.temperature) {
            Err(format!(
                "{} is {}; it must lie between 0 and 2",
                setting("temperature"),
                self.temperature
            ))
        } else if !sound(self.prices.prompt) || !sound(self.prices.completion) {
            Err(format!(
                "the prices in {} must be numbers of dollars, 0 or more",
                self.origin.all()
            ))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::judge::endpoint::tests::config;

    #[test]
    fn impossible_settings_are_named_as_the_user_knows_them() {
        assert_eq!(config("http://h/v1").check(), Ok(()));
        type Spoil = fn(&mut EndpointConfig);
        let spoilt: [(Spoil, &str); 5] = [
            (|c| c.model = " ".into(), "proposer.model"),
            (|c| c.max_tokens = 0, "proposer.max_tokens"),
            (|c| c.timeout_s = 0, "proposer.timeout_s"),
            (|c| c.temperature = f64::NAN, "proposer.temperature"),
            (|c| c.prices.prompt = Some(-1.0), "prices in the [proposer]"),
        ];
        for (spoil, named) in spoilt {
            let mut bad = config("http://h/v1");
            spoil(&mut bad);
            let why = bad.check().unwrap_err();
            assert!(why.contains(named), "{why}");
        }
        let flags = EndpointConfig {
            origin: Origin::Flags,
            ..config("")
        };
        assert!(flags.check().unwrap_err().contains("--endpoint"));
        assert_eq!(Origin::Flags.setting("api_key_env"), "--api-key-env");
    }
}

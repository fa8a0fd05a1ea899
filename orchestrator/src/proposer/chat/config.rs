//! `kind = "chat"`: where the model is and how it is asked.

use std::path::PathBuf;

use sandbox::{FileGuard, Language};
use serde::{Deserialize, Serialize};

use crate::judge::endpoint::{ChatApi, EndpointConfig, Prices, endpoint_section};

endpoint_section! {
    /// Settings of a language model behind an HTTP endpoint.
    pub struct ChatConfig {
        /// The language rewards are to be written in. Absent: Rust; Python where the system has nothing (landlock) to keep rustc from
        /// the user's files.
        pub language: Language = usual_language(FileGuard::here()),
        /// Lets a model's Rust be compiled where the system has nothing to keep rustc from the user's files, and the source check
        /// stands alone.
        pub accept_unguarded_rustc: bool = false,
        /// Folder with templates of one's own for prompts (`system.md`, `user.md`, `follow_up.md`, `unreadable.md`), in place of the
        /// built-in ones. They are written in minijinja's language; the built-in ones show the variables there are.
        #[serde(alias = "prompt_dir")]
        pub templates: Option<PathBuf> = None,
        /// Ask for replies as a stream, so that a slow model meets no time-out while it writes. A server that cannot is asked without.
        pub stream: bool = true,
        /// About how many tokens a prompt may have. What is left out first where it would have more stands in docs/proposing.md.
        #[serde(skip_serializing_if = "is_usual_budget")]
        pub prompt_tokens: usize = PROMPT_TOKENS,
        /// Models to be asked in place of `model`, by weight, in one round.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub models: Vec<ModelConfig> = Vec::new(),
        /// Asks for new rewards, for variants of good ones and for joins of several in requests of their own, by these weights. Absent: one
        /// request a round (and model) asks for all of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub moves: Option<Moves> = None,
        /// Ask once more a round where drafts were refused, are twins of others or did not come, with what was said of them.
        #[serde(skip_serializing_if = "is_true")]
        pub follow_up: bool = true,
    }
    usually {
        temperature: 0.6,
        max_tokens: u32 = 8192,
        timeout_s: 300,
        max_retries: 5,
        backoff_ms: 1000,
    }
}

/// About how many tokens a prompt may have, where nothing is said.
const PROMPT_TOKENS: usize = 24_000;

fn is_usual_budget(tokens: &usize) -> bool {
    *tokens == PROMPT_TOKENS
}

fn is_true(value: &bool) -> bool {
    *value
}

/// One of several models. What is not said is as in `[proposer]` itself; only the key is not handed on to another address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The model's name as its endpoint knows it.
    pub model: String,
    /// How many drafts it is asked for beside the others: twice the weight, twice as many.
    #[serde(default = "one")]
    pub weight: f64,
    /// Its endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The dialect of its endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<ChatApi>,
    /// NAME of the environment variable that holds the key of its endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// Sampling temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Tokens a reply may have at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// Dollars a million prompt tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_per_million_prompt_tokens: Option<f64>,
    /// Dollars a million completion tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_per_million_completion_tokens: Option<f64>,
}

const fn one() -> f64 {
    1.0
}

/// Weights of the kinds of request, from the second round on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Moves {
    /// Ideas that have not been tried.
    pub fresh: f64,
    /// Variants of one good candidate each.
    pub mutate: f64,
    /// Joins of several good candidates.
    pub combine: f64,
}

impl Default for Moves {
    fn default() -> Self {
        Self {
            fresh: 1.0,
            mutate: 2.0,
            combine: 1.0,
        }
    }
}

/// Python never meets rustc.
const fn usual_language(guard: FileGuard) -> Language {
    if guard.holds() {
        Language::Rust
    } else {
        Language::Python
    }
}

impl ChatConfig {
    /// Why a model's rewards may not be compiled on a system with such a guard of files, if that is so.
    pub(super) fn refusal(&self, guard: FileGuard) -> Option<String> {
        let is_asked = self.language == Language::Rust && !self.accept_unguarded_rustc;
        (is_asked && !guard.holds()).then(|| {
            "proposer: this system has no landlock to keep rustc from your files while it compiles what a language model wrote. Have rewards written in Python, which rustc never sees (`language = \"python\"`), or accept that the source check alone stands between them and your files (`accept_unguarded_rustc = true`)".to_owned()
        })
    }

    /// How each model is asked, with its weight.
    ///
    /// # Errors
    /// If a weight cannot work.
    pub(super) fn endpoints(&self) -> Result<Vec<(EndpointConfig, f64)>, String> {
        let usual = self.usual();
        if self.models.is_empty() {
            return Ok(vec![(usual, 1.0)]);
        }
        let one = |own: &ModelConfig| {
            if !(own.weight > 0.0 && own.weight.is_finite()) {
                return Err(format!(
                    "proposer.models: the weight of {} is {}; it must be above 0",
                    own.model, own.weight
                ));
            }
            let prices = Prices {
                prompt: own.price_per_million_prompt_tokens.or(usual.prices.prompt),
                completion: own
                    .price_per_million_completion_tokens
                    .or(usual.prices.completion),
            };
            let key = match own.base_url {
                // A key must not reach another host because nobody said otherwise.
                Some(_) => own.api_key_env.clone(),
                None => own.api_key_env.clone().or(usual.api_key_env.clone()),
            };
            let endpoint = EndpointConfig {
                model: own.model.clone(),
                base_url: own.base_url.clone().unwrap_or(usual.base_url.clone()),
                api: own.api.unwrap_or(usual.api),
                api_key_env: key,
                temperature: own.temperature.unwrap_or(usual.temperature),
                max_tokens: own.max_tokens.unwrap_or(usual.max_tokens),
                prices,
                ..usual.clone()
            };
            Ok((endpoint, own.weight))
        };
        self.models.iter().map(one).collect()
    }

    /// Why the kinds of request cannot be weighed so, if that is so.
    pub(super) fn unweighable(&self) -> Option<String> {
        let Moves {
            fresh,
            mutate,
            combine,
        } = self.moves?;
        let weights = [fresh, mutate, combine];
        let sound = weights.iter().all(|w| *w >= 0.0 && w.is_finite());
        let sum: f64 = weights.iter().sum();
        (!sound || sum <= 0.0).then(|| {
            "proposer.moves: the weights must be 0 or more, and one of them above 0".to_owned()
        })
    }

    /// How the first of its models is asked.
    #[must_use]
    pub fn endpoint(&self) -> EndpointConfig {
        let first = self.endpoints().ok().and_then(|all| all.into_iter().next());
        first.map_or_else(|| self.usual(), |(endpoint, _)| endpoint)
    }

    /// The names of its models.
    #[must_use]
    pub fn asked(&self) -> String {
        match &self.models[..] {
            [] => self.model.clone(),
            models => {
                let names: Vec<&str> = models.iter().map(|own| &*own.model).collect();
                names.join(", ")
            }
        }
    }

    /// Whether what each of its models costs is known.
    #[must_use]
    pub fn has_prices(&self) -> bool {
        let priced = |endpoint: &EndpointConfig| {
            endpoint.prices.prompt.is_some() && endpoint.prices.completion.is_some()
        };
        self.endpoints()
            .is_ok_and(|all| all.iter().all(|(endpoint, _)| priced(endpoint)))
    }

    /// How a model is asked that says nothing of its own.
    fn usual(&self) -> EndpointConfig {
        EndpointConfig {
            stream: self.stream,
            ..self.endpoint_of("proposer", self.max_tokens)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_models_rust_is_compiled_behind_a_guard_or_by_an_explicit_setting() {
        let config = |language, accept_unguarded_rustc| ChatConfig {
            language,
            accept_unguarded_rustc,
            ..ChatConfig::default()
        };
        let rust = config(Language::Rust, false);
        assert_eq!(rust.refusal(FileGuard::Landlock), None);
        assert_eq!(rust.refusal(FileGuard::OlderLandlock), None);
        let why = rust.refusal(FileGuard::Nothing).unwrap_or_default();
        assert!(
            why.contains("accept_unguarded_rustc") && why.contains("python"),
            "{why}"
        );
        assert_eq!(
            config(Language::Rust, true).refusal(FileGuard::Nothing),
            None
        );
        assert_eq!(
            config(Language::Python, false).refusal(FileGuard::Nothing),
            None
        );
        assert_eq!(usual_language(FileGuard::Nothing), Language::Python);
        assert_eq!(usual_language(FileGuard::Landlock), Language::Rust);
    }

    #[test]
    fn models_take_over_what_they_do_not_say_but_for_the_key_of_another_address() {
        let own = |model: &str, base_url: Option<&str>| ModelConfig {
            base_url: base_url.map(str::to_owned),
            ..toml::from_str(&format!("model = '{model}'\nweight = 2")).expect("a model")
        };
        let config = ChatConfig {
            base_url: "http://here/v1".to_owned(),
            api_key_env: Some("KEY".to_owned()),
            price_per_million_prompt_tokens: Some(3.0),
            models: vec![own("near", None), own("far", Some("http://there/v1"))],
            ..ChatConfig::default()
        };
        let endpoints = config.endpoints().expect("sound weights");
        let told = |at: usize| {
            let (endpoint, weight) = &endpoints[at];
            let key = endpoint.api_key_env.as_deref();
            (&*endpoint.model, &*endpoint.base_url, key, *weight)
        };
        assert_eq!(told(0), ("near", "http://here/v1", Some("KEY"), 2.0));
        assert_eq!(told(1), ("far", "http://there/v1", None, 2.0));
        assert_eq!(endpoints[1].0.prices.prompt, Some(3.0));
        let mut bad = config.clone();
        bad.models[0].weight = 0.0;
        assert!(bad.endpoints().is_err_and(|why| why.contains("near is 0")));
        bad.moves = Some(Moves {
            fresh: 0.0,
            mutate: 0.0,
            combine: 0.0,
        });
        assert!(bad.unweighable().is_some() && config.unweighable().is_none());
    }

    #[test]
    fn what_is_usual_is_not_written_so_that_earlier_searches_stay_the_same() {
        let written = serde_json::to_value(ChatConfig::default()).expect("plain data");
        for new in ["prompt_tokens", "models", "moves", "follow_up"] {
            assert!(written.get(new).is_none(), "{new}");
        }
        let old: ChatConfig = toml::from_str("prompt_dir = 'p'").expect("the earlier name");
        assert_eq!(old.templates, Some("p".into()));
    }
}

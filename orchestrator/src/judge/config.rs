//! The `[verifier]` section: who decides whether an answer is right.

use std::{
    fs,
    path::{Path, PathBuf},
};

use evaluator::Conventions;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::prompt::Prompt;
use crate::{
    domain::verdict::ModelKind,
    judge::endpoint::{EndpointConfig, Prices, endpoint_section},
    text::hex,
};

/// Who decides: `kind = "rule"`, `"tinyv"`, `"xverify"` or `"llm"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum VerifierConfig {
    /// The rules alone: exact, free, the same everywhere.
    Rule {
        /// How notations are read on which usage differs.
        #[serde(default, skip_serializing_if = "Conventions::are_usual")]
        conventions: Conventions,
    },
    /// A model of the TinyV kind: told question, reference and final answer, it says `True` or `False`.
    Tinyv(ModelConfig),
    /// A model of the xVerify kind: told question, reference and the whole response, it says `Correct` or `Incorrect`.
    Xverify(ModelConfig),
    /// Any model: it may reason, and ends with `Verdict: correct` or `Verdict: incorrect`.
    Llm(ModelConfig),
}

impl Default for VerifierConfig {
    fn default() -> Self {
        Self::Rule {
            conventions: Conventions::default(),
        }
    }
}

impl ModelKind {
    /// TinyV and general models mend the rule's misses, xVerify was made to judge whole responses.
    const fn usual_mode(self) -> Mode {
        match self {
            Self::Tinyv | Self::Llm => Mode::AddOn,
            Self::Xverify => Mode::Alone,
        }
    }

    /// One word, or some reasoning before it.
    const fn usual_max_tokens(self) -> u32 {
        match self {
            Self::Tinyv | Self::Xverify => 16,
            Self::Llm => 1024,
        }
    }
}

/// When a model is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Only where the rule says no.
    AddOn,
    /// Always, unless a guard holds.
    Alone,
}

/// What becomes of a question that the model could not be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// It gets the rule's verdict, and is counted.
    #[default]
    Rule,
    /// Nothing gets a verdict: the search or command stops, and can be continued.
    Stop,
}

endpoint_section! {
    /// A model behind an OpenAI-compatible endpoint (vLLM, Ollama, llama.cpp's server, hosted ones), and when it is asked.
    pub struct ModelConfig {
        /// When it is asked; absent means `add_on` for `tinyv` and `llm`, `alone` for `xverify`.
        pub mode: Option<Mode> = None,
        /// A prompt in place of the kind's own, with `{question}`, `{reference}`, `{answer}` (the final answer) and `{completion}` (the
        /// whole response). The reply is read as the kind's.
        pub prompt_file: Option<PathBuf> = None,
        /// Do not ask about an answer without a letter or digit, or where no answer was found at all.
        pub guard_empty: bool = true,
        /// Do not ask where both sides are plain numbers: the rule knows better.
        pub guard_numbers: bool = true,
        /// Do not ask where the reference is a plain number and the answer is something else.
        pub guard_number_reference: bool = true,
        /// What becomes of a question that could not be asked.
        pub on_failure: OnFailure = OnFailure::default(),
        /// Requests under way at a time.
        pub concurrency: usize = 8,
        /// How the rules read notations on which usage differs.
        pub conventions: Conventions = Conventions::default(),
        /// Ask for no more verdicts than this in all; absent means no limit.
        pub max_requests: Option<u64> = None,
        /// Ask for nothing more once this many dollars are spent; needs prices. Absent means no limit.
        pub max_cost_usd: Option<f64> = None,
    }
    usually {
        temperature: 0.0,
        max_tokens: Option<u32> = None,
        timeout_s: 60,
        max_retries: 4,
        backoff_ms: 500,
    }
}

impl VerifierConfig {
    /// The model that is asked, if one is.
    #[must_use]
    pub fn model(&self) -> Option<(ModelKind, &ModelConfig)> {
        match self {
            Self::Rule { .. } => None,
            Self::Tinyv(config) => Some((ModelKind::Tinyv, config)),
            Self::Xverify(config) => Some((ModelKind::Xverify, config)),
            Self::Llm(config) => Some((ModelKind::Llm, config)),
        }
    }

    /// How the rules read notations on which usage differs.
    #[must_use]
    pub fn conventions(&self) -> &Conventions {
        match self {
            Self::Rule { conventions } => conventions,
            Self::Tinyv(config) | Self::Xverify(config) | Self::Llm(config) => &config.conventions,
        }
    }

    /// One line for each value that cannot work; empty if all can.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let conventions = self.conventions().check().err();
        let mut all: Vec<String> = conventions
            .map(|problem| format!("verifier.{problem}"))
            .into_iter()
            .collect();
        all.extend(self.problems_of_model());
        all
    }

    fn problems_of_model(&self) -> Vec<String> {
        let Some((kind, config)) = self.model() else {
            return Vec::new();
        };
        let unusable = [
            config.endpoint(kind).check().err(),
            Prompt::load(kind, config.prompt_file.as_deref()).err(),
        ];
        let mut problems: Vec<String> = unusable.into_iter().flatten().collect();
        let mut need = |holds: bool, what: &str| {
            if !holds {
                problems.push(what.to_owned());
            }
        };
        need(
            (1..=256).contains(&config.concurrency),
            "verifier.concurrency must be between 1 and 256",
        );
        need(
            config.max_requests.is_none_or(|most| most > 0),
            "verifier.max_requests must be above 0; kind = \"rule\" asks for nothing",
        );
        need(
            config.max_cost_usd.is_none_or(|most| most > 0.0),
            "verifier.max_cost_usd must be above 0; kind = \"rule\" costs nothing",
        );
        need(
            config.max_cost_usd.is_none() || config.endpoint(kind).prices != Prices::default(),
            "verifier.max_cost_usd needs verifier.price_per_million_prompt_tokens or price_per_million_completion_tokens",
        );
        problems
    }

    /// The part of it that decides verdicts: without what may change between two sittings, which is where the endpoint is and how
    /// patiently it is asked. A prompt of the user's counts by what it says, wherever it lies.
    #[must_use]
    pub fn identity(&self) -> Self {
        let decisive = |config: &ModelConfig| ModelConfig {
            model: config.model.clone(),
            mode: config.mode,
            prompt_file: config.prompt_file.as_deref().map(by_content),
            temperature: config.temperature,
            max_tokens: config.max_tokens,
            guard_empty: config.guard_empty,
            guard_numbers: config.guard_numbers,
            guard_number_reference: config.guard_number_reference,
            on_failure: config.on_failure,
            conventions: config.conventions.clone(),
            ..ModelConfig::default()
        };
        match self {
            Self::Rule { .. } => self.clone(),
            Self::Tinyv(config) => Self::Tinyv(decisive(config)),
            Self::Xverify(config) => Self::Xverify(decisive(config)),
            Self::Llm(config) => Self::Llm(decisive(config)),
        }
    }

    /// The same with a prompt of the user's named by what it says, wherever it lies.
    #[must_use]
    pub fn with_prompt_by_content(&self) -> Self {
        let mut named = self.clone();
        if let Some((_, model)) = named.model_mut() {
            model.prompt_file = model.prompt_file.as_deref().map(by_content);
        }
        named
    }

    /// The settings of the model that is asked, if one is.
    pub fn model_mut(&mut self) -> Option<(ModelKind, &mut ModelConfig)> {
        match self {
            Self::Rule { .. } => None,
            Self::Tinyv(config) => Some((ModelKind::Tinyv, config)),
            Self::Xverify(config) => Some((ModelKind::Xverify, config)),
            Self::Llm(config) => Some((ModelKind::Llm, config)),
        }
    }

    /// Whether it is the rules alone and as usual, as where nothing is said.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        self.model().is_none() && self.conventions().are_usual()
    }

    /// What a user should know before such a verifier is believed.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let Some((_, config)) = self.model() else {
            return Vec::new();
        };
        let off = [
            ("guard_empty", config.guard_empty),
            ("guard_numbers", config.guard_numbers),
            ("guard_number_reference", config.guard_number_reference),
        ];
        off.iter()
            .filter(|(_, on)| !on)
            .map(|(guard, _)| {
                format!("verifier.{guard} is off: models that judge answers are known to be talked into accepting such answers")
            })
            .collect()
    }
}

/// A name of the file that changes with its content; its path, while it cannot be read.
fn by_content(file: &Path) -> PathBuf {
    fs::read(file).map_or_else(
        |_| file.to_owned(),
        |content| format!("sha256:{}", hex(&Sha256::digest(content))).into(),
    )
}

impl ModelConfig {
    /// When it is asked.
    #[must_use]
    pub fn mode(&self, kind: ModelKind) -> Mode {
        self.mode.unwrap_or(kind.usual_mode())
    }

    /// How its endpoint is asked.
    #[must_use]
    pub fn endpoint(&self, kind: ModelKind) -> EndpointConfig {
        let usual = kind.usual_max_tokens();
        self.endpoint_of("verifier", self.max_tokens.unwrap_or(usual))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(text: &str) -> VerifierConfig {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn kinds_and_defaults() {
        assert_eq!(read("kind = 'rule'"), VerifierConfig::default());
        for (kind, mode, max_tokens) in [
            ("tinyv", Mode::AddOn, 16),
            ("xverify", Mode::Alone, 16),
            ("llm", Mode::AddOn, 1024),
        ] {
            let config = read(&format!(
                "kind = '{kind}'\nbase_url = 'http://h/v1'\nmodel = 'm'"
            ));
            let (found, model) = config.model().unwrap();
            assert_eq!((found.name(), model.mode(found)), (kind, mode));
            assert_eq!(model.endpoint(found).max_tokens, max_tokens);
            assert!(model.guard_empty && model.guard_numbers);
            assert!(config.problems().is_empty() && config.warnings().is_empty());
        }
    }

    #[test]
    fn what_cannot_work_is_named() {
        for (line, named) in [
            ("", "verifier.base_url"),
            ("base_url = 'http://h/v1'", "verifier.model"),
            (
                "base_url = 'http://h/v1'\nmodel = 'm'\nconcurrency = 0",
                "verifier.concurrency",
            ),
            (
                "base_url = 'http://h/v1'\nmodel = 'm'\nmax_cost_usd = 1.0",
                "price_per_million",
            ),
            (
                "base_url = 'http://h/v1'\nmodel = 'm'\nmax_requests = 0",
                "verifier.max_requests",
            ),
        ] {
            let problems = read(&format!("kind = 'tinyv'\n{line}")).problems();
            assert!(problems[0].contains(named), "{problems:?}");
        }
        let error = toml::from_str::<VerifierConfig>("kind = 'tinyv'\napi_key = 'sk'");
        assert!(error.unwrap_err().to_string().contains("api_key"));
        let loose = read("kind = 'rule'\n[conventions]\nrounding = 0.5").problems();
        assert!(
            loose[0].contains("verifier.conventions.rounding"),
            "{loose:?}"
        );
        let error = toml::from_str::<VerifierConfig>("kind = 'rule'\n[conventions]\nlogs = 'ten'");
        assert!(error.unwrap_err().to_string().contains("logs"));
        let off = read("kind = 'llm'\nguard_numbers = false").warnings();
        assert!(off[0].contains("verifier.guard_numbers"), "{off:?}");
    }

    #[test]
    fn conventions_belong_to_every_kind_and_decide_verdicts() {
        for kind in ["rule", "tinyv"] {
            let usual = read(&format!("kind = '{kind}'"));
            let natural = read(&format!("kind = '{kind}'\n[conventions]\nlog = 'natural'"));
            assert_eq!(natural.conventions().log, evaluator::Logarithm::Natural);
            assert_ne!(natural.identity(), usual.identity());
            assert!(!natural.is_usual());
        }
        assert!(read("kind = 'rule'").is_usual());
    }

    #[test]
    fn what_decides_verdicts_is_the_prompt_and_not_where_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let identity = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            let lines = format!(
                "kind = 'llm'\nmodel = 'm'\nprompt_file = '{}'",
                path.display()
            );
            read(&lines).identity()
        };
        let one = identity("a.md", "Is {answer} {reference}?");
        assert_eq!(one, identity("b.md", "Is {answer} {reference}?"));
        assert_ne!(one, identity("a.md", "Is {reference} {answer}?"));
    }
}

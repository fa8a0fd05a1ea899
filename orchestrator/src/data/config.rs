//! `[task]`: which questions a policy is trained and judged on.

use std::path::PathBuf;

use evaluator::{ExtractionConfig, toy::World};
use serde::{Deserialize, Serialize};

use crate::judge::Metric;

/// `[task]`: what the policy is trained and judged on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TaskConfig {
    /// The built-in word problems of the embedded tiny model.
    Toy(ToyConfig),
    /// GSM8K.
    Gsm8k(Gsm8kConfig),
    /// Any questions, in files of rows.
    Jsonl(Box<JsonlConfig>),
}

/// Settings of the built-in word problems.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToyConfig {
    /// Whose manner of answering is to be mended: each world has a tiny base model of its own, which `model` in [trainer] is where it names none (docs/worlds.md).
    #[serde(default, skip_serializing_if = "World::is_usual")]
    pub world: World,
    /// Where answers are looked for in completions; absent means `"tags_only"`: it is what the model learns to write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extraction: Option<ExtractionConfig>,
}

/// Settings of GSM8K: `train.jsonl` and `test.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gsm8kConfig {
    /// Their folder; absent, where `reward-search data fetch gsm8k` puts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Questions of the training file set aside to rank on.
    #[serde(default = "default_dev_size")]
    pub dev_size: usize,
    /// The prompt, a template in which `{question}` or `{{ question }}` stands for the question.
    #[serde(default = "default_prompt")]
    pub prompt: String,
    /// Where answers are looked for in completions: `"strict"`, `"flexible"`, `"tags_only"` or a list of strategies, in the order
    /// they are tried; absent means `"flexible"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extraction: Option<ExtractionConfig>,
}

/// Settings of any questions: files of JSON lines, JSON, CSV or TSV (docs/tasks.md).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonlConfig {
    /// The rows, or those to train on where `dev_file` and `test_file` hold the others.
    pub file: Files,
    /// The rows to rank on; absent, `dev_size` rows of `file` that a seeded hash chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dev_file: Option<Files>,
    /// The rows to confirm finalists on; absent, `test_size` rows of `file`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_file: Option<Files>,
    /// The column that says which split a row belongs to: `train`, `dev` (or `validation`), `test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// Rows set aside to rank on, where neither a file nor a column does; absent means a fifth of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dev_size: Option<usize>,
    /// Rows set aside to confirm on, where neither a file nor a column does; absent means a fifth of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_size: Option<usize>,
    /// The column of questions, texts or conversations; absent, the first there is of the usual names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The column of reference answers, or the way to it as in `reward_model.ground_truth`; absent, the first there is of the usual names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// The prompt, a template in which `{question}` or `{{ question }}` stands for the question.
    #[serde(default = "default_prompt")]
    pub prompt: String,
    /// What a good completion looks like, for a language model that proposes rewards; absent means the usual ways of giving an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format_hint: Option<String>,
    /// Where answers are looked for in completions: `"strict"`, `"flexible"`, `"tags_only"` or a list of strategies, in the order
    /// they are tried; absent means `"flexible"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extraction: Option<ExtractionConfig>,
    /// Who says whether a completion is right: a reward of your own, `FILE.py` or `FILE.py::NAME`, in place of the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// What the files hold, in SHA-256: a search is continued with the same rows only. It may be given to be held to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_sha256: Option<String>,
}

/// One file, or several that are read one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected the name of a file, or a list of them")]
pub enum Files {
    /// One.
    One(PathBuf),
    /// Several.
    Several(Vec<PathBuf>),
}

impl Files {
    /// The files, in order.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        match self {
            Self::One(path) => std::slice::from_ref(path),
            Self::Several(paths) => paths,
        }
    }

    /// The same, to be changed.
    pub fn paths_mut(&mut self) -> &mut [PathBuf] {
        match self {
            Self::One(path) => std::slice::from_mut(path),
            Self::Several(paths) => paths,
        }
    }
}

impl JsonlConfig {
    /// All files it names, in order.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let all = [
            Some(&self.file),
            self.dev_file.as_ref(),
            self.test_file.as_ref(),
        ];
        all.into_iter().flatten().flat_map(Files::paths)
    }
}

fn default_dev_size() -> usize {
    1000
}

fn default_prompt() -> String {
    "{question}".to_owned()
}

impl TaskConfig {
    /// Where the task's answers are looked for: the toy model learns tags, real models write answers in many ways.
    #[must_use]
    pub fn extraction(&self) -> ExtractionConfig {
        let (configured, usual) = match self {
            Self::Toy(config) => (&config.extraction, ExtractionConfig::tags_only()),
            Self::Gsm8k(config) => (&config.extraction, ExtractionConfig::flexible()),
            Self::Jsonl(config) => (&config.extraction, ExtractionConfig::flexible()),
        };
        configured.clone().unwrap_or(usual)
    }

    /// The world of the built-in word problems, if these are the task.
    #[must_use]
    pub fn world(&self) -> Option<World> {
        match self {
            Self::Toy(config) => Some(config.world),
            Self::Gsm8k(_) | Self::Jsonl(_) => None,
        }
    }

    /// Who says whether a completion is right in place of the rules, if somebody does.
    #[must_use]
    pub fn metric(&self) -> Option<&Metric> {
        match self {
            Self::Toy(_) | Self::Gsm8k(_) => None,
            Self::Jsonl(config) => config.metric.as_ref(),
        }
    }
}

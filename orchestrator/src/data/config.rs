//! `[task]`: which questions a policy is trained and judged on.

use std::path::PathBuf;

use evaluator::ExtractionConfig;
use serde::{Deserialize, Serialize};

/// `[task]`: what the policy is trained and judged on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TaskConfig {
    /// The built-in word problems of the embedded tiny model.
    Toy(ToyConfig),
    /// GSM8K.
    Gsm8k(Gsm8kConfig),
}

/// Settings of the built-in word problems.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToyConfig {
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
        };
        configured.clone().unwrap_or(usual)
    }
}

//! `[task]`: which questions a policy is trained and judged on.

use std::path::PathBuf;

use evaluator::ExtractionConfig;
use serde::{Deserialize, Serialize};

/// `[task]`: what the policy is trained and judged on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TaskConfig {
    /// The built-in word problems of the embedded tiny model.
    Toy {
        /// Where answers are looked for in completions; absent means `"tags_only"`: it is what the model learns to write.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        extraction: Option<ExtractionConfig>,
    },
    /// GSM8K: `train.jsonl` and `test.jsonl`.
    Gsm8k {
        /// Their folder; absent, where `reward-search data fetch gsm8k` puts them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<PathBuf>,
        /// Questions of the training file set aside to rank on.
        #[serde(default = "default_dev_size")]
        dev_size: usize,
        /// The prompt, with `{question}` where the question goes.
        #[serde(default = "default_prompt")]
        prompt: String,
        /// Where answers are looked for in completions: `"strict"`, `"flexible"`, `"tags_only"` or a list of strategies, in the order
        /// they are tried; absent means `"flexible"`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        extraction: Option<ExtractionConfig>,
    },
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
            Self::Toy { extraction } => (extraction, ExtractionConfig::tags_only()),
            Self::Gsm8k { extraction, .. } => (extraction, ExtractionConfig::flexible()),
        };
        configured.clone().unwrap_or(usual)
    }
}

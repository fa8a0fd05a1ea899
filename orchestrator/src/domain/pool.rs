//! Recorded completions in groups: several of one policy for each question, as GRPO compares them.

use serde::{Deserialize, Serialize};

/// Completions in groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// At least one.
    pub groups: Vec<Group>,
}

/// A question and what a policy wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The question, as the policy saw it.
    pub prompt: String,
    /// The reference answer.
    pub answer: String,
    /// The data set's other columns, as the text of a JSON object; empty where there are none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub row: String,
    /// At least two.
    pub completions: Vec<String>,
    /// What the evaluation would count of each, where it cuts completions off earlier than training does; empty where it counts the whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<String>,
}

impl Pool {
    /// The size of each group.
    #[must_use]
    pub fn sizes(&self) -> Vec<usize> {
        self.groups.iter().map(|g| g.completions.len()).collect()
    }
}

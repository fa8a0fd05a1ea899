//! What a reward function is given.

use serde::{Deserialize, Serialize};

/// One completion to be scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample<'a> {
    /// The rendered question the policy saw.
    pub prompt: &'a str,
    /// What the policy wrote.
    pub completion: &'a str,
    /// The reference answer.
    pub answer: &'a str,
    /// What the judge said of the completion.
    pub verdict: &'a Verdict,
    /// The data set's other columns, as the text of a JSON object; empty where there are none. Only Python rewards read them.
    pub row: &'a str,
}

/// What a judge said of a completion, as far as a reward may see it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Whether the completion's final answer is right.
    pub correct: bool,
    /// The final answer, if one was found.
    pub extracted: Option<String>,
}

impl Verdict {
    /// The verdict on a completion that has no final answer; also for samples that nobody has judged.
    pub const NO_ANSWER: Self = Self {
        correct: false,
        extracted: None,
    };
}

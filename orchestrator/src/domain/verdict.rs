//! What was said of answers: by which kind of model, how its reply was read, and what came of a set of questions.

use evaluator::Evaluation;
use serde::{Deserialize, Serialize};

use super::decider::{Decider, Tally};

/// The three ways of asking a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// See `[verifier] kind = "tinyv"`.
    Tinyv,
    /// See `[verifier] kind = "xverify"`.
    Xverify,
    /// See `[verifier] kind = "llm"`.
    Llm,
}

impl ModelKind {
    /// Its name in configurations and counts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tinyv => "tinyv",
            Self::Xverify => "xverify",
            Self::Llm => "llm",
        }
    }
}

/// What a model says of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opinion {
    /// It is right.
    Right,
    /// It is wrong.
    Wrong,
    /// Neither was said plainly.
    Unclear,
}

/// The outcomes of a set of questions, with who decided each.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// The outcomes.
    pub evaluation: Evaluation,
    /// Who decided, in the same order.
    pub deciders: Vec<Decider>,
}

impl Evaluated {
    /// How many verdicts each decided.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally::of(self.deciders.iter().copied())
    }
}

/// What asking has used up.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Verdicts asked for.
    pub requests: u64,
    /// Dollars, as far as prices are configured.
    pub cost_usd: f64,
}

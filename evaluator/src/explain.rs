//! The reasons of a verdict, step by step.
//!
//! Nothing is decided here. The code that decides notes what it does in a [`Trace`], which costs nothing while
//! nobody asks; so an explanation cannot tell another story than the verdict.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A longer explanation explains nothing; what comes after is counted only.
const MOST_STEPS: usize = 200;

/// One thing that was looked at or tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What was done, such as `rule: same number`.
    pub what: String,
    /// What was seen.
    pub detail: String,
    /// How it ended.
    pub outcome: StepOutcome,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It found what it looks for.
    Yes,
    /// It did not.
    No,
    /// There was nothing for it to decide.
    NotApplicable,
    /// It only tells something.
    Note,
}

impl fmt::Display for StepOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::NotApplicable => "not applicable",
            Self::Note => "",
        })
    }
}

impl From<bool> for StepOutcome {
    fn from(found: bool) -> Self {
        if found { Self::Yes } else { Self::No }
    }
}

/// Where steps are noted, or nowhere.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    steps: Option<Vec<Step>>,
    left_out: usize,
}

impl Trace {
    /// Notes nothing.
    pub fn off() -> Self {
        Self::default()
    }

    /// Notes every step.
    pub fn on() -> Self {
        Self {
            steps: Some(Vec::new()),
            left_out: 0,
        }
    }

    /// Whether anybody asks.
    pub const fn is_on(&self) -> bool {
        self.steps.is_some()
    }

    /// Notes a step; `detail` is called only when somebody asks.
    pub fn step(
        &mut self,
        what: &str,
        outcome: impl Into<StepOutcome>,
        detail: impl FnOnce() -> String,
    ) {
        let Some(steps) = &mut self.steps else { return };
        if steps.len() >= MOST_STEPS {
            self.left_out += 1;
            return;
        }
        steps.push(Step {
            what: what.to_owned(),
            detail: detail(),
            outcome: outcome.into(),
        });
    }

    /// Notes something that decides nothing.
    pub fn note(&mut self, what: &str, detail: impl FnOnce() -> String) {
        self.step(what, StepOutcome::Note, detail);
    }

    /// All steps, and how many were left out.
    pub fn into_steps(self) -> Vec<Step> {
        let mut steps = self.steps.unwrap_or_default();
        if self.left_out > 0 {
            steps.push(Step {
                what: "and so on".to_owned(),
                detail: format!("{} further steps are not shown", self.left_out),
                outcome: StepOutcome::Note,
            });
        }
        steps
    }
}

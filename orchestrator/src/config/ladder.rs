//! The budgets that candidates are screened with.

use serde::{Deserialize, Serialize};

/// The budgets of a screening, from the least. With one rung every candidate gets the same short run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    /// At least one; steps do not become fewer from rung to rung.
    pub rungs: Vec<Rung>,
    /// When candidates go on.
    pub promotion: Promotion,
}

/// When the candidates of a round go on to the next rung.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promotion {
    /// Once all of the round has ended on the rung below, so that the order in which they end changes nothing: successive halving.
    #[default]
    Round,
    /// As soon as a candidate is among the best of those that have ended, so that no machine waits for the slowest trial: asynchronous
    /// successive halving (ASHA; Li et al. 2020, arXiv 1810.05934). The order in which trials end decides, and is stored.
    Async,
}

impl Promotion {
    /// Whether it is what holds where nothing is said.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::Round
    }
}

/// One budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// Optimiser steps, those of the rungs before included.
    pub steps: u32,
    /// Dev questions.
    pub problems: usize,
    /// How many candidates, the best of this rung, go on to the next; of no use on the last.
    #[serde(default)]
    pub keep: usize,
}

impl Ladder {
    /// The steps of the last rung: of the longest training there is.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.rungs.iter().map(|rung| rung.steps).max().unwrap_or(0)
    }

    /// The most questions of a rung.
    #[must_use]
    pub fn problems(&self) -> usize {
        self.rungs.iter().map(|r| r.problems).max().unwrap_or(0)
    }

    /// Whether a trial of this rung may be gone on with.
    #[must_use]
    pub fn goes_on_after(&self, rung: u32) -> bool {
        (rung as usize) + 1 < self.rungs.len()
    }

    /// One budget for all.
    #[must_use]
    pub fn flat(steps: u32, problems: usize) -> Self {
        let keep = 0;
        Self {
            rungs: vec![Rung {
                steps,
                problems,
                keep,
            }],
            promotion: Promotion::Round,
        }
    }
}

//! The budgets that candidates are screened with.

use serde::{Deserialize, Serialize};

/// The budgets of a screening, from the least. With one rung every candidate gets the same short run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    /// At least one; steps do not become fewer from rung to rung.
    pub rungs: Vec<Rung>,
}

/// One budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Optimiser steps, those of the rungs before included.
    pub steps: u32,
    /// Dev questions.
    pub problems: usize,
    /// How many candidates, the best of this rung, go on to the next; of no use on the last.
    pub keep: usize,
}

impl Ladder {
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
        }
    }
}

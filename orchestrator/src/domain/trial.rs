//! One training run at one budget, and what became of it.

use serde::{Deserialize, Serialize};

use crate::domain::{candidate::CandidateId, seed::derive_seed};

/// The name of the reference row that is trained on the base rewards alone.
pub const BASE_ONLY: &str = "base-rewards-only";

/// The name of the reference row that is not trained at all.
pub const UNTOUCHED: &str = "untouched";

/// The database's key of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrialId(pub i64);

/// The database's key of an ensemble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnsembleId(pub i64);

/// What a trial trains on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Arm {
    /// Nothing: the base model as it is.
    Untouched,
    /// One candidate.
    Candidate(CandidateId),
    /// A named mix; the base rewards alone are one.
    Ensemble(EnsembleId),
}

/// What a trial is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A short run judged on Dev, to rank candidates.
    Screen {
        /// Which budget of several.
        rung: u32,
    },
    /// A longer run of a finalist, judged on Test.
    Confirm {
        /// The number of the seed, from 0.
        seed: u32,
    },
}

impl Stage {
    /// The stage's word and number, as stored.
    #[must_use]
    pub fn parts(self) -> (&'static str, u32) {
        match self {
            Self::Screen { rung } => ("screen", rung),
            Self::Confirm { seed } => ("confirm", seed),
        }
    }

    /// The seed of this stage's trials.
    ///
    /// It does not depend on the arm: every arm of a stage meets the same prompts and the same sampling noise (common random
    /// numbers), so that differences between arms are differences of their rewards. Nor does it depend on the rung: a run that goes
    /// on from the checkpoint of the rung before is then the run that was never stopped.
    #[must_use]
    pub fn seed(self, search_seed: u64) -> u64 {
        match self {
            Self::Screen { .. } => derive_seed(search_seed, "screen/0"),
            Self::Confirm { seed } => derive_seed(search_seed, &format!("confirm/{seed}")),
        }
    }
}

/// A trial to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The database's key.
    pub id: TrialId,
    /// What it trains on.
    pub arm: Arm,
    /// What it is for.
    pub stage: Stage,
    /// The seed of every draw in it.
    pub seed: u64,
    /// Optimiser steps.
    pub steps: u32,
    /// Where it stands.
    pub state: TrialState,
    /// How often it was started.
    pub attempts: u32,
}

/// Where a trial stands. Failure is a state, never a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrialState {
    /// Not started.
    Waiting,
    /// Under way.
    Running {
        /// The last step done.
        step: u32,
    },
    /// Trained and evaluated.
    Complete,
    /// Stopped early because it could not win.
    Pruned {
        /// The last step done.
        step: u32,
        /// Why.
        why: String,
    },
    /// Its reward or its numbers broke.
    Failed {
        /// What broke.
        why: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_share_their_seed_and_confirmations_do_not() {
        let screen = |rung| Stage::Screen { rung }.seed(7);
        let confirm = |seed| Stage::Confirm { seed }.seed(7);
        assert_eq!(screen(0), screen(1));
        assert_ne!(confirm(0), confirm(1));
        assert_ne!(screen(0), confirm(0));
        assert_ne!(screen(0), Stage::Screen { rung: 0 }.seed(8));
    }
}

//! One training run at one budget, and what became of it.

use sandbox::{Fault, Rejection};
use serde::{Deserialize, Serialize};
use trainer_bridge::TrainError;

use super::{candidate::CandidateId, seed::derive_seed};

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
    /// The base rewards alone: what candidates are compared with.
    BaseOnly,
    /// One candidate.
    Candidate(CandidateId),
    /// A named mix.
    Ensemble(EnsembleId),
}

/// What a trial is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A short run judged on Dev, to rank candidates.
    Screen {
        /// Which budget of the ladder, from 0.
        rung: u32,
    },
    /// A longer run of a finalist, judged on Test.
    Confirm {
        /// The number of the seed, from 0.
        seed: u32,
    },
}

impl Stage {
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

/// A trial before it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewTrial {
    /// What it trains on.
    pub arm: Arm,
    /// What it is for.
    pub stage: Stage,
    /// The seed of every draw in it.
    pub seed: u64,
    /// Optimiser steps, those of `from` included.
    pub steps: u32,
    /// The trial of the rung before, whose training it goes on with.
    pub from: Option<TrialId>,
}

/// A stored trial.
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
    /// Optimiser steps, those of `from` included.
    pub steps: u32,
    /// The trial of the rung before, whose training it goes on with.
    pub from: Option<TrialId>,
    /// Where it stands.
    pub state: TrialState,
    /// How often it was started.
    pub attempts: u32,
    /// Its place in the order in which the trials of its search ended, from 1; nothing while it has not, and where it ended before that was
    /// stored.
    pub ended: Option<u32>,
}

/// Where a trial stands. Failure is a state, never a score.
#[derive(Debug, Clone, PartialEq)]
pub enum TrialState {
    /// It has not started.
    Waiting,
    /// It is under way.
    Running {
        /// The last step done.
        step: u32,
    },
    /// It is trained and evaluated.
    Complete,
    /// It was stopped early because it could not win.
    Pruned {
        /// The last step done.
        step: u32,
        /// Why it could not.
        why: String,
    },
    /// Its reward or its numbers broke.
    Failed(Failure),
}

impl TrialState {
    /// Whether it will not change any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        !matches!(self, Self::Waiting | Self::Running { .. })
    }

    /// Why it ended early, in one line, where it did.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Pruned { why, .. } => Some(why.clone()),
            Self::Failed(failure) => Some(failure.to_string()),
            Self::Waiting | Self::Running { .. } | Self::Complete => None,
        }
    }
}

/// What broke a trial for good. `Display` is one line for people; JSON is tagged with `kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Failure {
    /// A reward went wrong while it scored.
    #[error("reward `{member}` failed at step {step}: {fault}")]
    Reward {
        /// The member of the mix.
        member: String,
        /// The optimiser step under way.
        step: u32,
        /// What happened.
        fault: Fault,
    },
    /// The training left the numbers.
    #[error("{message}")]
    NonFinite {
        /// The optimiser step.
        step: u32,
        /// What left them, and what helps.
        message: String,
    },
    /// The policy ran away.
    #[error("{message}")]
    Diverged {
        /// The optimiser step.
        step: u32,
        /// What grew, and what helps.
        message: String,
    },
    /// A stored module is refused now.
    #[error("the stored module no longer loads: {why}")]
    Unloadable {
        /// The member of the mix.
        member: String,
        /// Why it is refused.
        why: Rejection,
    },
    /// What a program said that kept the text alone.
    #[error("{message}")]
    Told {
        /// What it said.
        message: String,
    },
}

impl Failure {
    /// The failure of the trial that an error of its trainer means; `None` for trouble that is not the candidate's own.
    #[must_use]
    pub fn of(error: &TrainError) -> Option<Self> {
        let message = error.to_string();
        match error {
            TrainError::Reward {
                member,
                step,
                fault,
            } => Some(Self::Reward {
                member: member.clone(),
                step: *step,
                fault: fault.clone(),
            }),
            TrainError::Unloadable { member, why } => Some(Self::Unloadable {
                member: member.clone(),
                why: why.clone(),
            }),
            &TrainError::NonFinite { step, .. } => Some(Self::NonFinite { step, message }),
            &TrainError::Diverged { step, .. } => Some(Self::Diverged { step, message }),
            TrainError::OutOfMemory(_)
            | TrainError::Setup(_)
            | TrainError::Checkpoint(_)
            | TrainError::Host(_) => None,
        }
    }
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

    #[test]
    fn a_failure_says_what_its_error_said() {
        let fault = Fault::NotFinite { index: 3 };
        for error in [
            TrainError::Reward {
                member: "m".into(),
                step: 4,
                fault,
            },
            TrainError::NonFinite {
                what: "the reward",
                step: 2,
            },
            TrainError::Diverged {
                what: "the ratio",
                step: 9,
            },
        ] {
            let failure = Failure::of(&error).map(|failure| failure.to_string());
            assert_eq!(failure, Some(error.to_string()));
        }
        assert_eq!(Failure::of(&TrainError::Host("disk".into())), None);
    }
}

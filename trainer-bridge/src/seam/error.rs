//! Why a run did not finish. A variant is what the caller does next.

use sandbox::{Fault, Rejection};

use super::{judge::JudgeError, scorer::ScoreError};

/// Why a run did not finish. A variant is what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The candidate's own doing: the trial fails and is never retried.
    #[error("reward `{member}` failed at step {step}: {fault}")]
    Reward {
        /// The member of the mix.
        member: String,
        /// The optimiser step under way.
        step: u32,
        /// What happened.
        fault: Fault,
    },
    /// A reward of the mix cannot be loaded: the trial fails and is never retried.
    #[error("the stored module no longer loads: {why}")]
    Unloadable {
        /// The member of the mix.
        member: String,
        /// Why.
        why: Rejection,
    },
    /// The run left the numbers: a failure of the trial, never retried (it would repeat).
    #[error("{what} is not finite at step {step}; {}", non_finite_advice(what, *step))]
    NonFinite {
        /// What left the numbers.
        what: &'static str,
        /// The optimiser step.
        step: u32,
    },
    /// The policy ran away: a failure of the trial, never retried (it would repeat).
    #[error(
        "the run diverged at step {step}: {what} grew beyond e^20; lower `learning_rate`, or learn from fresher rollouts \
         (`num_iterations`, `steps_per_generation`, `sync_every`)"
    )]
    Diverged {
        /// What grew.
        what: &'static str,
        /// The optimiser step.
        step: u32,
    },
    /// Memory ran out, or would: the search stops and the user is told what to lower.
    #[error(
        "out of memory ({0}); lower `max_completion_length`, `prompts_per_step`, `num_generations` or `max_concurrent_trials`, \
         or take a smaller model"
    )]
    OutOfMemory(String),
    /// The configuration or the model cannot work: the search stops and the user is told.
    #[error("{0}")]
    Setup(String),
    /// The state to continue from is damaged or another model's: the search stops and the user is told.
    #[error("the checkpoint to continue from cannot be used: {0}")]
    Checkpoint(String),
    /// Trouble of the host (memory, disk, a lost worker): worth a retry.
    #[error("{0}")]
    Host(String),
}

impl TrainError {
    /// Whether the trial fails by it, for good: it would fail again. All else is for the host or the user to mend.
    #[must_use]
    pub fn fails_the_trial(&self) -> bool {
        match self {
            Self::Reward { .. }
            | Self::Unloadable { .. }
            | Self::NonFinite { .. }
            | Self::Diverged { .. } => true,
            Self::OutOfMemory(_) | Self::Setup(_) | Self::Checkpoint(_) | Self::Host(_) => false,
        }
    }

    /// The trouble that scoring met in a run's step. The engine's own is worth a retry, a candidate's is not.
    #[must_use]
    pub fn of_scoring(error: ScoreError, step: u32) -> Self {
        match error {
            ScoreError::Fault { member, fault } if fault.is_host_trouble() => Self::Host(format!(
                "reward `{member}` could not be run at step {step}: {fault}"
            )),
            ScoreError::Fault { member, fault } => Self::Reward {
                member,
                step,
                fault,
            },
            ScoreError::Rejected { member, why } => Self::Unloadable { member, why },
            ScoreError::Host(error) => Self::Host(error.to_string()),
            ScoreError::Judge(error) => error.into(),
        }
    }
}

impl From<JudgeError> for TrainError {
    fn from(error: JudgeError) -> Self {
        match error {
            JudgeError::Setup(why) => Self::Setup(why),
            JudgeError::Unavailable(why) => Self::Host(why),
        }
    }
}

fn non_finite_advice(what: &str, step: u32) -> &'static str {
    if what.contains("reward") {
        "scale the rewards or their weights down"
    } else if step <= 1 {
        "nothing was learnt yet, so it is the base model (its weights, its config.json, an adapter merged into it)"
    } else {
        "lower `learning_rate`, or scale the rewards down if they are huge"
    }
}

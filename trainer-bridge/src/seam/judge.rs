//! Who says whether an answer is right. A job names its judge as plain data; whoever builds a trainer hands it something that opens one.
//! That way verification is implemented once, by the orchestrator, and no trainer ever sees it.

use std::sync::Arc;

use sandbox::Verdict;
use serde::{Deserialize, Serialize};

use super::scorer::Rollout;

/// Describes a judge. A trainer carries the description along and does not look into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JudgeSpec(pub serde_json::Value);

/// Judges completions against their reference answers.
pub trait JudgeRollouts: Send + Sync {
    /// Gives one verdict a rollout, in order. All rollouts of a step come at once, because a judge may have to ask a model and then asks
    /// for many at a time. It is called on a thread that it may block.
    ///
    /// # Errors
    /// If there is no verdict at all.
    fn judge(&self, rollouts: &[Rollout<'_>]) -> Result<Vec<Verdict>, JudgeError>;
}

/// Opens judges from their descriptions.
pub trait OpenJudge: Send + Sync {
    /// Makes the judge that `spec` describes, or shares one that is open already.
    ///
    /// # Errors
    /// [`JudgeError::Setup`] if the description cannot be read or the judge cannot work.
    fn open(&self, spec: &JudgeSpec) -> Result<Arc<dyn JudgeRollouts>, JudgeError>;
}

/// Why there is no verdict. A variant is what the caller does next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JudgeError {
    /// It cannot work as described: tell the user.
    #[error("{0}")]
    Setup(String),
    /// It is out of reach: it may work later.
    #[error("{0}")]
    Unavailable(String),
}

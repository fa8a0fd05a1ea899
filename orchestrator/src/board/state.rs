//! Where a row of the leaderboard stands.

use std::fmt;

use serde::Serialize;

use crate::domain::{candidate::Status, trial::TrialState};

/// Where a row stands. Those without a rank are listed in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// Trained and judged.
    Complete,
    /// In training.
    Running,
    /// Not started.
    Waiting,
    /// Stopped early because it could not win.
    Pruned,
    /// Its reward or its numbers broke.
    Failed,
    /// Refused by compiler or probe.
    Rejected,
    /// Another candidate's code.
    Duplicate,
    /// No reward could be read from the reply.
    Unreadable,
}

impl RowState {
    /// Whether the draft never became a candidate that can be trained.
    #[must_use]
    pub fn is_refused(self) -> bool {
        matches!(self, Self::Rejected | Self::Duplicate | Self::Unreadable)
    }
}

impl fmt::Display for RowState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl From<&TrialState> for RowState {
    fn from(state: &TrialState) -> Self {
        match state {
            TrialState::Waiting => Self::Waiting,
            TrialState::Running { .. } => Self::Running,
            TrialState::Complete => Self::Complete,
            TrialState::Pruned { .. } => Self::Pruned,
            TrialState::Failed(_) => Self::Failed,
        }
    }
}

impl From<&Status> for RowState {
    fn from(status: &Status) -> Self {
        match status {
            Status::Accepted => Self::Waiting,
            Status::Rejected(_) => Self::Rejected,
            Status::Duplicate { .. } | Status::Twin { .. } => Self::Duplicate,
            Status::Unreadable { .. } => Self::Unreadable,
        }
    }
}

//! `[log]`: what else is written beside the database.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What else is written beside the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// A folder for curves of every trial that TensorBoard shows: `tensorboard --logdir DIR`. Absent, none are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensorboard: Option<PathBuf>,
}

impl LogConfig {
    /// Whether it is as it is where nothing is said.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

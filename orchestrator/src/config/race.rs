//! `[screen.race]`: when the judging of a candidate's answers is broken off.

use serde::{Deserialize, Serialize};

/// Where a model judges, every question costs a request. A candidate that is losing against the best of the rounds before is judged no
/// further.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RaceConfig {
    /// A candidate that is no worse is broken off with at most this probability, however often it is looked at.
    pub level: f64,
    /// Questions between two looks.
    pub batch: usize,
}

impl Default for RaceConfig {
    fn default() -> Self {
        Self {
            level: 0.01,
            batch: 32,
        }
    }
}

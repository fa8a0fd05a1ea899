//! `[screen.gate]`: which candidates are refused before any training.

use serde::{Deserialize, Serialize};

/// What the gate looks at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateConfig {
    /// Refuse a reward that tells no two completions of any question apart.
    pub refuse_flat: bool,
    /// Refuse a reward whose AUC against correctness within groups lies clearly below this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_auc: Option<f64>,
}

impl GateConfig {
    /// Whether it refuses nothing.
    #[must_use]
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }
}

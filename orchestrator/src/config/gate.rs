//! `[screen.gate]`: which candidates are refused before any training.

use serde::{Deserialize, Serialize};

/// What the gate looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateConfig {
    /// Refuse a reward that tells no two completions of any question apart.
    pub refuse_flat: bool,
    /// Refuse a reward whose AUC against correctness within groups lies clearly below this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_auc: Option<f64>,
    /// Train only this share of a round: those with the highest AUC against correctness within groups, and at least one of each kind
    /// (new, made from one other, made from several). Nobody is left out where fewer than eight questions tell. Absent means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<f64>,
    /// Leave out a reward whose advantages on the pool equal a known one's, and ask for another in its place. Absent: where a language model
    /// proposes or has proposed; the grammar's are trained, for what it learns from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_twins: Option<bool>,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            refuse_flat: true,
            min_auc: None,
            keep: None,
            replace_twins: None,
        }
    }
}

impl GateConfig {
    /// Whether it is as it is where nothing is said.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

//! Settings of the built-in grammar.

use serde::{Deserialize, Serialize};

/// Settings of the built-in grammar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrammarConfig {
    /// Share of each later round that is drawn afresh instead of from the best so far; `0.0..=1.0`.
    pub explore: f64,
    /// Terms a reward may have at most.
    pub max_terms: usize,
    /// Draw half of what is drawn afresh in later rounds from what the ranking taught: the measures, weights, gates and sizes of the better
    /// rewards.
    #[serde(skip_serializing_if = "is_false")]
    pub learn: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Default for GrammarConfig {
    fn default() -> Self {
        Self {
            explore: 0.2,
            max_terms: 5,
            learn: false,
        }
    }
}

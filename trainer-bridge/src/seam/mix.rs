//! What a run is rewarded for: named, weighted reward functions and how they are put together.

use sandbox::{Limits, Module};
use serde::{Deserialize, Serialize};

use crate::grpo::advantage::Aggregation;

/// The rewards of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RewardMix {
    /// At least one, unless the run has no steps.
    pub members: Vec<RewardMember>,
    /// How they are put together.
    pub aggregation: Aggregation,
    /// What a call of any of them may use up.
    pub limits: Limits,
}

/// One reward of a mix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RewardMember {
    /// Unique name, for metrics.
    pub name: String,
    /// The function: the bytes that were screened.
    pub module: Module,
    /// Its weight.
    pub weight: f64,
}

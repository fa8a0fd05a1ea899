//! What a run is rewarded for: named, weighted reward functions and how they are put together.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Judges a completion against a reference answer: (right?, extracted answer). Handed in by the orchestrator so that there is one
/// implementation of verification and this crate never sees the evaluator.
pub type Verifier = Arc<dyn Fn(&str, &str) -> (bool, Option<String>) + Send + Sync>;

/// One reward of a mix.
#[derive(Clone)]
pub struct RewardMember {
    /// Unique name, for metrics.
    pub name: String,
    /// The sandboxed function.
    pub reward: sandbox::RewardFn,
    /// Its weight.
    pub weight: f64,
}

/// How several rewards become one advantage; names as in TRL's `multi_objective_aggregation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// Weighted sum, then group normalisation (GRPO).
    #[default]
    SumThenNormalize,
    /// Group normalisation of each reward, weighted sum, then batch normalisation (GDPO).
    NormalizeThenSum,
}

/// The rewards of a run.
#[derive(Clone)]
pub struct RewardMix {
    /// At least one, unless `until_step` is 0.
    pub members: Vec<RewardMember>,
    /// How they are put together.
    pub aggregation: Aggregation,
    /// The verifier whose verdict travels with each sample.
    pub verifier: Verifier,
}

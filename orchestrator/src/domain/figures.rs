//! The figures of one evaluation, as every table shows them.

use evaluator::{BootstrapConfig, Estimate, Evaluation};
use serde::Serialize;

use crate::domain::seed::derive_seed;

/// The figures of one evaluation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// F1 with its bootstrap interval.
    pub f1: Estimate,
    /// Accuracy with its bootstrap interval.
    pub accuracy: Estimate,
    /// Share of questions with an extracted answer.
    pub answer_rate: f64,
    /// Right answers over answers; absent when nothing was answered.
    pub precision: Option<f64>,
    /// Right answers over right and missing ones; absent when every question was answered wrongly.
    pub recall: Option<f64>,
}

impl Figures {
    /// Computes them; the intervals' resamples descend from `bootstrap.seed`.
    #[must_use]
    pub fn of(evaluation: &Evaluation, bootstrap: &BootstrapConfig) -> Self {
        Self {
            f1: evaluation.f1_estimate(bootstrap),
            accuracy: evaluation.accuracy_estimate(bootstrap),
            answer_rate: evaluation.answer_rate(),
            precision: evaluation.precision(),
            recall: evaluation.recall(),
        }
    }
}

/// The resampling of a search's intervals: 10,000 resamples, 95 %, seeded by the search.
#[must_use]
pub fn bootstrap_of(search_seed: u64) -> BootstrapConfig {
    BootstrapConfig {
        seed: derive_seed(search_seed, "bootstrap"),
        ..BootstrapConfig::default()
    }
}

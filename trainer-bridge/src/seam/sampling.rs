//! How completions are drawn at evaluation.

use serde::{Deserialize, Serialize};

use crate::grpo::config::{MOST_TOKENS, complaints};

/// How completions are drawn at evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SamplingConfig {
    /// 0 is greedy.
    pub temperature: f64,
    /// Draw from the likeliest so many tokens; 0 from all.
    pub top_k: usize,
    /// Draw from the fewest tokens that have this probability together; 1 from all.
    pub top_p: f64,
    /// Draw from tokens with at least this share of the likeliest one's probability; 0 from all.
    pub min_p: f64,
    /// Longest completion, tokens.
    pub max_completion_length: usize,
}

impl Default for SamplingConfig {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            max_completion_length: 64,
        }
    }
}

impl SamplingConfig {
    /// What is impossible about these settings, one line each, beginning with the key.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let temperature = self.temperature.is_finite() && self.temperature >= 0.0;
        complaints(&[
            (
                "temperature",
                temperature,
                "must be a number, 0 (greedy) or more",
            ),
            (
                "top_p",
                self.top_p > 0.0 && self.top_p <= 1.0,
                "must be above 0 and at most 1",
            ),
            (
                "min_p",
                (0.0..=1.0).contains(&self.min_p),
                "must be between 0 and 1",
            ),
            (
                "max_completion_length",
                (1..=MOST_TOKENS).contains(&self.max_completion_length),
                "must be between 1 and 1048576",
            ),
        ])
    }
}

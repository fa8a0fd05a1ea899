//! The settings of low-rank adapters, and where in a decoder they sit.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::candle::model::architecture::Architecture;

/// `[trainer.lora]`: train a low-rank adapter instead of all weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoraConfig {
    /// Rank of the adapter.
    pub r: usize,
    /// The adapter counts `alpha / r`.
    pub alpha: f64,
    /// Share of an adapter's inputs that is dropped in training.
    pub dropout: f64,
    /// The projections that get an adapter.
    pub targets: Vec<String>,
}

/// Beyond it an adapter is larger than what it adapts.
const MOST_RANK: usize = 16_384;

/// The projections an adapter can be put on, under PEFT's and transformers' names.
pub const TARGETS: [&str; 7] = [
    "q_proj",
    "k_proj",
    "v_proj",
    "o_proj",
    "gate_proj",
    "up_proj",
    "down_proj",
];

impl Default for LoraConfig {
    fn default() -> Self {
        Self {
            r: 32,
            alpha: 32.0,
            dropout: 0.0,
            targets: TARGETS.map(str::to_owned).to_vec(),
        }
    }
}

impl LoraConfig {
    /// What is impossible about these settings, one line each, beginning with the key.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut need = |holds: bool, problem: String| {
            if !holds {
                problems.push(problem);
            }
        };
        need(
            (1..=MOST_RANK).contains(&self.r),
            format!("lora.r must be between 1 and {MOST_RANK}"),
        );
        need(
            self.alpha.is_finite() && self.alpha > 0.0,
            "lora.alpha must be a number above 0".into(),
        );
        need(
            (0.0..1.0).contains(&self.dropout),
            "lora.dropout must be at least 0 and below 1".into(),
        );
        let known = TARGETS.join(", ");
        need(
            !self.targets.is_empty(),
            format!("lora.targets must name at least one of {known}"),
        );
        for target in &self.targets {
            need(
                TARGETS.contains(&target.as_str()),
                format!("lora.targets has `{target}`, which is none of {known}"),
            );
        }
        problems
    }

    /// What an adapter's product counts.
    pub fn scale(&self) -> f64 {
        self.alpha / self.r as f64
    }
}

/// Where an adapted projection lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Path of the module in the checkpoint.
    pub module: String,
    /// Index of the (fused) weight.
    pub weight: usize,
    /// Its rows within that weight.
    pub rows: Range<usize>,
    /// Columns of the weight.
    pub columns: usize,
}

/// The layer that a module or tensor belongs to, by its path.
pub fn layer_of(path: &str) -> Option<usize> {
    let rest = path.strip_prefix("model.layers.")?;
    rest.split('.').next()?.parse().ok()
}

/// Every projection of a decoder that is among the targets, in the checkpoint's order.
pub fn sites(architecture: &Architecture, targets: &[String]) -> Vec<Site> {
    let mut sites = Vec::new();
    for (weight, parameter) in architecture.parameters().into_iter().enumerate() {
        let mut start = 0;
        for (name, rows) in parameter.parts {
            let rows = start..start + rows;
            start = rows.end;
            let Some((module, columns)) = name.strip_suffix(".weight").zip(parameter.columns)
            else {
                continue;
            };
            let kind = module.rsplit('.').next().unwrap_or(module);
            if targets.iter().any(|target| target == kind) {
                sites.push(Site {
                    module: module.to_owned(),
                    weight,
                    rows,
                    columns,
                });
            }
        }
    }
    sites
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_named() {
        let config = LoraConfig {
            r: 0,
            alpha: f64::NAN,
            dropout: 1.0,
            targets: vec!["head".into()],
        };
        let problems = config.problems();
        let keys: Vec<&str> = problems
            .iter()
            .filter_map(|problem| problem.split(' ').next())
            .collect();
        assert_eq!(
            keys,
            ["lora.r", "lora.alpha", "lora.dropout", "lora.targets"]
        );
        assert!(LoraConfig::default().problems().is_empty());
    }
}

//! The settings of a GRPO run, under TRL's names, and which trainer runs it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    TrainError, Trainer,
    candle::{CandleConfig, CandleTrainer},
    fake::{Fake, FakeConfig},
};

/// Which trainer runs the trials, and its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TrainerConfig {
    /// The embedded trainer.
    Candle(CandleConfig),
    /// Trains nothing; for tests.
    Fake(FakeConfig),
}

impl Default for TrainerConfig {
    fn default() -> Self {
        Self::Candle(CandleConfig::default())
    }
}

/// Makes the trainer a configuration asks for; the candle trainer loads and checks its model here.
///
/// # Errors
/// `Setup` when it cannot work.
pub fn build(config: &TrainerConfig) -> Result<Arc<dyn Trainer>, TrainError> {
    Ok(match config {
        TrainerConfig::Candle(config) => Arc::new(CandleTrainer::new(config)?),
        TrainerConfig::Fake(config) => Arc::new(Fake::new(config.clone())),
    })
}

/// Settings of GRPO. Names as in TRL's `GRPOConfig` where it has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrpoConfig {
    /// Distinct prompts an optimiser step.
    pub prompts_per_step: usize,
    /// Completions sampled for each prompt (the group).
    pub num_generations: usize,
    /// Longest completion, tokens.
    pub max_completion_length: usize,
    /// Sampling temperature of rollouts.
    pub temperature: f64,
    /// AdamW learning rate after warm-up.
    pub learning_rate: f64,
    /// Optimiser steps of linear warm-up, then constant.
    pub warmup_steps: u32,
    /// AdamW beta1.
    pub adam_beta1: f64,
    /// AdamW beta2.
    pub adam_beta2: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Global gradient-norm clip.
    pub max_grad_norm: f64,
    /// How the loss is averaged over tokens.
    pub loss_type: LossType,
    /// What centred rewards are divided by.
    pub scale_rewards: ScaleRewards,
    /// Whether completions cut at the length limit are left out of the loss.
    pub mask_truncated_completions: bool,
}

/// How the loss is averaged over tokens; names as in TRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossType {
    /// Mean over each completion, then over completions.
    Grpo,
    /// Mean over the step's tokens.
    Bnpo,
    /// Sum divided by a constant: completions times the length limit.
    DrGrpo,
    /// Mean over the step's tokens.
    #[default]
    Dapo,
}

/// What centred rewards are divided by, as far as they are summed before they are normalised; names as in TRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleRewards {
    /// The standard deviation of their group.
    #[default]
    Group,
    /// The standard deviation of the step's batch.
    Batch,
    /// Nothing.
    None,
}

impl Default for GrpoConfig {
    fn default() -> Self {
        Self {
            prompts_per_step: 16,
            num_generations: 8,
            max_completion_length: 64,
            temperature: 1.0,
            learning_rate: 2e-4,
            warmup_steps: 5,
            adam_beta1: 0.9,
            adam_beta2: 0.95,
            weight_decay: 0.0,
            max_grad_norm: 1.0,
            loss_type: LossType::default(),
            scale_rewards: ScaleRewards::default(),
            mask_truncated_completions: false,
        }
    }
}

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

impl GrpoConfig {
    /// What is impossible about these settings, one line each, beginning with the key.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let beta = |beta: f64| (0.0..1.0).contains(&beta);
        let not_negative = |value: f64| value.is_finite() && value >= 0.0;
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let checks = [
            (
                "prompts_per_step",
                self.prompts_per_step >= 1,
                "must be at least 1",
            ),
            (
                "num_generations",
                self.num_generations >= 2,
                "must be at least 2: completions are compared within their group",
            ),
            (
                "max_completion_length",
                self.max_completion_length >= 1,
                "must be at least 1",
            ),
            (
                "temperature",
                positive(self.temperature),
                "must be a number above 0: greedy rollouts would all be equal",
            ),
            (
                "learning_rate",
                not_negative(self.learning_rate),
                "must be a number, 0 or more",
            ),
            (
                "adam_beta1",
                beta(self.adam_beta1),
                "must be at least 0 and below 1",
            ),
            (
                "adam_beta2",
                beta(self.adam_beta2),
                "must be at least 0 and below 1",
            ),
            (
                "weight_decay",
                not_negative(self.weight_decay),
                "must be a number, 0 or more",
            ),
            (
                "max_grad_norm",
                positive(self.max_grad_norm),
                "must be a number above 0",
            ),
        ];
        complaints(&checks)
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
                self.max_completion_length >= 1,
                "must be at least 1",
            ),
        ])
    }
}

fn complaints(checks: &[(&str, bool, &str)]) -> Vec<String> {
    checks
        .iter()
        .filter(|(_, holds, _)| !holds)
        .map(|(key, _, rule)| format!("{key} {rule}"))
        .collect()
}

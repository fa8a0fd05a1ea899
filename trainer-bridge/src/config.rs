//! The settings of a GRPO run, under TRL's names.

use serde::{Deserialize, Serialize};

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
        }
    }
}

/// How completions are drawn at evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SamplingConfig {
    /// 0 is greedy.
    pub temperature: f64,
    /// Longest completion, tokens.
    pub max_completion_length: usize,
}

impl Default for SamplingConfig {
    fn default() -> Self {
        Self { temperature: 1.0, max_completion_length: 64 }
    }
}

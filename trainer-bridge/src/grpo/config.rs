//! The settings of a GRPO run, under TRL's names where TRL has them, and what is impossible about them.

use serde::{Deserialize, Serialize};

use super::learning_rate::LrSchedulerType;

/// More prompts, completions a prompt or steps a batch than this are a slip of the keyboard.
const MOST: usize = 65_536;
/// The longest completion that can be asked for, tokens.
pub(crate) const MOST_TOKENS: usize = 1 << 20;
/// Below it nothing but the likeliest token is drawn.
const LEAST_TEMPERATURE: f64 = 1e-3;

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
    /// Draw rollouts from the likeliest so many tokens; 0 from all.
    pub top_k: usize,
    /// Draw rollouts from the fewest tokens that have this probability together; 1 from all.
    pub top_p: f64,
    /// Draw rollouts from tokens with at least this share of the likeliest one's probability; 0 from all.
    pub min_p: f64,
    /// AdamW learning rate after warm-up.
    pub learning_rate: f64,
    /// Optimiser steps of linear warm-up.
    pub warmup_steps: u32,
    /// What the learning rate does after warm-up.
    #[serde(skip_serializing_if = "LrSchedulerType::is_constant")]
    pub lr_scheduler_type: LrSchedulerType,
    /// The step after which a falling learning rate has come to nothing. Not the length of a run: the short and the long runs of a
    /// search have the same rate at the same step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u32>,
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
    /// Weight of the KL divergence from the base model; 0 leaves it out and costs nothing.
    pub beta: f64,
    /// Whether the KL term is multiplied by the importance ratio, which makes its gradient unbiased off policy; as in TRL since 1.16.
    pub use_bias_correction_kl: bool,
    /// The importance ratio is clipped at 1 - epsilon.
    pub epsilon: f64,
    /// The importance ratio is clipped at 1 + this; `epsilon` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon_high: Option<f64>,
    /// What has an importance ratio of its own.
    pub importance_sampling_level: ImportanceSamplingLevel,
    /// What centred rewards are divided by.
    pub scale_rewards: ScaleRewards,
    /// Which completions are learnt from.
    pub filter: Filter,
    /// Whether completions cut at the length limit are left out of the loss.
    pub mask_truncated_completions: bool,
    /// Optimiser steps that share one batch of rollouts, each learning from its part of it.
    pub steps_per_generation: u32,
    /// How often a batch of rollouts is gone through.
    pub num_iterations: u32,
    /// Optimiser steps between two handings-over of the trained weights to the policy that samples: 1 is online, more is semi-online, the
    /// run's length or more is offline (arXiv 2506.21495). TRL has no name for it.
    pub sync_every: u32,
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

/// What has an importance ratio of its own; names as in TRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportanceSamplingLevel {
    /// Each token (GRPO).
    #[default]
    Token,
    /// Each completion: the geometric mean of its tokens' ratios (GSPO, arXiv 2507.18071).
    Sequence,
}

/// What centred rewards are divided by, as far as they are summed before they are normalised; names as in TRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleRewards {
    /// The standard deviation of their group.
    #[default]
    Group,
    /// The standard deviation of the whole batch of rollouts.
    Batch,
    /// Nothing.
    None,
}

/// Which completions are learnt from. What is filtered out has no part in the loss, its mean and its KL term included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// All.
    #[default]
    None,
    /// Those of groups whose rewards differ (the filter of DAPO's dynamic sampling, arXiv 2503.14476, without sampling again).
    ZeroVariance,
    /// The best of their group, each with advantage 1; groups whose rewards are all equal have no best (RAFT++, arXiv 2504.11343).
    Raft,
    /// Those of groups that the verifier calls neither all right nor all wrong (Reinforce-Rej, arXiv 2504.11343).
    ReinforceRej,
}

impl Default for GrpoConfig {
    fn default() -> Self {
        Self {
            prompts_per_step: 16,
            num_generations: 8,
            max_completion_length: 64,
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            learning_rate: 2e-4,
            warmup_steps: 5,
            lr_scheduler_type: LrSchedulerType::default(),
            max_steps: None,
            adam_beta1: 0.9,
            adam_beta2: 0.95,
            weight_decay: 0.0,
            max_grad_norm: 1.0,
            loss_type: LossType::default(),
            beta: 0.0,
            use_bias_correction_kl: true,
            epsilon: 0.2,
            epsilon_high: None,
            importance_sampling_level: ImportanceSamplingLevel::default(),
            scale_rewards: ScaleRewards::default(),
            filter: Filter::default(),
            mask_truncated_completions: false,
            steps_per_generation: 1,
            num_iterations: 1,
            sync_every: 1,
        }
    }
}

impl GrpoConfig {
    /// What is impossible about these settings, one line each, beginning with the key.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        [self.sampling_problems(), self.update_problems()].concat()
    }

    /// Training prompts that so many optimiser steps take: those of whole batches of rollouts, since the last batch must be what it is in a
    /// longer run.
    #[must_use]
    pub fn prompts_for(&self, steps: u32) -> usize {
        let batches = steps.div_ceil(self.steps_per_batch().max(1)) as usize;
        batches * self.steps_per_generation as usize * self.prompts_per_step
    }

    /// Optimiser steps that one batch of rollouts serves.
    #[must_use]
    pub fn steps_per_batch(&self) -> u32 {
        self.steps_per_generation
            .saturating_mul(self.num_iterations)
    }

    fn sampling_problems(&self) -> Vec<String> {
        let served = self.steps_per_batch();
        let mut problems = complaints(&[
            (
                "prompts_per_step",
                (1..=MOST).contains(&self.prompts_per_step),
                "must be between 1 and 65536",
            ),
            (
                "num_generations",
                (2..=MOST).contains(&self.num_generations),
                "must be between 2, as completions are compared within their group, and 65536",
            ),
            (
                "max_completion_length",
                (1..=MOST_TOKENS).contains(&self.max_completion_length),
                "must be between 1 and 1048576",
            ),
            (
                "temperature",
                self.temperature.is_finite() && self.temperature >= LEAST_TEMPERATURE,
                "must be a number, at least 0.001: greedy rollouts would all be equal",
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
                "steps_per_generation",
                (1..=MOST as u32).contains(&self.steps_per_generation),
                "must be between 1 and 65536",
            ),
            (
                "num_iterations",
                (1..=MOST as u32).contains(&self.num_iterations),
                "must be between 1 and 65536",
            ),
            ("sync_every", self.sync_every >= 1, "must be at least 1"),
        ]);
        if served > 0 && self.sync_every > 1 && !self.sync_every.is_multiple_of(served) {
            problems.push(format!(
                "sync_every = {} must be 1 or a multiple of steps_per_generation x num_iterations = {served}: \
                 only a new batch of rollouts can come from new weights",
                self.sync_every
            ));
        }
        problems
    }

    fn update_problems(&self) -> Vec<String> {
        let decay = |beta: f64| (0.0..1.0).contains(&beta);
        let not_negative = |value: f64| value.is_finite() && value >= 0.0;
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let falls = !self.lr_scheduler_type.is_constant();
        complaints(&[
            (
                "learning_rate",
                not_negative(self.learning_rate),
                "must be a number, 0 or more",
            ),
            (
                "max_steps",
                !falls || self.max_steps.is_some_and(|last| last > self.warmup_steps),
                "must be set and above `warmup_steps`: a falling `lr_scheduler_type` ends there",
            ),
            (
                "max_steps",
                falls || self.max_steps.is_none(),
                "is where a falling `lr_scheduler_type` ends, and this one stays: leave it out (the length of a run is `steps` of [screen] or \
                 [confirm])",
            ),
            (
                "adam_beta1",
                decay(self.adam_beta1),
                "must be at least 0 and below 1",
            ),
            (
                "adam_beta2",
                decay(self.adam_beta2),
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
            (
                "beta",
                not_negative(self.beta),
                "must be a number, 0 (no KL term) or more",
            ),
            (
                "epsilon",
                decay(self.epsilon),
                "must be at least 0 and below 1",
            ),
            (
                "epsilon_high",
                self.epsilon_high.is_none_or(not_negative),
                "must be a number, 0 or more",
            ),
        ])
    }
}

/// The rules that do not hold, each as `key rule`.
pub(crate) fn complaints(checks: &[(&str, bool, &str)]) -> Vec<String> {
    checks
        .iter()
        .filter(|(_, holds, _)| !holds)
        .map(|(key, _, rule)| format!("{key} {rule}"))
        .collect()
}

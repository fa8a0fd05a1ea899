//! What a step learns from its rollouts: loss and gradients. The optimiser's part is not here.

use crate::candle::{
    decoder::{engine::Engine, gradients::Gradients},
    learn::rollouts::{RolloutGroup, ScoredCompletion, with_micro_batches},
    model::Model,
};
use crate::{
    GrpoConfig, ImportanceSamplingLevel, StepMetrics, TrainError,
    grpo::objective::{Diverged, Lengths, LossSums, Objective, Term, token_share},
};

/// What a step found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepLoss {
    /// The loss.
    pub loss: f64,
    /// Euclidean norm of its gradient.
    pub grad_norm: f64,
    /// Mean over tokens of the KL estimate; absent without a KL term.
    pub kl: Option<f64>,
    /// Share of importance ratios clipped from below.
    pub clip_ratio_low: f64,
    /// Share of importance ratios clipped from above.
    pub clip_ratio_high: f64,
}

impl StepLoss {
    /// Puts its figures among a step's metrics.
    pub fn onto(self, metrics: StepMetrics) -> StepMetrics {
        StepMetrics {
            loss: self.loss,
            grad_norm: self.grad_norm,
            kl: self.kl,
            clip_ratio_low: self.clip_ratio_low,
            clip_ratio_high: self.clip_ratio_high,
            ..metrics
        }
    }
}

/// Loss and gradients of the step that learns from `groups`. `tokens_per_step` are the tokens that count in the loss, on average over the
/// steps that share their batch of rollouts. Neither loss nor gradients need be finite. `step` stands in the error messages.
pub fn loss_and_gradients<'e>(
    engine: &'e mut Engine,
    model: &Model,
    groups: &[RolloutGroup],
    tokens_per_step: f64,
    grpo: &GrpoConfig,
    step: u32,
) -> Result<(StepLoss, &'e Gradients), TrainError> {
    let objective = Objective::new(grpo);
    let lengths = lengths(groups, tokens_per_step, grpo);
    let (sums, gradients) = with_micro_batches(engine, groups, |engine, batches| {
        let mut learnt_from = groups.iter().flat_map(RolloutGroup::learnt_from);
        let completions = batches.iter().map(|batch| -> Vec<&ScoredCompletion> {
            let count = batch.iter().map(|group| group.completions.len()).sum();
            learnt_from.by_ref().take(count).collect()
        });
        let completions: Vec<Vec<&ScoredCompletion>> = completions.collect();
        let loss = |batch: usize, log_probs: &[f32], derivative: &mut [f32]| {
            let mut slices = Slices {
                log_probs,
                derivative,
            };
            let mut sums = LossSums::default();
            for scored in &completions[batch] {
                let term = term(scored, lengths, grpo);
                let (log_probs, derivative) = slices.next(scored.completion.tokens.len());
                let found = objective.completion(&term, log_probs, derivative);
                sums += found.map_err(|diverged| diverged.at(step))?;
            }
            Ok(sums)
        };
        engine.gradients(model, batches, grpo.temperature, loss)
    })?;
    let sums = sums
        .into_iter()
        .fold(LossSums::default(), |mut total, sums| {
            total += sums;
            total
        });
    let ratios = match grpo.importance_sampling_level {
        ImportanceSamplingLevel::Token => lengths.tokens,
        ImportanceSamplingLevel::Sequence => lengths.completions,
    };
    let mean = |sum: f64, count: usize| sum / count.max(1) as f64;
    let step_loss = StepLoss {
        loss: sums.loss,
        grad_norm: gradients.norm(),
        kl: (grpo.beta > 0.0).then(|| mean(sums.kl, lengths.tokens)),
        clip_ratio_low: mean(sums.clipped_low as f64, ratios),
        clip_ratio_high: mean(sums.clipped_high as f64, ratios),
    };
    Ok((step_loss, gradients))
}

/// Values of one completion after another, end to end.
struct Slices<'a> {
    log_probs: &'a [f32],
    derivative: &'a mut [f32],
}

impl<'a> Slices<'a> {
    /// Those of the next completion.
    fn next(&mut self, length: usize) -> (&'a [f32], &'a mut [f32]) {
        let (log_probs, rest) = self.log_probs.split_at(length);
        self.log_probs = rest;
        let (derivative, rest) = std::mem::take(&mut self.derivative).split_at_mut(length);
        self.derivative = rest;
        (log_probs, derivative)
    }
}

fn term<'a>(scored: &'a ScoredCompletion, lengths: Lengths, grpo: &GrpoConfig) -> Term<'a> {
    Term {
        advantage: scored.advantage.unwrap_or(0.0),
        share: token_share(grpo.loss_type, scored.completion.tokens.len(), lengths),
        old: scored.old.as_deref(),
        reference: scored.reference.as_deref(),
    }
}

/// The lengths of the completions that no filter left out.
fn lengths(groups: &[RolloutGroup], tokens_per_step: f64, grpo: &GrpoConfig) -> Lengths {
    let all = groups.iter().flat_map(|group| &group.rollouts);
    Lengths {
        completions: all.filter(|scored| scored.advantage.is_some()).count(),
        tokens: groups.iter().map(RolloutGroup::tokens).sum(),
        tokens_per_step,
        limit: grpo.max_completion_length,
    }
}

impl Diverged {
    /// The failure of a run at a step.
    pub fn at(self, step: u32) -> TrainError {
        let what = match self {
            Self::ImportanceRatio => "an importance ratio",
            Self::Kl => "the KL estimate of a token",
        };
        TrainError::Diverged { what, step }
    }
}

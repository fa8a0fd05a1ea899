//! What a trainer is asked for: runs as a configuration describes them.

use evaluator::Problem;
use trainer_bridge::{Aggregation, RewardMember, RewardMix, TrainJob};

use crate::{config::Config, data::task::Task, judge::Verifier};

/// A run from the base model: so many optimiser steps on a mix, then a completion of each held-out problem.
#[must_use]
pub fn job(
    config: &Config,
    task: &Task,
    rewards: RewardMix,
    problems: &[Problem],
    seed: u64,
    steps: u32,
) -> TrainJob {
    let prompts = problems.iter().map(|problem| task.render(problem));
    TrainJob {
        rewards,
        grpo: config.grpo.clone(),
        evaluation: config.evaluation.clone(),
        examples: task.train_examples(config.grpo.prompts_for(steps), seed),
        eval_prompts: prompts.collect(),
        seed,
        from: None,
        until_step: steps,
    }
}

/// Rewards beside verification by rule alone: for runs that measure or sample, and judge nothing that is kept.
#[must_use]
pub fn unjudged(task: &Task, members: Vec<RewardMember>) -> RewardMix {
    RewardMix {
        members,
        aggregation: Aggregation::default(),
        verifier: Verifier::by_rule(task.judge().clone()).for_training(task.question_finder()),
    }
}

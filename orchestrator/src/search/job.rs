//! What a trainer is asked for: runs as a configuration describes them.

use evaluator::Problem;
use trainer_bridge::{Aggregation, RewardMember, RewardMix, TrainJob};

use crate::{config::Config, data::task::Task, judge::JudgeConfig};

/// Writes jobs for what a configuration trains and judges.
#[derive(Clone, Copy)]
pub struct Jobs<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// Its task.
    pub task: &'a Task,
}

impl Jobs<'_> {
    /// A run from the base model: so many optimiser steps on a mix, then a completion of each held-out problem.
    #[must_use]
    pub fn job(&self, mix: RewardMix, problems: &[Problem], seed: u64, steps: u32) -> TrainJob {
        let Self { config, task } = self;
        let prompts = problems.iter().map(|problem| task.render(problem));
        TrainJob {
            mix,
            judge: config.judge().spec(),
            grpo: config.grpo.clone(),
            evaluation: config.evaluation.clone(),
            examples: task.train_examples(config.grpo.prompts_for(steps), seed),
            eval_prompts: prompts.collect(),
            seed,
            from: None,
            until_step: steps,
            save_every: None,
        }
    }

    /// A digest of all that decides what a job's training comes to and how that is judged. Where a judge's endpoint is does not.
    #[must_use]
    pub fn digest(&self, job: &TrainJob) -> String {
        let judge = JudgeConfig {
            verifier: self.config.verifier.identity(),
            ..self.config.judge()
        };
        let decisive = TrainJob {
            judge: judge.spec(),
            ..job.clone()
        };
        decisive.digest()
    }

    /// The same judged by rule alone: for runs that measure or sample, and judge nothing that is kept.
    #[must_use]
    pub fn unjudged(
        &self,
        members: Vec<RewardMember>,
        problems: &[Problem],
        seed: u64,
        steps: u32,
    ) -> TrainJob {
        let mix = RewardMix {
            members,
            aggregation: Aggregation::default(),
            limits: self.config.limits.clone(),
        };
        TrainJob {
            judge: self.config.judge().unasked().spec(),
            ..self.job(mix, problems, seed, steps)
        }
    }
}

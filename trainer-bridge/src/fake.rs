//! A trainer that trains nothing, for tests of everything around a trainer; an ordinary variant of the configuration.
//!
//! It has one number, its skill, which grows with every step as far as the rewards prefer a right completion to a wrong one. Its
//! completions answer with the sum of the prompt's numbers as often as its skill says (that is right for some problems), else with the
//! first number. It knows no answers: no trainer does.

use std::{sync::Arc, time::Duration};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::{
    BoxFuture, Checkpoint, StepMetrics, TrainError, TrainJob, TrainOutput, Trainer,
    reward_mix::{self, Rollout, fault_of},
};

/// Settings of the fake trainer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FakeConfig {
    /// How long a step takes, milliseconds.
    pub step_ms: u64,
    /// Every run fails with trouble of the host at this step.
    pub fails_at_step: Option<u32>,
}

/// See the head of this module.
#[derive(Debug, Clone)]
pub struct Fake {
    config: FakeConfig,
}

impl Fake {
    /// A fake trainer.
    #[must_use]
    pub fn new(config: FakeConfig) -> Self {
        Self { config }
    }

    async fn run(
        &self,
        job: TrainJob,
        on_step: &mut (dyn FnMut(StepMetrics) + Send),
    ) -> Result<TrainOutput, TrainError> {
        let start = job.from.as_ref().map_or(0, |checkpoint| checkpoint.step);
        let mut skill = match &job.from {
            Some(checkpoint) => decode(checkpoint)?,
            None => 0.3,
        };
        for step in start + 1..=job.until_step {
            if self.config.fails_at_step == Some(step) {
                return Err(TrainError::Host(
                    "the fake trainer was told to fail".to_owned(),
                ));
            }
            if self.config.step_ms > 0 {
                tokio::time::sleep(Duration::from_millis(self.config.step_ms)).await;
            }
            let (right, wrong) = self.contrast(&job, step)?;
            skill = (skill + 0.05 * (right - wrong).clamp(-1.0, 1.0)).clamp(0.0, 0.95);
            on_step(StepMetrics {
                step,
                reward: skill * right + (1.0 - skill) * wrong,
                correct: skill,
                member_rewards: vec![right; job.rewards.members.len()],
                completion_length: 8.0,
                learning_rate: job.grpo.learning_rate,
                ..StepMetrics::default()
            });
        }
        let mut rng = ChaCha8Rng::seed_from_u64(job.seed);
        let completions = job
            .eval_prompts
            .iter()
            .map(|prompt| complete(prompt, skill, &mut rng))
            .collect();
        Ok(TrainOutput {
            completions,
            checkpoint: Checkpoint {
                step: job.until_step,
                bytes: Arc::from(skill.to_le_bytes()),
            },
            adapter: None,
        })
    }

    /// The weighted reward of a right and of a wrong completion of the step's first example.
    fn contrast(&self, job: &TrainJob, step: u32) -> Result<(f64, f64), TrainError> {
        let Some(example) = job.examples.get(step as usize % job.examples.len().max(1)) else {
            return Err(TrainError::Setup(
                "there are no training examples".to_owned(),
            ));
        };
        let text = |answer: &str| {
            format!(
                "<thinking> {answer} + 0 = {answer} . </thinking> <solution> {answer} </solution>"
            )
        };
        let score = |completion: &str| -> Result<f64, TrainError> {
            let rollout = Rollout {
                example,
                completion,
            };
            let judged = job.rewards.judge(&[rollout])?;
            let samples: Vec<_> = judged
                .iter()
                .map(|judged| reward_mix::sample(&rollout, judged))
                .collect();
            job.rewards.members.iter().try_fold(0.0, |sum, member| {
                let scores = member
                    .reward
                    .score(&samples)
                    .map_err(|fault| fault_of(member, step, fault))?;
                Ok(sum + member.weight * scores.first().copied().unwrap_or(0.0))
            })
        };
        Ok((score(&text(&example.answer))?, score(&text("1"))?))
    }
}

impl Trainer for Fake {
    fn base_model(&self) -> String {
        "fake".into()
    }

    fn check(&self, _job: &TrainJob) -> Result<(), TrainError> {
        Ok(())
    }

    fn train<'a>(
        &'a self,
        job: TrainJob,
        on_step: &'a mut (dyn FnMut(StepMetrics) + Send),
    ) -> BoxFuture<'a, Result<TrainOutput, TrainError>> {
        Box::pin(self.run(job, on_step))
    }
}

/// Picks one of the prompt's numbers: with probability `skill` their sum, which is right for some problems, else the first.
fn complete(prompt: &str, skill: f64, rng: &mut ChaCha8Rng) -> String {
    let numbers: Vec<i64> = prompt
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let guess = if rng.random::<f64>() < skill {
        numbers.iter().sum()
    } else {
        numbers.first().copied().unwrap_or(0)
    };
    if rng.random::<f64>() < 0.05 {
        return "no idea".to_owned();
    }
    format!("<thinking> {guess} . </thinking> <solution> {guess} </solution>")
}

fn decode(checkpoint: &Checkpoint) -> Result<f64, TrainError> {
    let bytes = <[u8; 8]>::try_from(&*checkpoint.bytes);
    bytes
        .map(f64::from_le_bytes)
        .map_err(|_| TrainError::Setup("not a checkpoint of the fake trainer".to_owned()))
}

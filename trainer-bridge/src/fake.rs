//! A trainer that trains nothing, for tests of everything around a trainer; an ordinary variant of the configuration.
//!
//! It has one number, its skill, which grows with every step as far as the rewards prefer a right completion to a wrong one. Its
//! completions answer with the sum of the prompt's numbers as often as its skill says (that is right for some problems), else with the
//! first number. It knows no answers: no trainer does.

use std::{path::Path, time::Duration};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::seam::{
    checkpoint::Checkpoint,
    error::TrainError,
    job::TrainJob,
    metrics::StepMetrics,
    output::{Ended, Event, Saved, TrainOutput},
    scorer::{Rollout, Score, ScoreError, Scoring},
    trainer::{BoxFuture, Description, Reporter, Run, RunId, Trainer},
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
#[derive(Clone)]
pub struct Fake {
    config: FakeConfig,
    scoring: Scoring,
}

impl Fake {
    /// A fake trainer.
    #[must_use]
    pub fn new(config: FakeConfig, scoring: Scoring) -> Self {
        Self { config, scoring }
    }

    async fn run(self, job: TrainJob, reporter: &mut Reporter) -> Result<Ended, TrainError> {
        let mut skill = match &job.from {
            Some(checkpoint) => decode(checkpoint)?,
            None => 0.3,
        };
        let scorer = self
            .scoring
            .scorer(&job.mix, &job.judge)
            .map_err(|error| TrainError::of_scoring(error, job.done()))?;
        for step in job.done() + 1..=job.until_step {
            if self.config.fails_at_step == Some(step) {
                return Err(TrainError::Host(
                    "the fake trainer was told to fail".to_owned(),
                ));
            }
            // Whoever follows the run may stop it at any step.
            tokio::task::yield_now().await;
            if self.config.step_ms > 0 {
                let pause = Duration::from_millis(self.config.step_ms);
                // A run that is to end ends now.
                let _ = tokio::time::timeout(pause, reporter.stopped()).await;
            }
            if reporter.is_to_end() {
                return Ok(Ended::Stopped(saved(step - 1, skill)));
            }
            let (right, wrong) = contrast(&scorer, &job, step)?;
            skill = (skill + 0.05 * (right - wrong).clamp(-1.0, 1.0)).clamp(0.0, 0.95);
            reporter.tell(Event::Step(Box::new(StepMetrics {
                step,
                reward: skill * right + (1.0 - skill) * wrong,
                correct: skill,
                member_rewards: vec![right; job.mix.members.len()],
                completion_length: 8.0,
                learning_rate: job.grpo.learning_rate,
                ..StepMetrics::default()
            })));
            if job.saves_after(step) {
                reporter.tell(Event::Saved(saved(step, skill)));
            }
        }
        let mut rng = ChaCha8Rng::seed_from_u64(job.seed);
        let prompts = job.eval_prompts.iter();
        Ok(Ended::Done(TrainOutput {
            completions: prompts
                .map(|prompt| complete(prompt, skill, &mut rng))
                .collect(),
            saved: saved(job.until_step, skill),
        }))
    }
}

/// The reward of a right and of a wrong completion of the step's first example.
fn contrast(scorer: &dyn Score, job: &TrainJob, step: u32) -> Result<(f64, f64), TrainError> {
    let Some(example) = job.examples.get(step as usize % job.examples.len().max(1)) else {
        return Err(TrainError::Setup(
            "there are no training examples".to_owned(),
        ));
    };
    let texts = [example.answer.as_str(), "1"].map(|answer| {
        format!("<thinking> {answer} + 0 = {answer} . </thinking> <solution> {answer} </solution>")
    });
    let group = texts.each_ref().map(|text| Rollout::of(example, text));
    let scored = scorer
        .score(&group)
        .map_err(|error: ScoreError| TrainError::of_scoring(error, step))?;
    let sums = scored.sums(group.len());
    Ok((sums[0], sums[1]))
}

fn saved(step: u32, skill: f64) -> Saved {
    Saved {
        checkpoint: Checkpoint::of_bytes(step, skill.to_le_bytes()),
        adapter: None,
    }
}

impl Trainer for Fake {
    fn describe(&self) -> Description {
        Description {
            kind: "fake".to_owned(),
            base_model: "fake".to_owned(),
        }
    }

    fn check<'a>(&'a self, _job: &'a TrainJob) -> BoxFuture<'a, Result<(), TrainError>> {
        Box::pin(async { Ok(()) })
    }

    fn start(&self, job: TrainJob) -> BoxFuture<'_, Result<Run, TrainError>> {
        let (run, mut reporter) = Run::new(RunId::in_this_process());
        let fake = self.clone();
        Box::pin(async move {
            tokio::spawn(async move {
                let ended = fake.run(job, &mut reporter).await;
                reporter.finish(ended);
            });
            Ok(run)
        })
    }

    fn export<'a>(
        &'a self,
        _checkpoint: &'a Checkpoint,
        _folder: &'a Path,
    ) -> BoxFuture<'a, Result<bool, TrainError>> {
        Box::pin(async { Ok(false) })
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
    let bytes = checkpoint.bytes().and_then(|bytes| bytes.try_into().ok());
    bytes
        .map(f64::from_le_bytes)
        .ok_or_else(|| TrainError::Checkpoint("it is not one of the fake trainer".to_owned()))
}

//! One GRPO run: sample, score, compare within groups, update; step by step until the budget is used, then the evaluation.

use std::time::Instant;

use candle_core::Tensor;
use tokio::sync::mpsc::UnboundedSender;

use super::{
    base::Base,
    checkpoint,
    kernels::choose::Truncation,
    model::Model,
    objective::{Lengths, policy_loss, token_share},
    optim::{AdamW, Update},
    pack::Group,
    sample::{Completion, Prompt, Seed, Settings, sample},
    step::{Stepper, micro_batches},
    tokenizer::excerpt,
};
use crate::{
    GrpoConfig, StepMetrics, TrainError, TrainJob, TrainOutput,
    advantage::{Advantages, advantages},
    reward_mix::{Rollout, Scores},
};

/// What a draw is for; keeps training's noise and the evaluation's apart.
#[derive(Clone, Copy)]
enum Purpose {
    Train = 1,
    Evaluate = 2,
}

/// The seed of one completion: of the run, the purpose, the step and the completion's place. It does not depend on the rewards, so every
/// candidate meets the same prompts and the same noise (common random numbers).
fn seed(run: u64, purpose: Purpose, step: u32, place: usize) -> Seed {
    let mut seed = [0; 32];
    for (bytes, part) in
        seed.chunks_exact_mut(8)
            .zip([run, purpose as u64, u64::from(step), place as u64])
    {
        bytes.copy_from_slice(&part.to_le_bytes());
    }
    seed
}

/// A run between two steps.
pub struct Run<'a> {
    job: &'a TrainJob,
    base: &'a Base,
    model: Model,
    optimizer: AdamW,
    stepper: Stepper,
}

/// A step's completions, prompt after prompt.
struct Rollouts {
    examples: Vec<usize>,
    prompts: Vec<Vec<u32>>,
    completions: Vec<Vec<Completion>>,
    texts: Vec<String>,
}

impl<'a> Run<'a> {
    /// Starts from the base model or from the job's checkpoint.
    pub fn new(job: &'a TrainJob, base: &'a Base) -> Result<Self, TrainError> {
        check(job)?;
        let mut model = base.start(job.seed);
        let optimizer = match &job.from {
            Some(checkpoint) => checkpoint::decode(checkpoint, &mut model)?,
            None => AdamW::new(model.parameters()),
        };
        let stepper = Stepper::new(&model);
        Ok(Self {
            job,
            base,
            model,
            optimizer,
            stepper,
        })
    }

    /// Runs to the end. Stops early, with `None`, once nobody listens to the metrics any more.
    pub fn finish(
        mut self,
        metrics: &UnboundedSender<StepMetrics>,
    ) -> Result<Option<TrainOutput>, TrainError> {
        while self.optimizer.step < self.job.until_step {
            if metrics.send(self.step()?).is_err() {
                return Ok(None);
            }
        }
        let Some(completions) = self.evaluate(metrics)? else {
            return Ok(None);
        };
        let checkpoint = checkpoint::encode(&self.model, &self.optimizer)?;
        Ok(Some(TrainOutput {
            completions,
            checkpoint,
            adapter: self.base.adapter_of(&self.model)?,
        }))
    }

    fn step(&mut self) -> Result<StepMetrics, TrainError> {
        let start = Instant::now();
        let step = self.optimizer.step + 1;
        let rollouts = self.roll_out(step)?;
        let texts = rollouts
            .examples
            .iter()
            .flat_map(|&e| std::iter::repeat_n(e, self.job.grpo.num_generations));
        let scored: Vec<Rollout<'_>> = texts
            .zip(&rollouts.texts)
            .map(|(example, completion)| Rollout {
                example: &self.job.examples[example],
                completion,
            })
            .collect();
        let mix = &self.job.rewards;
        let scores = mix.score(&scored, step)?;
        let advantages = advantages(
            &scores.members,
            &mix.weights(),
            mix.aggregation,
            self.job.grpo.scale_rewards,
            self.job.grpo.num_generations,
        );
        let overflow = |values: &[f64]| !mean(values).is_finite();
        // Finite rewards can still be too large to be added up or squared.
        if overflow(&advantages.rewards)
            || overflow(&advantages.group_std)
            || scores.members.iter().any(|m| overflow(m))
        {
            return Err(TrainError::NonFinite {
                what: "the mean or spread of the rewards",
                step,
            });
        }
        let (loss, grad_norm) = self.update(step, &rollouts, &advantages.values)?;
        let learning_rate = learning_rate(&self.job.grpo, step);
        let step_time = start.elapsed().as_secs_f64();
        let done = summary(&rollouts.completions, &scores, &advantages);
        Ok(StepMetrics {
            step,
            loss,
            grad_norm,
            learning_rate,
            step_time,
            ..done
        })
    }

    fn roll_out(&self, step: u32) -> Result<Rollouts, TrainError> {
        let grpo = &self.job.grpo;
        let first = (step as usize - 1) * grpo.prompts_per_step;
        let examples: Vec<usize> = (first..first + grpo.prompts_per_step)
            .map(|i| i % self.job.examples.len())
            .collect();
        let prompts = examples
            .iter()
            .map(|&example| self.encode(&self.job.examples[example].prompt))
            .collect::<Result<Vec<_>, _>>()?;
        let requests: Vec<Prompt<'_>> = prompts
            .iter()
            .enumerate()
            .map(|(index, tokens)| {
                let places = index * grpo.num_generations..(index + 1) * grpo.num_generations;
                Prompt {
                    tokens,
                    seeds: places
                        .map(|place| seed(self.job.seed, Purpose::Train, step, place))
                        .collect(),
                }
            })
            .collect();
        let settings = Settings {
            temperature: grpo.temperature,
            truncation: Truncation::NONE,
            max_length: grpo.max_completion_length,
        };
        let completions = self.sample(&requests, settings, step)?;
        let texts = completions
            .iter()
            .flatten()
            .map(|c| self.decode(c))
            .collect::<Result<_, _>>()?;
        Ok(Rollouts {
            examples,
            prompts,
            completions,
            texts,
        })
    }

    fn update(
        &mut self,
        step: u32,
        rollouts: &Rollouts,
        advantages: &[f64],
    ) -> Result<(f64, f64), TrainError> {
        let grpo = &self.job.grpo;
        let masked =
            |completion: &Completion| grpo.mask_truncated_completions && !completion.finished;
        let all = rollouts.completions.iter().flatten();
        let lengths = Lengths {
            completions: all.clone().count(),
            tokens: all.filter(|c| !masked(c)).map(|c| c.tokens.len()).sum(),
            limit: grpo.max_completion_length,
        };
        // Completions without an advantage have no gradient: they are left out, but count in the mean.
        let kept: Vec<Vec<(&[u32], f64)>> = rollouts
            .completions
            .iter()
            .zip(advantages.chunks(grpo.num_generations))
            .map(|(completions, advantages)| {
                let pairs = completions.iter().zip(advantages);
                pairs
                    .filter(|(completion, advantage)| **advantage != 0.0 && !masked(completion))
                    .map(|(c, advantage)| {
                        let share = token_share(grpo.loss_type, c.tokens.len(), lengths);
                        (c.tokens.as_slice(), advantage * share)
                    })
                    .collect()
            })
            .collect();
        let completions: Vec<Vec<&[u32]>> = kept
            .iter()
            .map(|group| group.iter().map(|(completion, _)| *completion).collect())
            .collect();
        let groups: Vec<Group<'_>> = rollouts
            .prompts
            .iter()
            .zip(&completions)
            .filter(|(_, completions)| !completions.is_empty())
            .map(|(prompt, completions)| Group {
                prompt,
                completions,
            })
            .collect();
        let batches = micro_batches(&groups);
        let mut remaining = kept.iter().filter(|group| !group.is_empty());
        let per_token: Vec<Vec<f32>> = batches
            .iter()
            .map(|batch| {
                let pairs = remaining.by_ref().take(batch.len()).flatten();
                pairs
                    .flat_map(|(tokens, coefficient)| {
                        std::iter::repeat_n(*coefficient as f32, tokens.len())
                    })
                    .collect()
            })
            .collect();
        let (loss, gradients) = self.stepper.gradients(
            &self.model,
            &batches,
            grpo.temperature,
            |index, log_probs| {
                let coefficients = Tensor::new(per_token[index].as_slice(), log_probs.device())?;
                policy_loss(log_probs, &coefficients)
            },
        )?;
        let norm = gradients.norm();
        for (what, value) in [("loss", loss), ("gradient", norm)] {
            if !value.is_finite() {
                return Err(TrainError::NonFinite { what, step });
            }
        }
        let update = Update {
            learning_rate: learning_rate(grpo, step),
            beta1: grpo.adam_beta1,
            beta2: grpo.adam_beta2,
            weight_decay: grpo.weight_decay,
            max_grad_norm: grpo.max_grad_norm,
        };
        let optimizer = &mut self.optimizer;
        self.model
            .update(|parameters| optimizer.update(parameters, gradients, norm, &update));
        Ok((loss, norm))
    }

    /// Completes the held-out prompts, a portion at a time so that a dropped run ends soon.
    fn evaluate(
        &self,
        listener: &UnboundedSender<StepMetrics>,
    ) -> Result<Option<Vec<String>>, TrainError> {
        const PORTION: usize = 512;
        let step = self.optimizer.step;
        let settings = Settings::from(&self.job.evaluation);
        let mut texts = Vec::with_capacity(self.job.eval_prompts.len());
        for (portion, prompts) in self.job.eval_prompts.chunks(PORTION).enumerate() {
            if listener.is_closed() {
                return Ok(None);
            }
            let encoded = prompts
                .iter()
                .map(|prompt| self.encode(prompt))
                .collect::<Result<Vec<_>, _>>()?;
            // Not seeded by the step: the same noise at every rung makes curves comparable.
            let draw = |index: usize| {
                seed(
                    self.job.seed,
                    Purpose::Evaluate,
                    0,
                    portion * PORTION + index,
                )
            };
            let requests: Vec<Prompt<'_>> = encoded
                .iter()
                .enumerate()
                .map(|(i, tokens)| Prompt {
                    tokens,
                    seeds: vec![draw(i)],
                })
                .collect();
            for completion in self.sample(&requests, settings, step)?.iter().flatten() {
                texts.push(self.decode(completion)?);
            }
        }
        Ok(Some(texts))
    }

    fn sample(
        &self,
        prompts: &[Prompt<'_>],
        settings: Settings,
        step: u32,
    ) -> Result<Vec<Vec<Completion>>, TrainError> {
        sample(&self.model, &self.base.tokenizer, prompts, settings).map_err(|_| {
            TrainError::NonFinite {
                what: "the probability of a next token",
                step,
            }
        })
    }

    fn encode(&self, prompt: &str) -> Result<Vec<u32>, TrainError> {
        let tokens = self
            .base
            .tokenizer
            .encode_prompt(prompt)
            .map_err(TrainError::Setup)?;
        let longest = self.model.rope().positions();
        if tokens.is_empty() || tokens.len() >= longest {
            let count = tokens.len();
            return Err(TrainError::Setup(format!(
                "the prompt {} has {count} tokens; this model takes 1 to {}",
                excerpt(prompt),
                longest - 1
            )));
        }
        Ok(tokens)
    }

    fn decode(&self, completion: &Completion) -> Result<String, TrainError> {
        let text = self
            .base
            .tokenizer
            .decode(&completion.tokens)
            .map_err(TrainError::Host)?;
        Ok(text.trim().to_owned())
    }
}

/// Linear warm-up, then constant.
fn learning_rate(grpo: &GrpoConfig, step: u32) -> f64 {
    grpo.learning_rate * (f64::from(step) / f64::from(grpo.warmup_steps.max(1))).min(1.0)
}

/// Refuses a job that cannot work.
fn check(job: &TrainJob) -> Result<(), TrainError> {
    let problems = [job.grpo.problems(), job.evaluation.problems()].concat();
    if let Some(problem) = problems.first() {
        return Err(TrainError::Setup(problem.clone()));
    }
    let done = job.from.as_ref().map_or(0, |checkpoint| checkpoint.step);
    if done > job.until_step {
        let until = job.until_step;
        return Err(TrainError::Setup(format!(
            "the checkpoint is of step {done}, past the run's last step {until}"
        )));
    }
    if done < job.until_step && (job.examples.is_empty() || job.rewards.members.is_empty()) {
        return Err(TrainError::Setup(
            "training needs at least one example and one reward".into(),
        ));
    }
    Ok(())
}

/// The step's figures that come from its completions and rewards.
fn summary(groups: &[Vec<Completion>], scores: &Scores, advantages: &Advantages) -> StepMetrics {
    let completions: Vec<&Completion> = groups.iter().flatten().collect();
    let tokens: usize = completions
        .iter()
        .map(|completion| completion.tokens.len())
        .sum();
    let share = |count: usize| count as f64 / completions.len().max(1) as f64;
    let clipped = completions
        .iter()
        .filter(|completion| !completion.finished)
        .count();
    let constant = advantages
        .group_std
        .iter()
        .filter(|&&std| std == 0.0)
        .count();
    StepMetrics {
        reward: mean(&advantages.rewards),
        reward_std: mean(&advantages.group_std),
        frac_reward_zero_std: constant as f64 / advantages.group_std.len().max(1) as f64,
        member_rewards: scores.members.iter().map(|rewards| mean(rewards)).collect(),
        correct: share(scores.correct.iter().filter(|&&correct| correct).count()),
        completion_length: share(tokens),
        clipped_ratio: share(clipped),
        entropy: completions
            .iter()
            .map(|completion| completion.entropy)
            .sum::<f64>()
            / tokens.max(1) as f64,
        num_tokens: tokens as u64,
        ..StepMetrics::default()
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

//! One GRPO run: rollouts in the schedule's rhythm, an update a step, until the budget is used; then the evaluation.

use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;

use super::{
    checkpoint,
    complete::{Request, complete},
    model::Model,
    objective::{Diverged, Lengths, Objective, Sums, Term, token_share},
    optim::{AdamW, Update},
    rollouts::{Batch, Purpose, Roles, RolloutGroup, Scored, seed, with_micro_batches},
    sample::Settings,
    schedule::Schedule,
    step::Stepper,
    summary::summary,
    tokenizer::Tokenizer,
};
use crate::{GrpoConfig, ImportanceSamplingLevel, StepMetrics, TrainError, TrainJob, TrainOutput};

/// A run between two steps.
pub struct Run<'a> {
    job: &'a TrainJob,
    tokenizer: &'a Tokenizer,
    /// Where the run began: the reference policy of the KL term.
    base: &'a Model,
    model: Model,
    /// The policy that samples, where some steps learn from rollouts of older weights.
    sampler: Option<Model>,
    batch: Option<Batch>,
    schedule: Schedule,
    optimizer: AdamW,
    stepper: Stepper,
}

impl<'a> Run<'a> {
    /// Starts from the base model or from the job's checkpoint.
    pub fn new(
        job: &'a TrainJob,
        base: &'a Model,
        tokenizer: &'a Tokenizer,
    ) -> Result<Self, TrainError> {
        check(job)?;
        let mut model = base.clone();
        let (optimizer, sampler) = match &job.from {
            Some(checkpoint) => checkpoint::decode(checkpoint, &mut model)?,
            None => (AdamW::new(model.parameters()), None),
        };
        let schedule = Schedule::new(&job.grpo);
        let next = optimizer.step + 1;
        if next <= job.until_step && sampler.is_none() && !schedule.syncs(next) {
            return Err(TrainError::Setup(format!(
                "the checkpoint of step {} lacks the policy that samples, which these settings of `steps_per_generation`, \
                 `num_iterations` and `sync_every` need: continue with the settings it was made with",
                optimizer.step
            )));
        }
        let stepper = Stepper::new(&model);
        Ok(Self {
            job,
            tokenizer,
            base,
            model,
            sampler,
            batch: None,
            schedule,
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
        let between_syncs = !self.schedule.syncs(self.optimizer.step + 1);
        let sampler = self.sampler.as_ref().filter(|_| between_syncs);
        let checkpoint = checkpoint::encode(&self.model, &self.optimizer, sampler)?;
        Ok(Some(TrainOutput {
            completions,
            checkpoint,
            adapter: None,
        }))
    }

    fn step(&mut self) -> Result<StepMetrics, TrainError> {
        let start = Instant::now();
        let step = self.optimizer.step + 1;
        if self.schedule.off_policy() && self.schedule.syncs(step) {
            self.sampler = Some(self.model.clone());
        }
        let batch = self.batch_of(step)?;
        let prompts = self.job.grpo.prompts_per_step;
        let part = self.schedule.part(step);
        let groups = &batch.groups[part * prompts..][..prompts];
        let updated = self.update(step, groups, batch.tokens_per_step)?;
        let done = StepMetrics {
            step,
            step_time: start.elapsed().as_secs_f64(),
            ..updated.onto(summary(groups, &self.job.examples))
        };
        self.batch = Some(batch);
        Ok(done)
    }

    /// The batch of rollouts that a step learns from: the one at hand, or a new one. After a continuation it is the one the run before had,
    /// made again.
    fn batch_of(&mut self, step: u32) -> Result<Batch, TrainError> {
        let start = self.schedule.batch_start(step);
        if let Some(batch) = self.batch.take_if(|batch| batch.start == start) {
            return Ok(batch);
        }
        let roles = Roles {
            job: self.job,
            tokenizer: self.tokenizer,
            sampler: self.sampler.as_ref().unwrap_or(&self.model),
            reference: self.base,
        };
        roles.batch(&mut self.stepper, start)
    }

    fn update(
        &mut self,
        step: u32,
        groups: &[RolloutGroup],
        tokens_per_step: f64,
    ) -> Result<Updated, TrainError> {
        let grpo = &self.job.grpo;
        let lengths = lengths(groups, tokens_per_step, grpo);
        let objective = Objective::new(grpo);
        let (model, stepper) = (&self.model, &mut self.stepper);
        let (sums, gradients) = with_micro_batches(groups, |batches| {
            let mut taught = groups.iter().flat_map(RolloutGroup::taught);
            let terms: Vec<Vec<&Scored>> = batches
                .iter()
                .map(|batch| {
                    let count = batch.iter().map(|group| group.completions.len()).sum();
                    taught.by_ref().take(count).collect()
                })
                .collect();
            stepper.gradients(
                model,
                batches,
                grpo.temperature,
                |index, log_probs, derivative| {
                    losses(
                        &objective,
                        &terms[index],
                        lengths,
                        grpo,
                        log_probs,
                        derivative,
                    )
                    .map_err(|diverged| divergence(diverged, step))
                },
            )
        })?;
        let sums = sums.into_iter().fold(Sums::default(), |mut total, sums| {
            total += sums;
            total
        });
        let norm = gradients.norm();
        for (what, value) in [("loss", sums.loss), ("gradient", norm)] {
            if !value.is_finite() {
                return Err(TrainError::NonFinite { what, step });
            }
        }
        let learning_rate = learning_rate(grpo, step);
        let update = Update {
            learning_rate,
            beta1: grpo.adam_beta1,
            beta2: grpo.adam_beta2,
            weight_decay: grpo.weight_decay,
            max_grad_norm: grpo.max_grad_norm,
        };
        self.optimizer
            .update(self.model.parameters_mut(), gradients, norm, &update);
        Ok(Updated {
            sums,
            grad_norm: norm,
            learning_rate,
            tokens: lengths.tokens,
            ratios: match grpo.importance_sampling_level {
                ImportanceSamplingLevel::Token => lengths.tokens,
                ImportanceSamplingLevel::Sequence => lengths.completions,
            },
            has_kl: grpo.beta > 0.0,
        })
    }

    /// Completes the held-out prompts, a portion at a time so that a dropped run ends soon.
    fn evaluate(
        &self,
        listener: &UnboundedSender<StepMetrics>,
    ) -> Result<Option<Vec<String>>, TrainError> {
        const PORTION: usize = 512;
        let settings = Settings {
            temperature: self.job.evaluation.temperature,
            max_length: self.job.evaluation.max_completion_length,
        };
        let mut texts = Vec::with_capacity(self.job.eval_prompts.len());
        for (portion, prompts) in self.job.eval_prompts.chunks(PORTION).enumerate() {
            if listener.is_closed() {
                return Ok(None);
            }
            // Not seeded by the step: the same noise at every rung makes curves comparable.
            let request = |(index, prompt): (usize, &'a String)| {
                let place = portion * PORTION + index;
                Request {
                    prompt,
                    seeds: vec![seed(self.job.seed, Purpose::Evaluate, 0, place)],
                }
            };
            let requests = prompts.iter().enumerate().map(request).collect();
            let step = self.optimizer.step;
            let completed = complete(&self.model, self.tokenizer, requests, settings, step)?;
            let completions = completed.into_iter().flat_map(|c| c.completions);
            texts.extend(completions.map(|(_, text)| text));
        }
        Ok(Some(texts))
    }
}

/// What an update has to say.
struct Updated {
    sums: Sums,
    grad_norm: f64,
    learning_rate: f64,
    tokens: usize,
    ratios: usize,
    has_kl: bool,
}

impl Updated {
    /// Fills in the metrics that come from the update.
    fn onto(self, metrics: StepMetrics) -> StepMetrics {
        let mean = |sum: f64, count: usize| sum / count.max(1) as f64;
        StepMetrics {
            loss: self.sums.loss,
            kl: self.has_kl.then(|| mean(self.sums.kl, self.tokens)),
            clip_ratio_low: mean(self.sums.clipped_low as f64, self.ratios),
            clip_ratio_high: mean(self.sums.clipped_high as f64, self.ratios),
            grad_norm: self.grad_norm,
            learning_rate: self.learning_rate,
            ..metrics
        }
    }
}

/// The loss of a micro-batch's completions, whose log-probabilities lie end to end, and its derivative by each of them.
fn losses(
    objective: &Objective,
    completions: &[&Scored],
    lengths: Lengths,
    grpo: &GrpoConfig,
    log_probs: &[f32],
    derivative: &mut [f32],
) -> Result<Sums, Diverged> {
    let mut sums = Sums::default();
    let mut start = 0;
    for scored in completions {
        let length = scored.completion.tokens.len();
        let own = start..start + length;
        start = own.end;
        let term = Term {
            advantage: scored.advantage.unwrap_or(0.0),
            share: token_share(grpo.loss_type, length, lengths),
            old: scored.old.as_deref(),
            reference: scored.reference.as_deref(),
        };
        sums += objective.completion(&term, &log_probs[own.clone()], &mut derivative[own])?;
    }
    Ok(sums)
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

fn divergence(diverged: Diverged, step: u32) -> TrainError {
    let what = match diverged {
        Diverged::ImportanceRatio => "an importance ratio",
        Diverged::Kl => "the KL estimate of a token",
    };
    TrainError::Diverged { what, step }
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

//! One GRPO run: rollouts in the schedule's rhythm, an update a step, until the budget is used; then the evaluation.

use std::time::Instant;

use crate::candle::{
    base::Base,
    decoder::{backend::Backend, engine::Engine},
    learn::{
        adamw::{AdamW, Update},
        checkpoint,
        draws::{Purpose, seed},
        loss::{StepLoss, loss_and_gradients},
        memory::{self, Need},
        rollouts::{Batch, Roles, RolloutGroup},
        schedule::Schedule,
        summary::summary,
    },
    model::Model,
    sample::{
        Sampler,
        complete::{Request, check_prompts},
        rows::Settings,
    },
};
use crate::{
    Ended, Event, Reporter, Saved, Score, StepMetrics, TrainError, TrainJob, TrainOutput,
    grpo::learning_rate::{last_step, learning_rate},
};

/// A run between two steps.
pub struct Run<'a> {
    job: &'a TrainJob,
    scorer: &'a dyn Score,
    /// Where the run began, without an adapter: the reference policy of the KL term.
    base: &'a Base,
    model: Model,
    /// The policy that samples, where some steps learn from rollouts of older weights.
    sampler: Option<Model>,
    batch: Option<Batch>,
    schedule: Schedule,
    optimizer: AdamW,
    engine: Engine,
}

impl<'a> Run<'a> {
    /// Starts from the base model or from the job's checkpoint, on a backend. The job's mix is `scorer`'s.
    pub fn new(
        job: &'a TrainJob,
        scorer: &'a dyn Score,
        base: &'a Base,
        backend: &Backend,
    ) -> Result<Self, TrainError> {
        check(job, base)?;
        let mut model = base.start(job.seed);
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
        let trained = optimizer.first.iter().map(Vec::len).sum();
        let need = match backend {
            Backend::Cpu { .. } => Need::of(job, &model, trained, rayon::current_num_threads()),
            Backend::Device { .. } => Need::beside_a_device(job, &model, trained),
        };
        need.check(memory::free())?;
        let engine = Engine::new(&model, backend);
        Ok(Self {
            job,
            scorer,
            base,
            model,
            sampler,
            batch: None,
            schedule,
            optimizer,
            engine,
        })
    }

    /// Runs to the end, or until the reporter says that there is no reason to go on.
    pub fn finish(mut self, reporter: &Reporter) -> Result<Ended, TrainError> {
        while self.optimizer.step < self.job.until_step {
            reporter.tell(Event::Step(Box::new(self.step()?)));
            if reporter.is_to_end() {
                return Ok(Ended::Stopped(self.saved()?));
            }
            if self.job.saves_after(self.optimizer.step) {
                reporter.tell(Event::Saved(self.saved()?));
            }
        }
        let completions = self.evaluate(reporter)?;
        let saved = self.saved()?;
        Ok(match completions {
            Some(completions) => Ended::Done(TrainOutput { completions, saved }),
            None => Ended::Stopped(saved),
        })
    }

    /// What the run can be continued from.
    fn saved(&self) -> Result<Saved, TrainError> {
        let between_syncs = !self.schedule.syncs(self.optimizer.step + 1);
        let sampler = self.sampler.as_ref().filter(|_| between_syncs);
        Ok(Saved {
            checkpoint: checkpoint::encode(&self.model, &self.optimizer, sampler)?,
            adapter: self.base.adapter_of(&self.model)?,
        })
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
        let step_loss = self.update(step, groups, batch.tokens_per_step)?;
        let done = StepMetrics {
            step,
            learning_rate: learning_rate(&self.job.grpo, step),
            step_time: start.elapsed().as_secs_f64(),
            parts: batch.remarks.parts.clone(),
            printed: batch.remarks.printed.clone(),
            ..step_loss.onto(summary(groups, &self.job.examples))
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
            scorer: self.scorer,
            tokenizer: &self.base.tokenizer,
            sampler: self.sampler.as_ref().unwrap_or(&self.model),
            reference: &self.base.model,
            shared: &self.base.draws,
        };
        roles.batch(&mut self.engine, start)
    }

    fn update(
        &mut self,
        step: u32,
        groups: &[RolloutGroup],
        tokens_per_step: f64,
    ) -> Result<StepLoss, TrainError> {
        let grpo = &self.job.grpo;
        let (step_loss, gradients) = loss_and_gradients(
            &mut self.engine,
            &self.model,
            groups,
            tokens_per_step,
            grpo,
            step,
        )?;
        for (what, value) in [("loss", step_loss.loss), ("gradient", step_loss.grad_norm)] {
            if !value.is_finite() {
                return Err(TrainError::NonFinite { what, step });
            }
        }
        let decays = self.model.decays();
        let update = Update {
            learning_rate: learning_rate(grpo, step),
            beta1: grpo.adam_beta1,
            beta2: grpo.adam_beta2,
            weight_decay: grpo.weight_decay,
            decays: &decays,
            max_grad_norm: grpo.max_grad_norm,
        };
        let norm = step_loss.grad_norm;
        let optimizer = &mut self.optimizer;
        self.model
            .update(|parameters| optimizer.update(parameters, gradients, norm, &update));
        Ok(step_loss)
    }

    /// Completes the held-out prompts, a portion at a time so that a stopped run ends soon, with `None`.
    fn evaluate(&self, reporter: &Reporter) -> Result<Option<Vec<String>>, TrainError> {
        const PORTION: usize = 512;
        let sampler = Sampler {
            engine: &self.engine,
            model: &self.model,
            tokenizer: &self.base.tokenizer,
            settings: Settings::from(&self.job.evaluation),
            step: self.optimizer.step,
        };
        let mut texts = Vec::with_capacity(self.job.eval_prompts.len());
        for (portion, prompts) in self.job.eval_prompts.chunks(PORTION).enumerate() {
            if reporter.is_to_end() {
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
            let completed = sampler.complete(requests)?;
            let completions = completed.into_iter().flat_map(|c| c.completions);
            texts.extend(completions.map(|(_, text)| text));
        }
        Ok(Some(texts))
    }
}

/// Refuses a job that cannot work: settings, and prompts that cannot be put to the model.
pub fn check(job: &TrainJob, base: &Base) -> Result<(), TrainError> {
    check_settings(job)?;
    let learns = job.done() < job.until_step;
    let examples = job.examples.iter().filter(|_| learns);
    let examples = examples.map(|example| &*example.prompt);
    let prompts = examples.chain(job.eval_prompts.iter().map(String::as_str));
    check_prompts(&base.model, &base.tokenizer, prompts)
}

fn check_settings(job: &TrainJob) -> Result<(), TrainError> {
    let problems = [job.grpo.problems(), job.evaluation.problems()].concat();
    if let Some(problem) = problems.first() {
        return Err(TrainError::Setup(problem.clone()));
    }
    let done = job.done();
    if done > job.until_step {
        let until = job.until_step;
        return Err(TrainError::Setup(format!(
            "the checkpoint is of step {done}, past the run's last step {until}"
        )));
    }
    if let Some(last) = last_step(&job.grpo).filter(|&last| last < job.until_step) {
        return Err(TrainError::Setup(format!(
            "the learning rate is 0 after `max_steps` = {last}, and the run goes on to step {}: raise `max_steps`",
            job.until_step
        )));
    }
    if done < job.until_step && (job.examples.is_empty() || job.mix.members.is_empty()) {
        return Err(TrainError::Setup(
            "training needs at least one example and one reward".into(),
        ));
    }
    Ok(())
}

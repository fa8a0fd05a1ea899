//! `train`: a single training run without a search.

use std::{
    io::{Write as _, stdout},
    sync::Arc,
};

use anyhow::{anyhow, bail};
use evaluator::{Evaluation, Split};
use sandbox::Module;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use trainer_bridge::{
    Aggregation, Checkpoint, RewardMember, RewardMix, ScaleRewards, StepMetrics, TrainError,
    TrainJob, Trainer, TrainerConfig, write_model,
};

use super::rewards::{self, ForTraining};
use crate::{
    cli::{
        arguments::{Format, TrainArgs},
        interrupt::{Interrupted, asked_to_stop},
    },
    config::Config,
    data::{hub::Hub, task::Task},
    domain::{
        figures::{Figures, bootstrap_of},
        trial::Stage,
    },
    judge::Verifier,
    search::{events::Events as _, job::job, run_folder::RunFolder},
    terminal::{
        progress::Progress,
        sheet::{Column, Sheet},
    },
    text::{hex, interval, share},
};

pub(super) async fn run(args: TrainArgs) -> anyhow::Result<()> {
    let config = configured(&args)?;
    let seed = config.search.seed;
    let task = Task::load(&config.task, seed)?;
    let verifier = Verifier::new(&config.verifier, task.judge().clone())?;
    config.trainer.check()?;
    let trainer_config = Hub::from_env().resolve(&config.trainer).await?;
    let trainer = trainer_bridge::build(&trainer_config)?;
    let rewards =
        rewards::for_training(&args.rewards, &args.weights, &config, &args.database).await?;
    let aggregation = args
        .aggregation
        .map_or(rewards.aggregation, Aggregation::from);
    let names: Vec<String> = rewards
        .members
        .iter()
        .map(|(member, _)| member.name.clone())
        .collect();
    let folder = match &args.out {
        Some(path) => Some(RunFolder::open(
            path,
            &identity(&config, &*trainer, &rewards.members, aggregation),
            names,
        )?),
        None => None,
    };
    let problems = task.held_out(Split::Dev, config.screen.problems, seed);
    let progress = Progress::to_stderr();
    for warning in config.verifier.warnings() {
        progress.line(&format!("warning: {warning}"));
    }
    say_what_is_rewarded(&progress, &config, &rewards, aggregation);
    let mix = RewardMix {
        members: rewards
            .members
            .into_iter()
            .map(|(member, _)| member)
            .collect(),
        aggregation,
        verifier: verifier.for_training(task.question_finder()),
    };
    let training = Training {
        trainer: &*trainer,
        trainer_config: &trainer_config,
        folder: folder.as_ref(),
        progress,
        save_every: args.save_every,
        job: job(
            &config,
            &task,
            mix,
            &problems,
            Stage::Screen { rung: 0 }.seed(seed),
            config.screen.steps,
        ),
    };
    let completions = tokio::select! {
        ended = training.run() => ended?,
        () = asked_to_stop() => {
            let can_go_on = args.out.is_some();
            return Err(Interrupted { can_go_on }.into());
        },
    };
    let evaluation = verifier.evaluate(&problems, &completions).await?.evaluation;
    let figures = Figures::of(&evaluation, &bootstrap_of(seed));
    let result = json!({"steps": config.screen.steps, "seed": seed, "split": "dev", "questions": problems.len(),
                        "correct": evaluation.counts().correct, "figures": figures});
    if let Some(folder) = &folder {
        folder.finish(&result)?;
    }
    print(args.format, &result, &evaluation, &figures)
}

/// The configuration with what was typed beside it.
fn configured(args: &TrainArgs) -> anyhow::Result<Config> {
    let mut config = Config::load(&args.config)?;
    config.search.seed = args.seed.unwrap_or(config.search.seed);
    config.screen.steps = args.steps.unwrap_or(config.screen.steps);
    config.screen.problems = args.problems.unwrap_or(config.screen.problems);
    config.check(&args.config)?;
    Ok(config)
}

/// What is trained with beside the rewards that were named, and how.
fn say_what_is_rewarded(
    progress: &Progress,
    config: &Config,
    rewards: &ForTraining,
    aggregation: Aggregation,
) {
    if !rewards.added.is_empty() {
        progress.line(&format!(
            "Beside {}, as `with_base_rewards` says",
            rewards.added.join(", ")
        ));
    }
    let ignored = aggregation == Aggregation::NormalizeThenSum
        && config.grpo.scale_rewards != ScaleRewards::default();
    if ignored {
        progress.line("warning: `scale_rewards` has no effect with `normalize_then_sum`");
    }
}

/// Everything the run depends on but its length: a run may be made longer.
fn identity(
    config: &Config,
    trainer: &dyn Trainer,
    rewards: &[(RewardMember, Module)],
    aggregation: Aggregation,
) -> Value {
    let rewards: Vec<Value> = rewards
        .iter()
        .map(|(member, module)| json!({"name": member.name, "weight": member.weight, "sha256": hex(&Sha256::digest(module.bytes()))}))
        .collect();
    json!({"rewards": rewards, "aggregation": aggregation, "evaluation": config.evaluation, "problems": config.screen.problems,
            "seed": config.search.seed, "task": config.task,
           "verifier": config.verifier.identity(), "trainer": config.trainer, "base_model": trainer.base_model(), "grpo": config.grpo, "limits": config.limits})
}

/// A run in legs: a checkpoint after each, the evaluation after the last.
struct Training<'a> {
    trainer: &'a dyn Trainer,
    trainer_config: &'a TrainerConfig,
    folder: Option<&'a RunFolder>,
    progress: Progress,
    save_every: u32,
    job: TrainJob,
}

impl Training<'_> {
    /// The completions of the held-out prompts.
    async fn run(&self) -> anyhow::Result<Vec<String>> {
        let mut from = match self.folder {
            Some(folder) => folder.resume()?,
            None => None,
        };
        // Before the first leg, of all of them.
        self.trainer.check(&self.job)?;
        let last = self.job.until_step;
        if let Some(checkpoint) = &from {
            let step = checkpoint.step;
            if step > last {
                bail!(
                    "this run has {step} steps already; ask for at least as many with --steps, or use another folder with --out"
                );
            }
            self.progress.line(&format!("Continuing after step {step}"));
        }
        loop {
            let done = from.as_ref().map_or(0, |checkpoint| checkpoint.step);
            let until = match self.folder {
                Some(_) => done.saturating_add(self.save_every).min(last),
                None => last,
            };
            let (completions, checkpoint) = self.leg(from, until).await?;
            if let Some(folder) = self.folder {
                folder.keep(&checkpoint)?;
            }
            if until >= last {
                self.keep_model(&checkpoint)?;
                return Ok(completions);
            }
            from = Some(checkpoint);
        }
    }

    async fn leg(
        &self,
        from: Option<Checkpoint>,
        until_step: u32,
    ) -> anyhow::Result<(Vec<String>, Checkpoint)> {
        let mut job = self.job.clone();
        if until_step < job.until_step {
            job.eval_prompts = Arc::from([]);
        }
        (job.from, job.until_step) = (from, until_step);
        let mut trouble = None;
        let mut on_step = |metrics: StepMetrics| {
            self.progress.line(&line(&metrics, self.job.until_step));
            if let Some(folder) = self.folder
                && let Err(error) = folder.record(&metrics)
            {
                trouble.get_or_insert(error);
            }
        };
        let trained = self.trainer.train(job, &mut on_step).await;
        if let Some(error) = trouble {
            return Err(error.into());
        }
        let output = trained.map_err(|error| self.with_the_way_out(error))?;
        if let Some((folder, adapter)) = self.folder.zip(output.adapter.as_ref()) {
            let path = folder.keep_adapter(adapter)?;
            self.progress
                .line(&format!("The adapter is in {}", path.display()));
        }
        Ok((output.completions, output.checkpoint))
    }

    /// What to do about a checkpoint that cannot be used; other errors say it themselves.
    fn with_the_way_out(&self, error: TrainError) -> anyhow::Error {
        match (self.folder, &error) {
            (Some(folder), TrainError::Checkpoint(_)) => anyhow!(
                "{error}; put the checkpoint of {} back as it was, or train from the beginning into another folder with --out",
                folder.path().display()
            ),
            _ => error.into(),
        }
    }

    /// Keeps the trained model where all of its weights were trained.
    fn keep_model(&self, checkpoint: &Checkpoint) -> anyhow::Result<()> {
        let Some(folder) = self.folder else {
            return Ok(());
        };
        let path = folder.model();
        if write_model(self.trainer_config, checkpoint, &path)? {
            self.progress
                .line(&format!("The model is in {}", path.display()));
        }
        Ok(())
    }
}

/// A step for people.
fn line(m: &StepMetrics, steps: u32) -> String {
    let kl = m.kl.map_or_else(String::new, |kl| format!("  kl {kl:.4}"));
    let clipped = m.clip_ratio_low + m.clip_ratio_high;
    let clipped = if clipped > 0.0 {
        format!("  clipped {clipped:.3}")
    } else {
        String::new()
    };
    format!(
        "  step {:>4}/{steps}  reward {:+.3}  right {:.2}  length {:.1}  entropy {:.3}  grad {:.3}{kl}{clipped}  {:.0} tok/s",
        m.step,
        m.reward,
        m.correct,
        m.completion_length,
        m.entropy,
        m.grad_norm,
        m.tokens_per_second()
    )
}

fn print(
    format: Format,
    result: &Value,
    evaluation: &Evaluation,
    f: &Figures,
) -> anyhow::Result<()> {
    let mut sheet = Sheet::new(&[
        Column::Number("right"),
        Column::Number("of"),
        Column::Number("F1 on Dev"),
        Column::Text("95 % interval"),
        Column::Number("accuracy"),
        Column::Text("95 % interval"),
        Column::Number("answered"),
    ]);
    sheet.push(vec![
        evaluation.counts().correct.to_string(),
        evaluation.outcomes().len().to_string(),
        share(f.f1.point),
        interval(&f.f1),
        share(f.accuracy.point),
        interval(&f.accuracy),
        share(f.answer_rate),
    ]);
    let text = match format {
        Format::Table => sheet.to_text(),
        Format::Markdown => sheet.to_markdown(),
        Format::Csv => sheet.to_csv()?,
        Format::Json => format!("{result:#}"),
    };
    writeln!(stdout(), "{}", text.trim_end())?;
    Ok(())
}

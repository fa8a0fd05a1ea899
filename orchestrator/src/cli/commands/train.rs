//! `train`: a single training run without a search.

use std::{
    io::{Write as _, stdout},
    ops::ControlFlow,
    sync::Arc,
};

use anyhow::{anyhow, bail};
use evaluator::{Evaluation, Split};
use serde_json::{Value, json};
use trainer_bridge::{
    Aggregation, BoxFuture, RewardMember, RewardMix, Saved, ScaleRewards, Scoring, StepMetrics,
    TrainError, TrainJob, TrainOutput, Trainer,
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
    judge::Judges,
    search::{
        events::Events as _,
        job::Jobs,
        run_folder::RunFolder,
        training::{Training, TrainingError, Watch},
    },
    terminal::{
        progress::Progress,
        table::{Column, Table},
    },
    text::{interval, share},
};

pub(super) async fn run(args: TrainArgs) -> anyhow::Result<()> {
    let config = configured(&args)?;
    let seed = config.search.seed;
    let task = Task::load(&config.task, seed)?;
    config.insist_on_problems(&task)?;
    let judge = config.judge().open()?;
    config.trainer.check()?;
    let trainer_config = Hub::from_env().resolve(&config.trainer).await?;
    let bench = rewards::bench();
    let scoring = Scoring {
        bench: bench.clone(),
        judges: Arc::new(Judges::sharing(&config.judge(), judge.clone())),
    };
    let trainer = trainer_bridge::build(&trainer_config, scoring)?;
    let named = (&args.rewards[..], &args.weights.weights[..]);
    let rewards = rewards::for_training(named, &config, &args.database, &bench).await?;
    let aggregation = args
        .aggregation
        .map_or(rewards.aggregation, Aggregation::from);
    let folder = match &args.out {
        Some(path) => Some(RunFolder::open(
            path,
            &identity(&config, &*trainer, &rewards.members, aggregation),
            rewards.members.iter().map(|m| m.name.clone()).collect(),
        )?),
        None => None,
    };
    let problems = task.held_out(Split::Dev, config.screen.problems, seed);
    let progress = Progress::to_stderr();
    for warning in config.warnings().iter().chain(task.notes()) {
        progress.line(&format!("warning: {warning}"));
    }
    say_what_is_rewarded(&progress, &config, &rewards, aggregation);
    let mix = RewardMix {
        members: rewards.members,
        aggregation,
        limits: config.limits.clone(),
    };
    let jobs = Jobs {
        config: &config,
        task: &task,
    };
    let (seed_of_run, steps) = (Stage::Screen { rung: 0 }.seed(seed), config.screen.steps);
    let job = TrainJob {
        save_every: folder.as_ref().map(|_| args.save_every),
        ..jobs.job(mix, &problems, seed_of_run, steps)
    };
    let completions = tokio::select! {
        ended = train(&*trainer, job, folder.as_ref(), &progress) => ended?,
        () = asked_to_stop() => {
            let can_go_on = args.out.is_some();
            return Err(Interrupted { can_go_on }.into());
        },
    };
    let evaluation = judge.evaluate(&problems, &completions).await?.evaluation;
    let figures = Figures::of(&evaluation, &bootstrap_of(seed));
    let result = json!({"steps": steps, "seed": seed, "split": "dev", "questions": problems.len(),
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
    rewards: &[RewardMember],
    aggregation: Aggregation,
) -> Value {
    let rewards: Vec<Value> = rewards
        .iter()
        .map(|member| json!({"name": member.name, "weight": member.weight, "sha256": member.module.sha256()}))
        .collect();
    json!({"rewards": rewards, "aggregation": aggregation, "evaluation": config.evaluation, "problems": config.screen.problems,
            "seed": config.search.seed, "task": config.task,
           "verifier": config.verifier.identity(), "trainer": config.trainer, "base_model": trainer.describe().base_model, "grpo": config.grpo, "limits": config.limits})
}

/// Trains, from the folder's last checkpoint if there is one; the completions of the held-out prompts.
async fn train(
    trainer: &dyn Trainer,
    job: TrainJob,
    folder: Option<&RunFolder>,
    progress: &Progress,
) -> anyhow::Result<Vec<String>> {
    let done = match folder {
        Some(folder) => folder.resume()?,
        None => None,
    };
    // Of the whole run, wherever it stands.
    trainer.check(&job).await?;
    let last = job.until_step;
    if let Some(step) = done {
        if step > last {
            bail!(
                "this run has {step} steps already; ask for at least as many with --steps, or use another folder with --out"
            );
        }
        progress.line(&format!("Continuing after step {step}"));
    }
    let training = Training {
        trainer,
        job,
        folder: folder.map(RunFolder::checkpoints),
        earlier: None,
    };
    let mut watch = Kept {
        folder,
        progress,
        last,
        flat_steps: 0,
        steps: 0,
    };
    let output = training.to_completion(&mut watch).await;
    let TrainOutput { completions, saved } =
        output.map_err(|error| with_the_way_out(error, folder))?;
    if watch.steps > 0 && watch.flat_steps == watch.steps {
        progress.line(
            "warning: in no step were two completions of one question paid differently, so nothing was learnt; `reward-search probe` says what a reward pays for",
        );
    }
    if let Some(folder) = folder {
        let path = folder.model();
        if trainer.export(&saved.checkpoint, &path).await? {
            progress.line(&format!("The model is in {}", path.display()));
        }
    }
    Ok(completions)
}

/// Shows the steps of a run, and keeps what its folder holds beside the checkpoints.
struct Kept<'a> {
    folder: Option<&'a RunFolder>,
    progress: &'a Progress,
    last: u32,
    /// Steps of this sitting.
    steps: u32,
    /// Of these, those whose every group was paid alike.
    flat_steps: u32,
}

impl Watch for Kept<'_> {
    fn step<'a>(
        &'a mut self,
        metrics: &'a StepMetrics,
    ) -> BoxFuture<'a, Result<ControlFlow<()>, TrainingError>> {
        self.progress.line(&line(metrics, self.last));
        self.steps += 1;
        self.flat_steps += u32::from(metrics.frac_reward_zero_std >= 1.0);
        let kept = self.folder.map_or(Ok(()), |folder| folder.record(metrics));
        Box::pin(async { Ok(kept.map(|()| ControlFlow::Continue(()))?) })
    }

    fn saved(&mut self, saved: &Saved) -> Result<(), TrainingError> {
        if let Some((folder, adapter)) = self.folder.zip(saved.adapter.as_ref()) {
            let path = folder.keep_adapter(adapter)?;
            let path = path.display();
            self.progress.line(&format!("The adapter is in {path}"));
        }
        Ok(())
    }
}

/// What to do about a checkpoint that cannot be used; other errors say it themselves.
fn with_the_way_out(error: TrainingError, folder: Option<&RunFolder>) -> anyhow::Error {
    match (error, folder) {
        (TrainingError::Train(error @ TrainError::Checkpoint(_)), Some(folder)) => anyhow!(
            "{error}; put the checkpoint of {} back as it was, or train from the beginning into another folder with --out",
            folder.path().display()
        ),
        (TrainingError::Train(error), _) => error.into(),
        (error, _) => error.into(),
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
        "  step {:>4}/{steps}  reward {:+.3}  flat {:.2}  right {:.2}  length {:.1}  entropy {:.3}  grad {:.3}{kl}{clipped}  {:.0} tok/s",
        m.step,
        m.reward,
        m.frac_reward_zero_std,
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
    let mut table = Table::new(&[
        Column::Number("right"),
        Column::Number("of"),
        Column::Number("F1 on Dev"),
        Column::Text("95 % interval"),
        Column::Number("accuracy"),
        Column::Text("95 % interval"),
        Column::Number("answered"),
    ]);
    table.push(vec![
        evaluation.counts().correct.to_string(),
        evaluation.outcomes().len().to_string(),
        share(f.f1.point),
        interval(&f.f1),
        share(f.accuracy.point),
        interval(&f.accuracy),
        share(f.answer_rate),
    ]);
    let text = match format {
        Format::Table => table.to_text(),
        Format::Markdown => table.to_markdown(),
        Format::Csv => table.to_csv()?,
        Format::Json => format!("{result:#}"),
    };
    writeln!(stdout(), "{}", text.trim_end())?;
    Ok(())
}

//! `score`: completions scored by reward functions in the sandbox, from a file or as a service over standard input and output.

use std::{
    collections::HashMap,
    fs,
    io::{Write as _, stderr, stdin, stdout},
    path::Path,
    sync::Arc,
};

use anyhow::{Context as _, anyhow, bail};
use sandbox::{CompileError, RewardFn, Sample};
use serde_json::{Map, Value, json};
use trainer_bridge::{
    Aggregation, LoadedReward, RewardMember, Rollout, ScoreError, Scored, Scorer, Scoring, TrainJob,
};

use super::{rewards, understood};
use crate::{
    cli::{arguments::ScoreArgs, open},
    data::rows,
    judge::Judges,
    stdio::{self, ServedReward, Service},
    store::WriterLock,
    text::{of_one_line, one_line, printable},
};

/// So many samples of a file are scored otherwise as well, to find a reward that draws or remembers.
const HELD_TO: usize = 64;

pub(super) async fn run(args: ScoreArgs) -> anyhow::Result<()> {
    let (service, loaded, _lock) = match &args.job {
        Some(path) => (of_job(path)?, Vec::new(), None),
        None => of_rewards(&args).await?,
    };
    if service.aggregation == Some(Aggregation::NormalizeThenSum) && args.samples.is_some() {
        tracing::warn!(
            "these rewards were trained with together by `normalize_then_sum`; the scores are their weighted sum (docs/stdio.md)"
        );
    }
    match &args.samples {
        Some(samples) => score_file(&service, &loaded, samples),
        None => Ok(stdio::serve(stdin().lock(), stdout().lock(), &service)?),
    }
}

/// A reward that is to be held to its samples.
type Held = (String, RewardFn);

/// Scores with the rewards that were named.
async fn of_rewards(args: &ScoreArgs) -> anyhow::Result<(Service, Vec<Held>, Option<WriterLock>)> {
    let rewards =
        rewards::for_scoring(&args.rewards, &args.weights.weights, &args.database).await?;
    understood::say(&rewards.loaded, args.explain);
    let held = rewards.loaded.iter();
    let held = held.map(|one| (one.name.clone(), one.reward.clone()));
    let held = held.collect();
    let (judge, lock) = open::judge(&args.judge, rewards.extraction).await?;
    let scorer = Scorer::new(
        rewards.loaded,
        rewards.aggregation.unwrap_or_default(),
        judge.of_rollouts(),
    );
    let service = Service {
        scorer: Box::new(scorer),
        rewards: rewards.served,
        aggregation: rewards.aggregation,
        questions: HashMap::new(),
    };
    Ok((service, held, lock))
}

/// Scores with the rewards, the judge and the limits of a training job.
fn of_job(path: &Path) -> anyhow::Result<Service> {
    let text = text(path)?;
    let job: TrainJob = serde_json::from_str(&text)
        .with_context(|| format!("{} is no training job", path.display()))?;
    let scoring = Scoring {
        bench: rewards::bench(),
        judges: Arc::new(Judges::new()),
    };
    let scorer = scoring.scorer(&job.mix, &job.judge);
    let scorer = scorer.map_err(|error| match error {
        ScoreError::Host(error) => anyhow::Error::from(error),
        error => error.into(),
    })?;
    let limits = &job.mix.limits;
    let served = |member: &RewardMember| {
        let loaded = LoadedReward {
            name: member.name.clone(),
            weight: member.weight,
            // The scorer has loaded it: it is there.
            reward: scoring.bench.load(&member.module, limits)?,
        };
        Ok(ServedReward::of(&loaded, &member.module, limits.clone()))
    };
    let members = job.mix.members.iter();
    let served = members.map(served).collect::<Result<_, CompileError>>()?;
    Ok(Service {
        scorer: Box::new(scorer),
        rewards: served,
        aggregation: Some(job.mix.aggregation),
        questions: job
            .examples
            .into_iter()
            .map(|example| (example.prompt, example.question))
            .collect(),
    })
}

fn score_file(service: &Service, held: &[Held], path: &Path) -> anyhow::Result<()> {
    let text = lines(path)?;
    let (lines, samples): (Vec<usize>, Vec<_>) = samples(&text, path)?.into_iter().unzip();
    if samples.is_empty() {
        bail!("{} holds no samples", path.display());
    }
    let batch: Vec<Rollout<'_>> = samples.iter().map(|s| service.rollout(s)).collect();
    let scored = service.scorer.score(&batch);
    let scored = scored.map_err(|error| placed(error, path, &lines))?;
    let judged = batch.iter().zip(&scored.verdicts).take(HELD_TO);
    let judged: Vec<Sample<'_>> = judged
        .map(|(rollout, verdict)| rollout.sample(verdict))
        .collect();
    for (name, reward) in held {
        if let Err(CompileError::Rejected(why)) = reward.check_steady(&judged) {
            bail!("{name} is refused: {why}");
        }
    }
    let components = stdio::components(&scored);
    let mut out = stdout().lock();
    for place in 0..samples.len() {
        writeln!(out, "{}", line(&scored, &components, place))?;
    }
    out.flush()?;
    print_printed(&scored)
}

/// What the rewards printed, to standard error: it belongs to no line.
fn print_printed(scored: &Scored) -> anyhow::Result<()> {
    let mut err = stderr().lock();
    for (name, text) in stdio::printed(scored) {
        writeln!(err, "{} printed:", one_line(&name, 200))?;
        for line in printable(&text).lines() {
            writeln!(err, "    {line}")?;
        }
    }
    Ok(())
}

fn line(scored: &Scored, components: &[(String, Vec<f64>)], place: usize) -> Value {
    let verdict = &scored.verdicts[place];
    let mut line = json!({
        "score": scored.totals[place],
        "correct": verdict.correct,
        "extracted": verdict.extracted,
    });
    if !components.is_empty() {
        let named = components.iter();
        let here: Map<_, _> = named
            .map(|(name, column)| (name.clone(), column[place].into()))
            .collect();
        line["components"] = here.into();
    }
    line
}

fn text(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        return std::io::read_to_string(stdin()).context("cannot read standard input");
    }
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// JSON lines, also of a table.
fn lines(path: &Path) -> anyhow::Result<String> {
    let extension = path.extension().and_then(|e| e.to_str());
    if !matches!(extension, Some("csv" | "tsv" | "parquet")) {
        return text(path);
    }
    let rows = rows::read([&path.to_owned()])?;
    let lines = rows.into_iter().map(|row| Value::Object(row.columns));
    Ok(lines.map(|line| line.to_string() + "\n").collect())
}

/// A fault with the line of the sample that it came of.
fn placed(error: ScoreError, path: &Path, lines: &[usize]) -> anyhow::Error {
    let line = match &error {
        ScoreError::Fault { fault, .. } => fault.index().and_then(|at| lines.get(at)),
        _ => None,
    };
    match line {
        Some(line) => anyhow!(error).context(format!("{}:{line}", path.display())),
        None => error.into(),
    }
}

/// The samples of JSON lines, each with its line from 1.
fn samples<'a>(text: &'a str, path: &Path) -> anyhow::Result<Vec<(usize, stdio::Sample<'a>)>> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            let number = number + 1;
            let sample = serde_json::from_str(line.trim_start_matches('\u{feff}'));
            let sample = sample.map_err(|error| {
                anyhow!(
                    "{}:{number}: expected {{\"prompt\": …, \"completion\": …, \"answer\": …}}: {}",
                    path.display(),
                    of_one_line(&error)
                )
            })?;
            Ok((number, sample))
        })
        .collect()
}

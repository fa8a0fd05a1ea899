//! `probe`: what rewards are worth before any training, and what a policy could find out about them.

mod baseline;
mod print;
mod sarif;

use std::{
    io::{Write, stdout},
    time::Instant,
};

use anyhow::anyhow;
use evaluator::ExtractionConfig;
use sandbox::{CompileError, Expected, ProbeReport, Rejection, Sample};
use serde::Serialize;
use trainer_bridge::LoadedReward;

use super::rewards::{self, Named};
use crate::{
    cli::arguments::{ProbeArgs, ProbeFormat},
    domain::pool::Pool,
    judge::by_rule,
    reward::probe::{
        Comparison, Part, ProbeSet, Recorded, SourceMutants, Worth,
        exam::{Exam, Judge, Standing, Unexamined},
        findings::{Finding, dominating, findings, unexercised},
        read_hacks,
        verdict::FailOn,
    },
    terminal::screen::Screen,
};
use baseline::Baseline;

/// Rounds of timing, of which the fastest counts.
const TIMED: usize = 3;

/// Something was found that the user wanted to hear of; what it is was printed.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} of what was found fails by --fail-on; docs/probe.md says what to do about each, --baseline takes what is known"
)]
pub(super) struct Failing(usize);

pub(super) async fn run(args: ProbeArgs) -> anyhow::Result<()> {
    let mut fail_on = FailOn::default();
    for word in &args.fail_on {
        fail_on
            .add(word)
            .map_err(|why| anyhow!("--fail-on: {why}"))?;
    }
    let baseline = Baseline::read(args.baseline.as_deref())?;
    let recorded = match &args.pool {
        Some(path) => Recorded::read(path)?,
        None => Recorded {
            pool: Pool::made_up(args.world),
            scores: None,
        },
    };
    let hacks = args.hacks.as_deref().map_or(Ok(Vec::new()), read_hacks)?;
    let weights = &args.weights.weights;
    let (rewards, extraction) = rewards::each(&args.rewards, weights, &args.database).await?;
    let base = rewards::base_loaded()?;
    let set = ProbeSet::new(recorded.pool, hacks, by_rule(extraction.clone()), base)?;
    let judge = by_rule(of_shortcuts(extraction));
    let on = Bench {
        set,
        judge: &*judge,
        is_made_up: args.pool.is_none(),
    };
    let mut probed = Vec::new();
    for named in &rewards {
        probed.push(Probed::of(named, &on)?);
    }
    if let (false, Some(scores)) = (on.is_made_up, &recorded.scores) {
        compare(&mut probed, &on, ("recorded", scores));
    }
    if !on.is_made_up {
        compare_with_the_first(&mut probed, &on);
    }
    if !weights.is_empty() {
        weigh(&mut probed, &rewards, &on)?;
    }
    if args.mutants {
        mutate(&mut probed, &rewards, &on)?;
    }
    let mut failing = 0;
    for one in &mut probed {
        for finding in &mut one.findings {
            finding.known = baseline.knows(&one.reward, &finding.finding);
            failing += usize::from(!finding.known && fail_on.counts(&finding.finding));
        }
    }
    if let Some(path) = &args.write_baseline {
        baseline::write(path, &probed)?;
    }
    let mut out = stdout().lock();
    match args.format {
        ProbeFormat::Json => writeln!(out, "{}", serde_json::to_string_pretty(&probed)?)?,
        ProbeFormat::Sarif => writeln!(out, "{}", sarif::log(&probed)?)?,
        ProbeFormat::Markdown => print::markdown(&mut out, &probed)?,
        ProbeFormat::Table => print::text(&mut out, &probed, (args.full, Screen::of_stdout()))?,
    }
    match failing {
        0 => Ok(()),
        _ => Err(Failing(failing).into()),
    }
}

/// Where the verdict that a reward is given of a shortcut looks for an answer. Who takes the last number of a text for one (as the usual
/// extraction does where there is no mark) takes it from "it is not 72", too; that says something of the verdict, and nothing of the reward.
fn of_shortcuts(extraction: ExtractionConfig) -> ExtractionConfig {
    if extraction == ExtractionConfig::default() {
        ExtractionConfig::strict()
    } else {
        extraction
    }
}

/// What rewards are measured on.
struct Bench<'a> {
    set: ProbeSet,
    /// Whose verdict they are given of shortcuts.
    judge: &'a Judge,
    is_made_up: bool,
}

/// A reward and what came out.
#[derive(Debug, Serialize)]
struct Probed {
    reward: String,
    #[serde(skip)]
    spec: String,
    #[serde(flatten)]
    outcome: Outcome,
    /// The worst first.
    findings: Vec<Told>,
}

/// A finding, and whether the baseline has it.
#[derive(Debug, Serialize)]
struct Told {
    #[serde(flatten)]
    finding: Finding,
    known: bool,
}

impl From<Finding> for Told {
    fn from(finding: Finding) -> Self {
        Self {
            finding,
            known: false,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Outcome {
    /// It survived.
    Fit(Box<Fit>),
    /// It did not: a search would refuse it.
    Unfit {
        /// Why.
        refused: String,
    },
}

#[derive(Debug, Serialize)]
struct Fit {
    /// How it took odd samples.
    odd: ProbeReport,
    /// What it is worth on the pool.
    worth: Worth,
    /// What it pays, in its own format.
    exam: Exam,
    /// Wall time of one completion in a batch, the fastest of several rounds.
    microseconds_per_completion: f64,
    /// What its scores are the sums of, where it names parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
    /// What it is of the sum of all rewards, where they were weighed.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_sum: Option<Part>,
    /// How it differs from others on the same recorded completions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    against: Vec<Comparison>,
    /// What the pool shows of changes to its source, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_mutants: Option<SourceMutants>,
    /// What it printed on the pool, cut to some kilobytes.
    #[serde(skip_serializing_if = "String::is_empty")]
    printed: String,
    /// Its scores of the pool.
    #[serde(skip)]
    scores: Vec<f64>,
    /// The pool in the format it pays, where it was dressed.
    #[serde(skip)]
    dressed: Option<Dressed>,
}

/// A pool in another format.
struct Dressed(ProbeSet);

impl std::fmt::Debug for Dressed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Dressed").finish_non_exhaustive()
    }
}

impl Probed {
    fn of(named: &Named, on: &Bench<'_>) -> anyhow::Result<Self> {
        let examined = match &named.loaded {
            Ok(member) => examine(member, on),
            Err(rejection) => Err(Unfit::Compile(CompileError::Rejected(rejection.clone()))),
        };
        let (outcome, findings) = match examined {
            Ok((fit, findings)) => (Outcome::Fit(Box::new(fit)), findings),
            Err(Unfit::Compile(CompileError::Rejected(why))) => {
                let refused = why.to_string();
                let finding = Finding::refused(&refused);
                (Outcome::Unfit { refused }, vec![finding])
            }
            Err(Unfit::Compile(CompileError::Host(error))) => return Err(error.into()),
            Err(Unfit::Judge(error)) => return Err(error.into()),
        };
        Ok(Self {
            reward: named.name.clone(),
            spec: named.spec.clone(),
            outcome,
            findings: findings.into_iter().map(Told::from).collect(),
        })
    }

    fn fit(&self) -> Option<&Fit> {
        match &self.outcome {
            Outcome::Fit(fit) => Some(fit),
            Outcome::Unfit { .. } => None,
        }
    }

    fn fit_mut(&mut self) -> Option<&mut Fit> {
        match &mut self.outcome {
            Outcome::Fit(fit) => Some(fit),
            Outcome::Unfit { .. } => None,
        }
    }
}

/// Why a reward has no figures.
enum Unfit {
    Compile(CompileError),
    Judge(Unexamined),
}

impl From<CompileError> for Unfit {
    fn from(error: CompileError) -> Self {
        Self::Compile(error)
    }
}

impl From<Rejection> for Unfit {
    fn from(rejection: Rejection) -> Self {
        Self::Compile(CompileError::Rejected(rejection))
    }
}

fn examine(member: &LoadedReward, on: &Bench<'_>) -> Result<(Fit, Vec<Finding>), Unfit> {
    let reward = &member.reward;
    let pool = on.set.samples();
    // Where the pool has columns, odd samples are given them.
    let columns = pool.iter().find(|sample| !sample.row.is_empty());
    let columns = columns.map_or(&[][..], std::slice::from_ref);
    let odd = sandbox::probe_for(reward, columns, Expected::of(&pool))?;
    let went_wrong = |fault| Rejection::Probe {
        sample: "a completion of the pool, or a hack".to_owned(),
        fault,
    };
    let examined = on.set.examine(reward, (on.judge, on.is_made_up));
    let examined = examined.map_err(|error| match error {
        Unexamined::Fault(fault) => Unfit::from(went_wrong(fault)),
        error @ Unexamined::Judge(_) => Unfit::Judge(error),
    })?;
    let set = examined.dressed.as_ref().unwrap_or(&on.set);
    let (worth, scores) = set.measured(reward).map_err(went_wrong)?;
    let samples = set.samples();
    let named = reward.score_parts(&samples).map_err(went_wrong)?;
    let seconds = fastest(member, &samples);
    // One part is the whole.
    let parts: Vec<(String, Vec<f64>)> = match named.components.len() {
        0 | 1 => Vec::new(),
        _ => named
            .components
            .into_iter()
            .map(|component| (component.name, component.values))
            .collect(),
    };
    let parts = set.parts(&parts);
    let found = findings(&worth, &examined.exam, &parts);
    let fit = Fit {
        microseconds_per_completion: 1e6 * seconds / worth.completions as f64,
        odd,
        worth,
        exam: examined.exam,
        parts,
        in_sum: None,
        against: Vec::new(),
        source_mutants: None,
        printed: named.printed,
        scores,
        dressed: examined.dressed.map(Dressed),
    };
    Ok((fit, found))
}

/// Wall seconds of the fastest round over all samples.
fn fastest(member: &LoadedReward, samples: &[Sample<'_>]) -> f64 {
    let round = |_| {
        let started = Instant::now();
        // It has scored these before.
        let _ = member.reward.score(samples);
        started.elapsed().as_secs_f64()
    };
    (0..TIMED).map(round).fold(f64::INFINITY, f64::min)
}

/// Says of every reward how it differs from these scores of the same completions.
fn compare(probed: &mut [Probed], on: &Bench<'_>, with: (&str, &[f64])) {
    for fit in probed.iter_mut().filter_map(Probed::fit_mut) {
        let compared = on.set.compared(&fit.scores, with);
        fit.against.push(compared);
    }
}

fn compare_with_the_first(probed: &mut [Probed], on: &Bench<'_>) {
    let Some((first, others)) = probed.split_first_mut() else {
        return;
    };
    if let Some(fit) = first.fit() {
        compare(others, on, (&first.reward, &fit.scores));
    }
}

/// Tries changes to the source of each reward on the pool in the format it pays.
fn mutate(probed: &mut [Probed], all: &[Named], on: &Bench<'_>) -> anyhow::Result<()> {
    let bench = rewards::bench();
    for (one, named) in probed.iter_mut().zip(all) {
        let Some(source) = &named.source else {
            tracing::warn!("{} has no source to change", named.name);
            continue;
        };
        let Some(fit) = one.fit_mut() else { continue };
        let set = fit.dressed.as_ref().map_or(&on.set, |dressed| &dressed.0);
        let with = (&bench, &named.limits);
        let mutants = set.source_mutants(source, &fit.scores, with)?;
        let found = unexercised(&mutants);
        fit.source_mutants = Some(mutants);
        one.findings.extend(found.map(Told::from));
    }
    Ok(())
}

/// Takes all rewards for one sum: on the pool in the format of the first that right answers can be told from wrong ones by.
fn weigh(probed: &mut [Probed], rewards: &[Named], on: &Bench<'_>) -> anyhow::Result<()> {
    let is_calibrated = |fit: &&Fit| fit.exam.calibration.standing == Standing::Calibrated;
    let leading = probed.iter().filter_map(Probed::fit).find(is_calibrated);
    let dressed = leading.and_then(|fit| fit.dressed.as_ref());
    let set = dressed.map_or(&on.set, |dressed| &dressed.0);
    let samples = set.samples();
    let mut members = Vec::new();
    for named in rewards {
        if let Ok(member) = &named.loaded
            && probed
                .iter()
                .any(|one| one.reward == named.name && one.fit().is_some())
        {
            let scores = member.reward.score(&samples)?;
            let weighted = scores.iter().map(|score| member.weight * score).collect();
            members.push((named.name.clone(), weighted));
        }
    }
    let parts = set.parts(&members);
    let dominating = dominating(&parts);
    for one in probed {
        let Some(part) = parts.iter().find(|part| part.part == one.reward) else {
            continue;
        };
        let found = dominating.iter().filter(|found| found.about == one.reward);
        one.findings.extend(found.cloned().map(Told::from));
        if let Some(fit) = one.fit_mut() {
            fit.in_sum = Some(part.clone());
        }
    }
    Ok(())
}

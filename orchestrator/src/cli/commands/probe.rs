//! `probe`: what rewards are worth before any training.

use std::{
    io::{Write, stdout},
    time::Instant,
};

use sandbox::{CompileError, Component, ProbeReport, Rejection, Sample};
use serde::Serialize;
use trainer_bridge::LoadedReward;

use super::rewards;
use crate::{
    cli::arguments::{ProbeArgs, ProbeFormat},
    domain::pool::Pool,
    judge::by_rule,
    reward::probe::{ProbeSet, Worth, read_hacks},
    terminal::worth::{hacks_table, summary},
    text::one_line,
};

/// Rounds of timing, of which the fastest counts.
const TIMED: usize = 3;

pub(super) async fn run(args: ProbeArgs) -> anyhow::Result<()> {
    let pool = match &args.pool {
        Some(path) => Pool::read(path)?,
        None => Pool::made_up(),
    };
    let hacks = args.hacks.as_deref().map_or(Ok(Vec::new()), read_hacks)?;
    let (rewards, extraction) = rewards::each(&args.rewards, &args.database).await?;
    let base = rewards::base_loaded()?;
    let probe_set = ProbeSet::new(pool, hacks, by_rule(extraction), base)?;
    let probed: Vec<Probed> = rewards
        .into_iter()
        .map(|(name, loaded)| Probed::of(name, loaded, &probe_set))
        .collect::<anyhow::Result<_>>()?;
    print(&mut stdout().lock(), args.format, &probed)
}

/// A reward and what came out.
#[derive(Debug, Serialize)]
struct Probed {
    reward: String,
    #[serde(flatten)]
    finding: Finding,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Finding {
    /// It survived.
    Fit {
        /// How it took odd samples.
        odd: ProbeReport,
        /// What it is worth on the pool.
        worth: Box<Worth>,
        /// Wall time of one completion in a batch, the fastest of several rounds.
        microseconds_per_completion: f64,
        /// What its scores are the sums of, where it names parts.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        parts: Vec<Part>,
        /// What it printed on the pool, cut to some kilobytes.
        #[serde(skip_serializing_if = "String::is_empty")]
        printed: String,
    },
    /// It did not: a search would refuse it.
    Unfit {
        /// Why.
        refused: String,
    },
}

/// A named part of a reward on the pool.
#[derive(Debug, Serialize)]
struct Part {
    part: String,
    lowest: f64,
    highest: f64,
    mean: f64,
}

impl Part {
    fn of(component: &Component) -> Self {
        let values = &component.values;
        Self {
            part: component.name.clone(),
            lowest: values.iter().copied().fold(f64::INFINITY, f64::min),
            highest: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            mean: values.iter().sum::<f64>() / values.len() as f64,
        }
    }
}

impl Probed {
    fn of(
        reward: String,
        loaded: Result<LoadedReward, Rejection>,
        probe_set: &ProbeSet,
    ) -> anyhow::Result<Self> {
        let examined = loaded
            .map_err(CompileError::Rejected)
            .and_then(|member| examine(&member, probe_set));
        let finding = match examined {
            Ok(fit) => fit,
            Err(CompileError::Rejected(why)) => Finding::Unfit {
                refused: why.to_string(),
            },
            Err(CompileError::Host(error)) => return Err(error.into()),
        };
        Ok(Self { reward, finding })
    }
}

fn examine(member: &LoadedReward, probe_set: &ProbeSet) -> Result<Finding, CompileError> {
    let odd = sandbox::probe(&member.reward, &[])?;
    let on_the_pool = |fault| Rejection::Probe {
        sample: "a completion of the pool, or a hack".to_owned(),
        fault,
    };
    let worth = probe_set.measure(&member.reward).map_err(on_the_pool)?;
    let samples = probe_set.samples();
    let scores = member.reward.score_parts(&samples).map_err(on_the_pool)?;
    let seconds = fastest(member, &samples);
    // One part is the whole.
    let parts = if scores.components.len() > 1 {
        scores.components.iter().map(Part::of).collect()
    } else {
        Vec::new()
    };
    Ok(Finding::Fit {
        microseconds_per_completion: 1e6 * seconds / worth.completions as f64,
        odd,
        worth: Box::new(worth),
        parts,
        printed: scores.printed,
    })
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

fn print(out: &mut impl Write, format: ProbeFormat, probed: &[Probed]) -> anyhow::Result<()> {
    if format == ProbeFormat::Json {
        writeln!(out, "{}", serde_json::to_string_pretty(probed)?)?;
        return Ok(());
    }
    for Probed { reward, finding } in probed {
        writeln!(out, "{}", one_line(reward, 200))?;
        print_finding(out, finding)?;
    }
    Ok(())
}

fn print_finding(out: &mut impl Write, finding: &Finding) -> anyhow::Result<()> {
    let (odd, worth, microseconds, parts, printed) = match finding {
        Finding::Unfit { refused } => {
            writeln!(out, "  refused: {}", one_line(refused, 500))?;
            return Ok(());
        }
        Finding::Fit {
            odd,
            worth,
            microseconds_per_completion,
            parts,
            printed,
        } => (odd, worth, microseconds_per_completion, parts, printed),
    };
    let mut row = |name: &str, value: &str| writeln!(out, "  {name:28} {value}");
    row(
        "odd samples",
        &format!("survived, {} to {}", odd.lowest, odd.highest),
    )?;
    for (name, value) in summary(worth) {
        row(&name, &value)?;
    }
    for part in parts {
        let name = format!("part {}", one_line(&part.part, 60));
        row(
            &name,
            &format!("{} to {}, mean {:.3}", part.lowest, part.highest, part.mean),
        )?;
    }
    row(
        "time",
        &format!("{microseconds:.1} microseconds a completion"),
    )?;
    if !printed.is_empty() {
        row("printed", &one_line(printed, 300))?;
    }
    writeln!(out, "{}\n", hacks_table(&worth.hacks))?;
    Ok(())
}

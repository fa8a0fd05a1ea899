//! The finalists on Test: figures over several training seeds, and how sure we are that they beat the base rewards.

use std::{cmp::Ordering, collections::BTreeSet};

use evaluator::{
    Agreement, BootstrapConfig, ConfidenceInterval, Estimate, Evaluation, Outcome, mcnemar_of,
    pooled_difference, pooled_f1,
};
use serde::Serialize;

use super::{
    arm_names::ArmNames,
    comparison::{Pair, pairs},
    rank::{Comparison, adjusted},
};
use crate::{
    domain::{
        figures::bootstrap_of,
        traces::Flag,
        trial::{Arm, BASE_ONLY, Stage, TrialId, TrialState},
    },
    store::Snapshot,
};

/// One finalist.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Confirmed {
    /// Its name.
    pub name: String,
    /// What it is made of.
    pub members: Vec<String>,
    /// Optimiser steps of each run.
    pub steps: u32,
    /// Mean F1 over the seeds, with an interval that resamples seeds and questions.
    pub f1: Estimate,
    /// F1 of each seed.
    pub per_seed: Vec<f64>,
    /// Mean F1 minus that of the base rewards alone, on the same questions; the interval resamples questions and seeds, each for both at
    /// once. Absent unless both are done with the same seeds.
    pub minus_base: Option<Estimate>,
    /// The exact paired sign test against the base rewards alone: `only_this` counts the questions it got right with more of the seeds.
    /// Its p speaks of new questions for these very policies: it takes the trained seeds as they are. What other seeds would have given,
    /// the interval of `minus_base` tells.
    pub vs_base: Option<Comparison>,
    /// Seeds planned but failed or not done yet.
    pub missing: usize,
    /// Signs that the reward was hacked, in the training of any seed or in how it pays what its own policies write; absent where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
}

impl Confirmed {
    /// What a person should know before this is trained with in earnest: the signs that it was hacked, and the finalist that is ahead of it
    /// on Test by whole intervals, if one is.
    #[must_use]
    pub fn cautions(&self, finalists: &[Self]) -> Vec<String> {
        let range = |f1: &Estimate| {
            let ConfidenceInterval { lower, upper, .. } = f1.interval;
            format!("{:.3} [{lower:.3}, {upper:.3}]", f1.point)
        };
        let ahead = finalists
            .iter()
            .filter(|other| other.steps == self.steps && other.name != BASE_ONLY)
            .filter(|other| other.f1.interval.lower > self.f1.interval.upper)
            .max_by(|a, b| a.f1.point.total_cmp(&b.f1.point));
        let ahead = ahead.map(|other| {
            let kind = match other.members.contains(&other.name) {
                true => "",
                false => "--ensemble ",
            };
            format!(
                "on Test `{}` is ahead of `{}`: F1 {} against {}; to take it: {kind}{}",
                other.name,
                self.name,
                range(&other.f1),
                range(&self.f1),
                other.name
            )
        });
        let flags = self.flags.iter();
        let flags = flags.map(|flag| format!("the audit of `{}`: {}", self.name, flag.told));
        ahead.into_iter().chain(flags).collect()
    }
}

/// The runs of one finalist that are done.
struct Runs<'a> {
    arm: Arm,
    name: String,
    steps: u32,
    /// Seed numbers with what was judged.
    seeds: Vec<(u32, &'a Evaluation)>,
    trials: Vec<TrialId>,
    missing: usize,
}

impl Runs<'_> {
    fn evaluations(&self) -> Vec<Evaluation> {
        self.seeds
            .iter()
            .map(|(_, evaluation)| (*evaluation).clone())
            .collect()
    }

    fn same_seeds(&self, other: &Self) -> bool {
        self.seeds
            .iter()
            .map(|s| s.0)
            .eq(other.seeds.iter().map(|s| s.0))
    }
}

pub(super) fn confirmed(
    arms: &ArmNames<'_>,
    snapshot: &Snapshot,
    bootstrap: &BootstrapConfig,
) -> Vec<Confirmed> {
    let runs = collect(arms, snapshot);
    // Where a search was given more steps for confirmation, there are runs of several budgets: each is compared with its own.
    let longest = runs.iter().map(|run| run.steps).max().unwrap_or(0);
    let budget = |run: &Runs<'_>| match run.arm {
        Arm::Untouched => longest,
        _ => run.steps,
    };
    let base_of = |run: &Runs<'_>| {
        let same = |base: &&Runs<'_>| base.arm == Arm::BaseOnly && base.steps == budget(run);
        let base = runs.iter().find(same)?;
        (run.arm != base.arm && run.same_seeds(base)).then_some(base)
    };
    let mut comparisons = vec![None; runs.len()];
    let budgets: BTreeSet<u32> = runs.iter().map(budget).collect();
    for steps in budgets {
        let tests = runs.iter().map(|run| {
            let base = base_of(run).filter(|_| budget(run) == steps)?;
            Some(mcnemar_of(agreement(
                &run.evaluations(),
                &base.evaluations(),
            )))
        });
        for (known, found) in comparisons.iter_mut().zip(adjusted(tests.collect())) {
            *known = found.or(*known);
        }
    }
    let mut confirmed: Vec<(u32, Confirmed)> = runs
        .iter()
        .zip(comparisons)
        .filter_map(|(run, vs_base)| {
            let seeds = run.evaluations();
            let confirmed = Confirmed {
                name: run.name.clone(),
                members: arms.members(run.arm),
                steps: run.steps,
                f1: pooled_f1(&seeds, bootstrap).ok()?,
                per_seed: seeds.iter().map(Evaluation::f1).collect(),
                minus_base: base_of(run).and_then(|base| {
                    pooled_difference(&seeds, &base.evaluations(), bootstrap).ok()
                }),
                vs_base,
                missing: run.missing,
                flags: flags(&run.trials, snapshot),
            };
            Some((budget(run), confirmed))
        })
        .collect();
    confirmed.sort_by(|(a_steps, a), (b_steps, b)| {
        let by_f1 = b.f1.point.total_cmp(&a.f1.point);
        b_steps.cmp(a_steps).then(by_f1)
    });
    confirmed.into_iter().map(|(_, row)| row).collect()
}

fn collect<'a>(arms: &ArmNames<'_>, snapshot: &'a Snapshot) -> Vec<Runs<'a>> {
    let mut runs: Vec<Runs<'a>> = Vec::new();
    for trial in &snapshot.trials {
        let Stage::Confirm { seed } = trial.stage else {
            continue;
        };
        let at = runs
            .iter()
            .position(|run| (run.arm, run.steps) == (trial.arm, trial.steps))
            .unwrap_or_else(|| {
                runs.push(Runs {
                    arm: trial.arm,
                    name: arms.name(trial.arm),
                    steps: trial.steps,
                    seeds: Vec::new(),
                    trials: Vec::new(),
                    missing: 0,
                });
                runs.len() - 1
            });
        match snapshot.evaluations.get(&trial.id) {
            Some(stored) if trial.state == TrialState::Complete => {
                runs[at].seeds.push((seed, &stored.evaluation));
                runs[at].trials.push(trial.id);
            }
            _ => runs[at].missing += 1,
        }
    }
    runs.retain(|run| !run.seeds.is_empty());
    for run in &mut runs {
        run.seeds.sort_by_key(|(seed, _)| *seed);
    }
    runs
}

/// The signs seen in any of some trials, each once, with what was seen first.
fn flags(trials: &[TrialId], snapshot: &Snapshot) -> Vec<Flag> {
    let traces = trials.iter().filter_map(|trial| snapshot.traces.get(trial));
    let attacks = trials
        .iter()
        .filter_map(|trial| snapshot.attacks.get(trial));
    let of_attacks = attacks.flatten().flat_map(|attack| attack.flags());
    let mut all: Vec<Flag> = Vec::new();
    for flag in traces.flat_map(|traces| traces.flags()).chain(of_attacks) {
        if all.iter().all(|known| known.sign != flag.sign) {
            all.push(flag);
        }
    }
    all.sort_by_key(|flag| flag.sign);
    all
}

/// All pairs of what was confirmed with the first seed, whatever its budget, as the reference paper tests them; the base rewards alone and the
/// untouched model are not among them.
pub(super) fn all_pairs(arms: &ArmNames<'_>, snapshot: &Snapshot) -> Vec<Pair> {
    let runs = collect(arms, snapshot);
    let mixes: Vec<&Runs<'_>> = runs
        .iter()
        .filter(|run| matches!(run.arm, Arm::Ensemble(_)))
        .collect();
    let models: Vec<(String, Evaluation)> = mixes
        .iter()
        .filter_map(|run| {
            let (_, evaluation) = run.seeds.first()?;
            let twice = mixes.iter().filter(|other| other.arm == run.arm).count() > 1;
            let name = match twice {
                true => format!("{} ({} steps)", run.name, run.steps),
                false => run.name.clone(),
            };
            Some((name, (*evaluation).clone()))
        })
        .collect();
    // Of other questions there are no pairs.
    pairs(&models, &bootstrap_of(snapshot.search.seed)).unwrap_or_default()
}

/// Who got each question right with more of the seeds, so that a question enters the test once however many seeds there are. The exact
/// test on the questions where they differ is the paired sign test; with one seed it is McNemar's.
fn agreement(these: &[Evaluation], reference: &[Evaluation]) -> Agreement {
    let right = |seeds: &[Evaluation], question: usize| {
        seeds
            .iter()
            .filter(|e| e.outcomes().get(question) == Some(&Outcome::Correct))
            .count()
    };
    let mut table = Agreement {
        both: 0,
        only_a: 0,
        only_b: 0,
        neither: 0,
    };
    for question in 0..these.first().map_or(0, |e| e.outcomes().len()) {
        let (a, b) = (right(these, question), right(reference, question));
        match a.cmp(&b) {
            Ordering::Greater => table.only_a += 1,
            Ordering::Less => table.only_b += 1,
            Ordering::Equal if a > 0 => table.both += 1,
            Ordering::Equal => table.neither += 1,
        }
    }
    table
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_question_goes_to_whom_more_seeds_got_it_right() {
        let seeds = |texts: [&str; 2]| texts.map(|s| Evaluation::from_bytes(s.as_bytes()).unwrap());
        let table = agreement(&seeds(["ccwwc", "cwnwc"]), &seeds(["cwwwc", "wwwcw"]));
        assert_eq!(
            table,
            Agreement {
                both: 0,
                only_a: 3,
                only_b: 1,
                neither: 1
            }
        );
    }

    #[test]
    fn a_finalist_is_cautioned_of_by_its_flags_and_by_whom_is_ahead_beyond_doubt() {
        let finalist = |name: &str, members: &[&str], point: f64, steps| Confirmed {
            name: name.to_owned(),
            members: members.iter().map(|&member| member.to_owned()).collect(),
            steps,
            f1: Estimate {
                point,
                standard_error: 0.01,
                interval: ConfidenceInterval {
                    lower: point - 0.02,
                    upper: point + 0.02,
                    level: 0.95,
                },
            },
            per_seed: vec![point],
            minus_base: None,
            vs_base: None,
            missing: 0,
            flags: Vec::new(),
        };
        let mut all = vec![
            finalist("longer-trained", &["longer-trained"], 0.99, 120),
            finalist(BASE_ONLY, &["base/a"], 0.9, 60),
            finalist("top-3", &["a", "b", "c"], 0.7, 60),
            finalist("b", &["b"], 0.69, 60),
            finalist("a", &["a"], 0.1, 60),
        ];
        assert_eq!(all[2].cautions(&all), [""; 0]);
        assert_eq!(all[3].cautions(&all), [""; 0], "the intervals overlap");
        let ahead = "on Test `top-3` is ahead of `a`: F1 0.700 [0.680, 0.720] against 0.100 [0.080, 0.120]; to take it: --ensemble top-3";
        assert_eq!(all[4].cautions(&all), [ahead]);
        all[4].flags.push(Flag {
            sign: crate::domain::traces::Sign::LengthDrift,
            told: "shorter".to_owned(),
        });
        assert_eq!(all[4].cautions(&all)[1], "the audit of `a`: shorter");
        all.remove(2);
        assert!(all[3].cautions(&all)[0].ends_with("to take it: b"));
    }
}

//! The finalists on Test: figures over several training seeds, and how sure we are that they beat the base rewards.

use std::collections::HashMap;

use evaluator::{BootstrapConfig, Estimate, Evaluation, Outcome, pooled_difference, pooled_f1};
use serde::Serialize;

use super::ArmNames;
use crate::{
    rank::{Comparison, compare_all},
    search::BASE_ONLY,
    store::{StoredEvaluation, TrialRow},
    trial::{Arm, Stage, TrialId, TrialState},
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
    /// Mean F1 minus that of the base rewards alone, on the same questions; the interval resamples questions for both at once and the
    /// seeds of each. Absent unless both are done with the same seeds.
    pub minus_base: Option<Estimate>,
    /// McNemar against the base rewards alone; a question counts as right when most seeds got it right.
    pub vs_base: Option<Comparison>,
    /// Seeds planned but failed or not done yet.
    pub missing: usize,
}

/// The runs of one finalist that are done.
struct Runs<'a> {
    arm: Arm,
    name: String,
    steps: u32,
    /// Seed numbers with what was judged.
    seeds: Vec<(u32, &'a Evaluation)>,
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
    trials: &[TrialRow],
    evaluations: &HashMap<TrialId, StoredEvaluation>,
    bootstrap: &BootstrapConfig,
) -> Vec<Confirmed> {
    let runs = collect(arms, trials, evaluations);
    let base = runs
        .iter()
        .find(|run| matches!(run.arm, Arm::Ensemble(_)) && run.name == BASE_ONLY);
    let is_rival = |run: &Runs<'_>, base: &Runs<'_>| run.arm != base.arm && run.same_seeds(base);
    let majorities: Vec<Option<Evaluation>> = runs
        .iter()
        .map(|run| {
            base.filter(|base| is_rival(run, base))
                .and_then(|_| majority(&run.evaluations()))
        })
        .collect();
    let rivals: Vec<Option<&Evaluation>> = majorities.iter().map(Option::as_ref).collect();
    let comparisons = match base.and_then(|base| majority(&base.evaluations())) {
        Some(base) => compare_all(&rivals, &base),
        None => vec![None; runs.len()],
    };
    let mut confirmed: Vec<Confirmed> = runs
        .iter()
        .zip(comparisons)
        .filter_map(|(run, vs_base)| {
            let seeds = run.evaluations();
            Some(Confirmed {
                name: run.name.clone(),
                members: arms.members(run.arm),
                steps: run.steps,
                f1: pooled_f1(&seeds, bootstrap).ok()?,
                per_seed: seeds.iter().map(Evaluation::f1).collect(),
                minus_base: base.filter(|base| is_rival(run, base)).and_then(|base| {
                    pooled_difference(&seeds, &base.evaluations(), bootstrap).ok()
                }),
                vs_base,
                missing: run.missing,
            })
        })
        .collect();
    confirmed.sort_by(|a, b| b.f1.point.total_cmp(&a.f1.point));
    confirmed
}

fn collect<'a>(
    arms: &ArmNames<'_>,
    trials: &[TrialRow],
    evaluations: &'a HashMap<TrialId, StoredEvaluation>,
) -> Vec<Runs<'a>> {
    let mut runs: Vec<Runs<'a>> = Vec::new();
    for row in trials {
        let Stage::Confirm { seed } = row.trial.stage else {
            continue;
        };
        let at = runs
            .iter()
            .position(|run| run.arm == row.trial.arm)
            .unwrap_or_else(|| {
                runs.push(Runs {
                    arm: row.trial.arm,
                    name: arms.name(row.trial.arm),
                    steps: row.trial.steps,
                    seeds: Vec::new(),
                    missing: 0,
                });
                runs.len() - 1
            });
        match evaluations.get(&row.trial.id) {
            Some(stored) if row.trial.state == TrialState::Complete => {
                runs[at].seeds.push((seed, &stored.evaluation));
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

/// Right where more than half of the seeds are right; so each question enters a McNemar test once.
fn majority(seeds: &[Evaluation]) -> Option<Evaluation> {
    let questions = seeds.first()?.outcomes().len();
    let outcomes = (0..questions)
        .map(|question| {
            let right = seeds
                .iter()
                .filter(|e| e.outcomes().get(question) == Some(&Outcome::Correct))
                .count();
            if 2 * right > seeds.len() {
                Outcome::Correct
            } else {
                Outcome::Wrong
            }
        })
        .collect();
    Evaluation::new(outcomes).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_question_is_right_when_most_seeds_got_it_right() {
        let seeds = ["ccw", "cnw", "wcc"].map(|s| Evaluation::from_bytes(s.as_bytes()).unwrap());
        let majority = majority(&seeds).unwrap();
        assert_eq!(majority.to_bytes(), b"ccw");
    }
}

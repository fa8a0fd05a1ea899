//! The mixes that follow from the ranking alone, without any further training.

use std::collections::{HashMap, HashSet};

use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::{
    config::{Config, MixKind},
    domain::{candidate::CandidateId, seed::derive_seed},
};

/// A reward looks at correctness where this share of right completions is paid more than wrong ones to the same question (ties count half):
/// an exact check has 1, the reference paper's answer check, which pays for closeness, clearly less.
const CORRECTNESS_AUC: f64 = 0.95;
/// Members of the correctness-only mix, and of the random one.
const MEMBERS: usize = 5;

/// A mix before it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mix {
    pub(super) name: String,
    pub(super) members: Vec<CandidateId>,
    /// Optimiser steps of its confirmation.
    pub(super) steps: u32,
}

/// What is known of the candidates.
pub(super) struct Known<'a> {
    /// Distinct ones, best first.
    pub(super) best: &'a [CandidateId],
    /// Their rounds.
    pub(super) rounds: &'a HashMap<CandidateId, u32>,
    /// AUC within groups of those whose probe has one.
    pub(super) auc: &'a HashMap<CandidateId, f64>,
    /// The search's seed.
    pub(super) seed: u64,
}

/// The mixes that a configuration asks for, as far as there are candidates for them.
pub(super) fn of(config: &Config, known: &Known<'_>) -> Vec<Mix> {
    let steps = config.confirm.steps;
    let mut mixes: Vec<Mix> = config
        .ensemble_sizes()
        .into_iter()
        .filter_map(|size| top(size, steps, known))
        .collect();
    if config.is_papers_set() {
        // Of the paper's seven ensembles one is the same rewards after fewer steps.
        mixes.extend(top(5, config.shorter_steps(), known));
    }
    for kind in config.mix_kinds() {
        let members = match kind {
            MixKind::DiverseRounds => diverse(known),
            MixKind::CorrectnessOnly => correctness(known),
            MixKind::Random => random(known),
        };
        mixes.push(Mix {
            name: kind.name().to_owned(),
            members,
            steps,
        });
    }
    mixes.retain(|mix| mix.members.len() > 1);
    mixes
}

/// The best so many.
fn top(size: usize, steps: u32, known: &Known<'_>) -> Option<Mix> {
    Some(Mix {
        name: format!("top-{size}"),
        members: known.best.get(..size)?.to_vec(),
        steps,
    })
}

/// The best of each round.
fn diverse(known: &Known<'_>) -> Vec<CandidateId> {
    let mut seen = HashSet::new();
    let best = known.best.iter().copied();
    best.filter(|id| {
        known
            .rounds
            .get(id)
            .is_some_and(|round| seen.insert(*round))
    })
    .collect()
}

/// The best of those that look at correctness.
fn correctness(known: &Known<'_>) -> Vec<CandidateId> {
    let looks = |id: &CandidateId| known.auc.get(id).is_some_and(|auc| *auc >= CORRECTNESS_AUC);
    let best = known.best.iter().copied().filter(looks);
    best.take(MEMBERS).collect()
}

/// Some, drawn by the search's seed: the paper's control.
fn random(known: &Known<'_>) -> Vec<CandidateId> {
    let mut rng = ChaCha8Rng::seed_from_u64(derive_seed(known.seed, "ensemble/random"));
    let mut all = known.best.to_vec();
    // In the order of proposal, so that the draw does not depend on the ranking.
    all.sort_unstable();
    all.shuffle(&mut rng);
    all.truncate(MEMBERS);
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn config(rest: &str) -> Config {
        let text = format!("search = {{name = 'x'{rest}\ntask = {{kind = 'toy'}}");
        toml::from_str(&text).unwrap()
    }

    /// Twelve candidates of three rounds, best first; every third looks at correctness.
    fn mixes(config: &Config) -> Vec<(String, Vec<i64>, u32)> {
        let best: Vec<CandidateId> = (1..=12).map(CandidateId).collect();
        let rounds = best.iter().map(|id| (*id, 1 + (id.0 / 5) as u32)).collect();
        let auc = best
            .iter()
            .map(|id| (*id, if id.0 % 3 == 0 { 0.99 } else { 0.7 }))
            .collect();
        let known = Known {
            best: &best,
            rounds: &rounds,
            auc: &auc,
            seed: 1,
        };
        let told = of(config, &known).into_iter();
        told.map(|mix| {
            (
                mix.name,
                mix.members.iter().map(|id| id.0).collect(),
                mix.steps,
            )
        })
        .collect()
    }

    #[test]
    fn by_default_there_are_the_best_three_and_the_best_five() {
        let mixes = mixes(&config("}"));
        assert_eq!(
            mixes,
            [
                ("top-3".to_owned(), vec![1, 2, 3], 60),
                ("top-5".to_owned(), vec![1, 2, 3, 4, 5], 60)
            ]
        );
    }

    #[test]
    fn the_papers_seven_are_one_setting() {
        let config = config("}\nensemble = {set = 'paper'}\nconfirm = {steps = 500}");
        let mixes = mixes(&config);
        let told: Vec<(&str, usize, u32)> = mixes.iter().map(|m| (&*m.0, m.1.len(), m.2)).collect();
        assert_eq!(
            told,
            [
                ("top-3", 3, 500),
                ("top-5", 5, 500),
                ("top-7", 7, 500),
                ("top-10", 10, 500),
                ("top-5", 5, 300),
                ("diverse-rounds", 3, 500),
                ("correctness-only", 4, 500),
                ("random-5", 5, 500),
            ],
            "and the five random ones, which are a control"
        );
        assert_eq!(mixes[5].1, [1, 5, 10], "the best of each round");
        assert_eq!(mixes[6].1, [3, 6, 9, 12]);
    }

    #[test]
    fn a_mix_with_too_few_members_is_left_out() {
        let config = config(
            "}\nensemble = {sizes = [2], kinds = ['diverse_rounds', 'correctness_only', 'random']}",
        );
        let known = Known {
            best: &[CandidateId(1)],
            rounds: &HashMap::from([(CandidateId(1), 1)]),
            auc: &HashMap::new(),
            seed: 1,
        };
        assert_eq!(of(&config, &known), []);
    }
}

//! The grammar as a proposer: what follows from a history, and whether feedback helps.

#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use super::*;
use crate::{
    domain::candidate::Origin,
    proposer::{Background, Study},
};

fn grammar() -> Grammar {
    Grammar::new(GrammarConfig::default()).unwrap()
}

fn brief(round: u32, seed: u64, history: &[PastCandidate]) -> Brief<'_> {
    Brief {
        round,
        count: 8,
        seed,
        history,
        problems: &[],
        format_hint: "",
        background: Background::NONE,
    }
}

fn past(draft: &Draft, round: u32, fate: Fate) -> PastCandidate {
    PastCandidate {
        origin: Origin::Round(round),
        draft: draft.clone(),
        fate,
        study: Study::default(),
    }
}

fn ranked(rank: usize, f1: f64) -> Fate {
    Fate::Ranked {
        rank,
        f1,
        interval: [f1 - 0.05, f1 + 0.05],
        accuracy: f1 / (2.0 - f1),
        answer_rate: 1.0,
    }
}

/// A stand-in for training, only to see whether feedback moves a search: pays for distance to an arbitrary target recipe,
/// so that the test holds for whichever measures happen to matter.
fn pretend_f1(draft: &Draft, target: &[&str]) -> f64 {
    let recipe = Recipe::in_source(&draft.source.code).unwrap();
    let mass: f64 = recipe.parts().iter().map(|part| part.weight.value()).sum();
    let hit: f64 = recipe
        .parts()
        .iter()
        .filter(|part| target.contains(&part.term.measure.id))
        .map(|part| part.weight.value())
        .sum();
    let found = target
        .iter()
        .filter(|id| {
            recipe
                .parts()
                .iter()
                .any(|part| part.term.measure.id == **id)
        })
        .count() as f64;
    0.5 * hit / mass + 0.5 * found / target.len() as f64
}

/// Mean and best pretended F1 of each round of a search.
fn search(seed: u64, rounds: u32, target: &[&str]) -> Vec<(f64, f64)> {
    search_of(&grammar(), seed, rounds, target)
}

fn search_of(grammar: &Grammar, seed: u64, rounds: u32, target: &[&str]) -> Vec<(f64, f64)> {
    let mut all: Vec<(Draft, u32, f64)> = Vec::new();
    let mut history = Vec::new();
    let mut rows = Vec::new();
    for round in 1..=rounds {
        let drafts = grammar.drafts(&brief(round, seed * 1000 + u64::from(round), &history));
        let scores: Vec<f64> = drafts.iter().map(|d| pretend_f1(d, target)).collect();
        rows.push((
            scores.iter().sum::<f64>() / scores.len() as f64,
            scores.iter().copied().fold(0.0, f64::max),
        ));
        all.extend(drafts.into_iter().zip(scores).map(|(d, s)| (d, round, s)));
        all.sort_by(|a, b| b.2.total_cmp(&a.2));
        history = all
            .iter()
            .enumerate()
            .map(|(i, (draft, round, f1))| past(draft, *round, ranked(i + 1, *f1)))
            .collect();
    }
    rows
}

#[test]
fn the_same_brief_gives_the_same_drafts() {
    let first = grammar().drafts(&brief(1, 5, &[]));
    assert_eq!(first, grammar().drafts(&brief(1, 5, &[])));
    assert_ne!(first, grammar().drafts(&brief(1, 6, &[])));
    assert_eq!(first.len(), 8);
}

#[test]
fn names_and_recipes_never_repeat() {
    let mut history = Vec::new();
    let (mut names, mut recipes) = (HashSet::new(), HashSet::new());
    for round in 1..=12 {
        for (i, draft) in grammar()
            .drafts(&brief(round, 9, &history.clone()))
            .iter()
            .enumerate()
        {
            assert!(names.insert(draft.name.clone()), "{}", draft.name);
            let recipe = Recipe::in_source(&draft.source.code).unwrap();
            assert!(recipes.insert(recipe.fingerprint()), "{recipe}");
            // The same seed each round: only the history keeps draws apart.
            let fate = match i % 3 {
                0 => Fate::Rejected {
                    reason: "does not compile".into(),
                },
                1 => Fate::Failed {
                    reason: "out of fuel".into(),
                },
                _ => ranked(history.len() + 1, 0.5),
            };
            history.push(past(draft, round, fate));
        }
    }
    assert_eq!(names.len(), 96);
}

#[test]
fn parents_are_ranked_and_of_the_better_half() {
    let mut history: Vec<PastCandidate> = grammar()
        .drafts(&brief(1, 1, &[]))
        .iter()
        .enumerate()
        .map(|(i, draft)| past(draft, 1, ranked(i + 1, 0.8 - 0.05 * i as f64)))
        .collect();
    history[1].fate = Fate::Failed {
        reason: "out of fuel".into(),
    };
    let better: HashSet<&str> = [0, 2, 3, 4].map(|i| history[i].draft.name.as_str()).into();
    let mut children = 0;
    for seed in 0..20 {
        for draft in grammar().drafts(&brief(2, seed, &history)) {
            children += usize::from(!draft.parents.is_empty());
            for parent in &draft.parents {
                assert!(better.contains(parent.as_str()), "{parent}");
                assert!(draft.rationale.contains(parent.as_str()));
            }
        }
    }
    assert_eq!(children, 20 * 6, "a fifth of eight, rounded, is fresh");
}

#[test]
fn candidates_without_a_recipe_are_no_parents() {
    let foreign = Draft {
        name: "by_hand".into(),
        source: Source::rust("pub fn reward(sample: &Sample) -> f64 { 1.0 }"),
        rationale: String::new(),
        parents: Vec::new(),
    };
    let history = [past(&foreign, 1, ranked(1, 0.9))];
    let drafts = grammar().drafts(&brief(2, 1, &history));
    assert_eq!(drafts.len(), 8);
    assert!(drafts.iter().all(|draft| draft.parents.is_empty()));
}

#[test]
fn feedback_lifts_later_rounds_whatever_matters() {
    for target in [
        ["correct", "valid_steps"],
        ["repeats", "chain"],
        ["concise", "bare_number"],
    ] {
        let runs: Vec<Vec<(f64, f64)>> = (0..10).map(|seed| search(seed, 5, &target)).collect();
        let mean = |round: usize| runs.iter().map(|run| run[round].0).sum::<f64>() / 10.0;
        let best = |round: usize| runs.iter().map(|run| run[round].1).sum::<f64>() / 10.0;
        assert!(
            mean(4) > mean(0) + 0.2,
            "{target:?}: {} -> {}",
            mean(0),
            mean(4)
        );
        assert!(
            best(4) > best(0) + 0.1,
            "{target:?}: {} -> {}",
            best(0),
            best(4)
        );
    }
}

#[test]
fn learning_is_asked_for_and_then_lifts_later_rounds_further() {
    let learning = Grammar::new(GrammarConfig {
        learn: true,
        ..GrammarConfig::default()
    })
    .unwrap();
    let written = serde_json::to_value(GrammarConfig::default()).unwrap();
    assert!(
        written.get("learn").is_none(),
        "earlier searches stay the same"
    );
    let first = brief(1, 5, &[]);
    assert_eq!(learning.drafts(&first), grammar().drafts(&first));
    let mut gained = 0.0;
    for target in [
        ["correct", "valid_steps"],
        ["repeats", "chain"],
        ["concise", "bare_number"],
    ] {
        let mean = |grammar: &Grammar| {
            let runs = (0..20).map(|seed| search_of(grammar, seed, 5, &target)[4].0);
            runs.sum::<f64>() / 20.0
        };
        let (with, without) = (mean(&learning), mean(&grammar()));
        gained += with - without;
    }
    assert!(gained > 0.0, "{gained}");
}

#[test]
fn impossible_settings_are_named() {
    let config = GrammarConfig {
        explore: 1.5,
        ..GrammarConfig::default()
    };
    let error = Grammar::new(config).unwrap_err().to_string();
    assert!(
        error.contains("proposer.explore") && error.contains("1.5"),
        "{error}"
    );
    let config = GrammarConfig {
        max_terms: 0,
        ..GrammarConfig::default()
    };
    assert!(Grammar::new(config).is_err());
}

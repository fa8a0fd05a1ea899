//! Right answers in other words, kind by kind, and neighbours of each that are other answers.
//!
//! Pairs of our own. Every neighbour must be refused; of the right ones those that are not yet accepted are counted by
//! kind, and what is printed stands in `docs/verification.md`.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::collections::BTreeMap;

use evaluator::{Answer, Outcome, RuleVerifier};
use serde::Deserialize;

const PAIRS: &str = include_str!("fixtures/other_words.jsonl");

/// How many of the right answers may be refused: as many as are today.
const MOST_REFUSED: usize = 10;

#[derive(Debug, Deserialize)]
struct Pair {
    kind: String,
    reference: String,
    /// A bare answer, or else a completion.
    answer: Option<String>,
    completion: Option<String>,
    label: bool,
}

impl Pair {
    fn is_accepted(&self) -> bool {
        let (gold, verifier) = (Answer::new(&self.reference), RuleVerifier::default());
        let verdict = match (&self.answer, &self.completion) {
            (Some(answer), _) => verifier.verify_answer(answer, &gold),
            (None, completion) => verifier.verify(completion.as_ref().unwrap(), &gold),
        };
        verdict.outcome == Outcome::Correct
    }
}

fn pairs() -> Vec<Pair> {
    let lines = PAIRS.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn neighbours_are_refused_and_other_words_accepted() {
    let mut rates: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for pair in pairs() {
        let is_accepted = pair.is_accepted();
        let [right, refused, others, accepted] = rates.entry(pair.kind.clone()).or_default();
        if pair.label {
            *right += 1;
            *refused += usize::from(!is_accepted);
        } else {
            *others += 1;
            *accepted += usize::from(is_accepted);
        }
        if is_accepted != pair.label {
            wrong.push(pair);
        }
    }
    for (kind, [right, refused, others, accepted]) in &rates {
        eprintln!(
            "{kind}: {refused} of {right} refused, {accepted} of {others} neighbours accepted"
        );
    }
    for pair in &wrong {
        eprintln!("{pair:?}");
    }
    let refused = wrong.iter().filter(|pair| pair.label).count();
    assert_eq!(wrong.len() - refused, 0, "neighbours accepted");
    assert!(refused <= MOST_REFUSED, "{refused} refused");
}

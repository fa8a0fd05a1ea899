//! Small pairs of every kind of near miss and of right answers in other words, with neighbours that must stay.

#![allow(clippy::unwrap_used)]

use evaluator::{Answer, Outcome, RuleVerifier};
use serde::Deserialize;

const CASES: &str = include_str!("fixtures/cases.jsonl");

#[derive(Debug, Deserialize)]
struct Case {
    #[allow(dead_code, reason = "shown where a case is missed")]
    id: Option<String>,
    #[allow(dead_code, reason = "shown where a case is missed")]
    kind: String,
    reference: String,
    /// A bare answer, or else a completion.
    answer: Option<String>,
    completion: Option<String>,
    label: bool,
}

#[test]
fn every_case_is_judged_as_labelled() {
    let verifier = RuleVerifier::default();
    let cases: Vec<Case> = CASES
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(cases.len() >= 66);
    let missed = cases.iter().filter_map(|case| {
        let gold = Answer::new(&case.reference);
        let verdict = match (&case.answer, &case.completion) {
            (Some(answer), _) => verifier.verify_answer(answer, &gold),
            (None, completion) => verifier.verify(completion.as_ref().unwrap(), &gold),
        };
        let is_right = verdict.outcome == Outcome::Correct;
        let said = || format!("{verdict:?}: {case:?}");
        (is_right != case.label).then(said)
    });
    let missed: Vec<String> = missed.collect();
    assert!(missed.is_empty(), "{} missed: {missed:#?}", missed.len());
}

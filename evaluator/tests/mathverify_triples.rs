//! Math-Verify's own test triples: reference, answer, and whether they are the same.
//!
//! Both sides are completions there, so the reference is extracted too.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod data;

use evaluator::{Answer, ExtractionConfig, Outcome, RuleVerifier, Strategy, extract_with};
use serde::Deserialize;

/// Triples judged otherwise than labelled, and why they stay so.
const EXPLAINED: [(&str, &str); 11] = [
    (
        "mvt-test_all-test_number_extraction-6",
        "the reference 1,22 may be two numbers, and is no 1.22",
    ),
    (
        "mvt-test_all-test_latex_notation-9",
        "`1/2 = 10/9` is false, and a working with a false step has no result; reading its last side would pay for \
         any answer with the reference behind it",
    ),
    (
        "mvt-test_all-test_relations_math-10",
        "x = 5+5+1 = 7 = 11 has a false step, and so has x = 3+3 = 2: a chain that contradicts itself has no value",
    ),
    ("mvt-test_all-test_relations_math-12", "the same chain"),
    (
        "mvt-test_all-test_relations_math-13",
        "5+5+1 is not 1/3, which is not about 11",
    ),
    (
        "mvt-test_all-test_relations_math-16",
        "1/3 is not about 1.3",
    ),
    ("mvt-test_all-test_relations_math-26", "3+3 is not 2"),
    ("mvt-test_all-test_relations_math-27", "3+3 is not 2"),
    (
        "mvt-test_all-test_set_rel_assymetry-3",
        "an interval against its inequality, labelled false under an option that the same pair without it is \
         labelled true under; here there is no such option",
    ),
    (
        "mvt-test_strict-test_strict_variable_comparison-1",
        "f(x) against f(y), labelled true with an option and false without it; nothing says that x and y are the \
         same",
    ),
    (
        "mvt-test_yujianll-test_string_extraction-9",
        "1 - 1/e against 1 + 1/e is labelled true, which is a mistake",
    ),
];

#[derive(Deserialize)]
struct Triple {
    id: String,
    reference: String,
    answer: String,
    label: bool,
    /// What the case looks for: formulae (`latex`), numbers in plain text (`expr`).
    match_types: Vec<String>,
}

/// The strategies a case asks for: only formulae, or all.
fn verifier(match_types: &[String]) -> RuleVerifier {
    let mut extraction = ExtractionConfig::default();
    if match_types == ["latex"] {
        extraction
            .strategies
            .retain(|strategy| *strategy != Strategy::LastNumber);
    }
    RuleVerifier::new(extraction)
}

fn gold(reference: &str) -> Answer {
    let marks = ExtractionConfig {
        strategies: vec![Strategy::Boxed, Strategy::FinalLine, Strategy::LastFormula],
    };
    match extract_with(reference, &marks) {
        Some(found) => Answer::new(&found.text),
        None => Answer::new(reference),
    }
}

#[test]
fn nearly_all_triples_are_judged_as_labelled() {
    let triples = data::rows::<Triple>("verification/mathverify_tests.jsonl");
    let missed: Vec<&str> = triples
        .iter()
        .filter(|triple| {
            let gold = gold(&triple.reference);
            let verdict = verifier(&triple.match_types).verify(&triple.answer, &gold);
            (verdict.outcome == Outcome::Correct) != triple.label
        })
        .map(|triple| triple.id.as_str())
        .collect();
    eprintln!(
        "Math-Verify's triples: {} of {}",
        triples.len() - missed.len(),
        triples.len()
    );
    let explained = EXPLAINED.map(|(id, _)| id);
    assert_eq!(missed, explained);
    assert!(triples.len() - missed.len() >= 258);
}

//! Math-Verify's own test triples: reference, answer, and whether they are the same.
//!
//! Both sides are completions there, so the reference is extracted too.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod data;

use evaluator::{Answer, ExtractionConfig, Outcome, Strategy, Verifier, extract_with};
use serde::Deserialize;

/// Triples judged otherwise than labelled. Two are one half each of a pair that an option of theirs, which
/// does not exist here, labels both ways (`f(x)` against `f(y)`, an interval against its inequality); one
/// label is wrong (1 - 1/e against 1 + 1/e); one reads the false equation 1/2 = 10/9 as 10/9; one joins two
/// boxes with `++++++` between them into one answer.
const EXPLAINED: usize = 5;

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
fn verifier(match_types: &[String]) -> Verifier {
    let mut extraction = ExtractionConfig::default();
    if match_types == ["latex"] {
        extraction
            .strategies
            .retain(|strategy| *strategy != Strategy::LastNumber);
    }
    Verifier::new(extraction)
}

fn gold(reference: &str) -> Answer {
    let marks = ExtractionConfig {
        strategies: vec![
            Strategy::Boxed,
            Strategy::FinalLine,
            Strategy::LastFormula,
        ],
    };
    match extract_with(reference, &marks) {
        Some(found) => Answer::new(&found.text),
        None => Answer::new(reference),
    }
}

#[test]
fn nearly_all_triples_are_judged_as_labelled() {
    let Some(triples) = data::rows::<Triple>("verification/mathverify_tests.jsonl") else {
        return;
    };
    let mut missed = 0;
    for triple in &triples {
        let gold = gold(&triple.reference);
        let verdict = verifier(&triple.match_types).verify(&triple.answer, &gold);
        if (verdict.outcome == Outcome::Correct) != triple.label {
            missed += 1;
            let tail: String = triple
                .answer
                .chars()
                .rev()
                .take(160)
                .collect::<String>()
                .chars()
                .rev()
                .collect();
            eprintln!(
                "{} label {}: {gold:?}\n  {tail:?}\n  {verdict:?}",
                triple.id, triple.label
            );
        }
    }
    eprintln!(
        "Math-Verify's triples: {} of {}",
        triples.len() - missed,
        triples.len()
    );
    assert!(missed <= EXPLAINED);
}

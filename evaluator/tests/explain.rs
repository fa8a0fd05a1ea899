//! Explanations: they tell the story of the verdict and no other.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod data;

use evaluator::{
    Answer, Conventions, Explanation, ExtractionConfig, Logarithm, Outcome, RuleVerifier,
    StepOutcome,
};
use serde_json::{Value, json};

/// The steps as lines: what, how it ended, what was seen.
fn told(explanation: &Explanation) -> Vec<String> {
    let line =
        |step: &evaluator::Step| format!("{} | {} | {}", step.what, step.outcome, step.detail);
    explanation.steps.iter().map(line).collect()
}

#[test]
fn a_completion_is_explained_from_its_mark_to_its_rule() {
    let completion = r"There are 7 of them, so \boxed{(2, 2 \cdot 3]}.";
    let explanation = RuleVerifier::default().explain(completion, &Answer::new(r"2 < x \le 6"));
    let lines = told(&explanation);
    for line in [
        "extraction: solution_tags | no | nothing",
        r"extraction: boxed | yes | `(2, 2 \cdot 3]` (taken)",
        "extraction: last_number | yes | `3`",
        "reference |  | x: an interval: x in (2, 6]",
        "answer |  | an interval: (2, 2*3]",
        "rule: same text | no | formulae letter by letter, words without case, punctuation and articles",
        "rule: same number | not applicable | not both sides are a number and nothing else",
        "part | yes | (2, 6] against (2, 2*3]",
        "rule: same structure | yes | x in (2, 6] against (2, 2*3]",
        "budget |  | 50 of 400000 units of work",
    ] {
        assert!(lines.iter().any(|told| told == line), "{line}: {lines:#?}");
    }
    assert_eq!(explanation.verdict.outcome, Outcome::Correct);
    assert_eq!(
        explanation.reason,
        "same structure: x in (2, 6] against (2, 2*3]"
    );
}

#[test]
fn a_mistake_is_reported_by_a_line_that_is_a_case() {
    let verifier = RuleVerifier::default();
    let explanation = verifier.explain_answer("18.5", &Answer::new("18"));
    assert_eq!(
        explanation.reason,
        "no rule says yes: the reference is the number 18; the answer is the number 37/2"
    );
    let case: Value = serde_json::from_str(&explanation.report).unwrap();
    let expected = json!({"kind": "reported", "reference": "18", "answer": "18.5", "label": true});
    assert_eq!(case, expected);
    let explanation = verifier.explain("I do not know.", &Answer::new("18"));
    assert_eq!(
        explanation.reason,
        "no configured strategy finds one answer"
    );
    let case: Value = serde_json::from_str(&explanation.report).unwrap();
    assert_eq!(case["completion"], "I do not know.");
}

#[test]
fn conventions_turn_verdicts() {
    let judged = |conventions: &Conventions, reference: &str, answer: &str| {
        let verifier = RuleVerifier::default().with_conventions(conventions.clone());
        verifier
            .verify_answer(answer, &Answer::new(reference))
            .outcome
            == Outcome::Correct
    };
    let usual = Conventions::default();
    for (set, reference, answer) in [
        (json!({"log": "natural"}), r"\ln 3", r"\log 3"),
        (json!({"comma": "decimal"}), "48,16", "48.16"),
    ] {
        let other: Conventions = serde_json::from_value(set).unwrap();
        assert!(!judged(&usual, reference, answer), "{reference} {answer}");
        assert!(judged(&other, reference, answer), "{reference} {answer}");
    }
    let exact = Conventions {
        rounding: 0.0,
        ..usual.clone()
    };
    assert!(judged(&usual, r"\frac13", "0.333") && !judged(&exact, r"\frac13", "0.333"));
    let natural = Conventions {
        log: Logarithm::Natural,
        ..usual
    };
    assert!(!judged(&natural, "2", r"\log 100"));
}

#[test]
fn strategies_that_are_not_configured_are_shown_as_such() {
    let strict = RuleVerifier::new(ExtractionConfig::strict());
    let explanation = strict.explain("so the answer is 5", &Answer::new("5"));
    assert_eq!(explanation.verdict.outcome, Outcome::NoAnswer);
    let lines = told(&explanation);
    let expected = "extraction: answer_is | yes | `5` (not configured)".to_owned();
    assert!(lines.contains(&expected), "{lines:#?}");
}

#[test]
fn a_bare_answer_is_explained_without_extraction() {
    let explanation = RuleVerifier::default().explain_answer("18.5", &Answer::new("18"));
    assert!(
        explanation
            .steps
            .iter()
            .all(|step| !step.what.starts_with("extraction"))
    );
    let last = explanation.steps.last().unwrap();
    assert_eq!(
        (last.what.as_str(), last.outcome),
        ("whole number", StepOutcome::Note)
    );
}

/// Every pair of the reference data that has a reference and something to judge.
fn pairs() -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (file, given) in [
        ("verification/hardverify.dev.jsonl", "answer"),
        ("verification/mathverify_tests.jsonl", "answer"),
        ("verification/hacking.jsonl", "response"),
    ] {
        for row in data::rows::<Value>(file) {
            let field = |name: &str| row[name].as_str().unwrap().to_owned();
            pairs.push((field("reference"), field(given)));
        }
    }
    for row in data::rows::<Value>("gsm8k/example_model_solutions.jsonl") {
        let truth = row["ground_truth"].as_str().unwrap();
        let gold = truth.rsplit_once("A:").unwrap().1.trim();
        for model in ["6b_finetuning", "175b_verification"] {
            let solution = row[model]["solution"].as_str().unwrap();
            pairs.push((gold.to_owned(), solution.to_owned()));
        }
    }
    pairs
}

#[test]
fn explaining_does_not_change_a_verdict() {
    let pairs = pairs();
    let verifier = RuleVerifier::default();
    for (reference, given) in &pairs {
        let gold = Answer::new(reference);
        let completion = verifier.explain(given, &gold);
        assert_eq!(completion.verdict, verifier.verify(given, &gold), "{given}");
        let bare = verifier.explain_answer(given, &gold);
        assert_eq!(
            bare.verdict,
            verifier.verify_answer(given, &gold),
            "{given}"
        );
        assert_eq!(bare.verdict.rule, gold.matches(given), "{given}");
    }
    eprintln!(
        "explained as judged: {} pairs, as completions and bare",
        pairs.len()
    );
}

//! Every reference answer is right against itself, however a completion dresses it.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod data;

use evaluator::{Answer, ExtractionConfig, Outcome, RuleVerifier};
use serde_json::Value;

const REFERENCES: &str = include_str!("fixtures/references.txt");

/// The completions in which a model would give this answer, with their name.
fn dressed(reference: &str) -> [(&'static str, String); 6] {
    [
        ("dollars", format!("${reference}$")),
        (
            "box",
            format!(r"Work 1, then so the answer is $\boxed{{{reference}}}$."),
        ),
        ("bare box", format!(r"\boxed{{{reference}}}")),
        ("tags", format!("<solution> {reference} </solution>")),
        ("hashes", format!("First 3 + 4 = 7.\n#### {reference}")),
        (
            "sentence",
            format!("We get 7.\nThe final answer is ${reference}$."),
        ),
    ]
}

/// In which dress a reference is not accepted against itself.
fn rejected(reference: &str) -> Vec<String> {
    let gold = Answer::new(reference);
    let verifier = RuleVerifier::default();
    let mut rejected = Vec::new();
    if verifier.verify_answer(reference, &gold).outcome != Outcome::Correct {
        rejected.push("alone".to_owned());
    }
    // A box in a box is no dress, and dollars in dollars end the formula.
    let is_dressed = reference.contains(r"\boxed")
        || reference.contains(['$', '\n']) && !reference.contains(r"\$");
    for (name, completion) in dressed(reference) {
        if is_dressed && name != "tags" && name != "hashes" {
            continue;
        }
        let verdict = verifier.verify(&completion, &gold);
        if verdict.outcome != Outcome::Correct {
            rejected.push(format!("{name}: {:?}", verdict.extracted));
        }
    }
    rejected
}

fn check(references: impl Iterator<Item = String>) -> usize {
    let mut count = 0;
    let mut missed = Vec::new();
    for reference in references {
        count += 1;
        let rejected = rejected(&reference);
        if !rejected.is_empty() {
            missed.push((reference, rejected));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
    count
}

/// What a reference was read as, as an explanation tells it.
fn understood(reference: &str) -> String {
    let explanation = RuleVerifier::default().explain_answer("", &Answer::new(reference));
    let mut steps = explanation.steps.into_iter();
    steps.find(|step| step.what == "reference").unwrap().detail
}

#[test]
fn references_in_the_style_of_math() {
    let (mathematics, words) = REFERENCES.split_once("# words\n").unwrap();
    let lines = |text: &'static str| text.lines().filter(|line| !line.starts_with('#'));
    let count = check(lines(mathematics).chain(lines(words)).map(str::to_owned));
    assert!(count >= 150, "{count}");
    // Equal to itself as text is every text: what is mathematics must be understood, too.
    let opaque: Vec<&str> = lines(mathematics)
        .filter(|reference| understood(reference) == "text that is no mathematics")
        .collect();
    assert!(opaque.is_empty(), "{opaque:#?}");
}

#[test]
fn references_differ_from_each_other() {
    let lines: Vec<&str> = REFERENCES
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let golds: Vec<Answer> = lines.iter().map(|line| Answer::new(line)).collect();
    let mut same = Vec::new();
    for (i, gold) in golds.iter().enumerate() {
        let others = lines.iter().enumerate().filter(|(j, _)| *j != i);
        let accepted = others.filter(|(_, other)| gold.matches_within(other, 0.0).is_some());
        same.extend(accepted.map(|(_, other)| (gold.as_str(), *other)));
    }
    // Of 44,000 pairs these are indeed the same: `x > 3` is `(3, \infty)`, `n = 12` is twelve.
    assert!(same.len() <= 34, "{same:#?}");
}

#[test]
fn references_of_the_data() {
    let mut references = Vec::new();
    for file in [
        "verification/hardverify.dev.jsonl",
        "verification/mathverify_tests.jsonl",
    ] {
        let rows = data::rows::<Value>(file);
        let texts = rows
            .iter()
            .map(|row| row["reference"].as_str().unwrap().to_owned());
        // Completions that were made references, of several lines, are none by themselves.
        references
            .extend(texts.filter(|text| {
                text.len() < 200 && !text.contains('\n') && !text.contains("boxed")
            }));
    }
    for file in ["gsm8k/train.jsonl", "gsm8k/test.jsonl"] {
        let rows = data::rows::<Value>(file);
        let golds = rows.iter().map(|row| {
            row["answer"]
                .as_str()
                .unwrap()
                .rsplit_once("####")
                .unwrap()
                .1
                .trim()
                .to_owned()
        });
        references.extend(golds);
    }
    let count = check(references.into_iter());
    eprintln!("accepted against themselves in every dress: {count} references of the data");
}

#[test]
fn strict_extraction_takes_marks_only() {
    let strict = RuleVerifier::new(ExtractionConfig::strict());
    let gold = Answer::new("18");
    for (completion, outcome) in [
        ("so it is 18", Outcome::NoAnswer),
        ("The answer is 18.", Outcome::NoAnswer),
        ("#### 18", Outcome::Correct),
        (r"\boxed{18}", Outcome::Correct),
        ("<solution>18</solution>", Outcome::Correct),
        (
            "<solution>17</solution> <solution>18</solution>",
            Outcome::NoAnswer,
        ),
    ] {
        assert_eq!(
            strict.verify(completion, &gold).outcome,
            outcome,
            "{completion}"
        );
    }
}

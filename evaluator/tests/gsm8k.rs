//! GSM8K itself, and the published completions of four models on it.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod data;

use std::collections::HashSet;

use evaluator::{Answer, Dataset, Evaluation, Outcome, RuleVerifier, Split};
use serde_json::Value;

/// The models, and how many of their completions are right, in the whole set and in the sample.
const MODELS: [(&str, [u64; 2]); 4] = [
    ("6b_finetuning", [286, 12]),
    ("6b_verification", [515, 17]),
    ("175b_finetuning", [458, 16]),
    ("175b_verification", [742, 27]),
];

#[test]
fn every_published_completion_is_judged_as_labelled() {
    let rows = data::rows::<Value>("gsm8k/example_model_solutions.jsonl");
    let verifier = RuleVerifier::default();
    let golds: Vec<Answer> = rows
        .iter()
        .map(|row| {
            row["ground_truth"]
                .as_str()
                .unwrap()
                .rsplit_once("A:")
                .unwrap()
                .1
        })
        .map(Answer::new)
        .collect();
    for (model, right) in MODELS {
        let mut outcomes = Vec::new();
        for (row, gold) in rows.iter().zip(&golds) {
            let verdict = verifier.verify(row[model]["solution"].as_str().unwrap(), gold);
            let label = row[model]["is_correct"].as_bool().unwrap();
            assert_eq!(
                verdict.outcome == Outcome::Correct,
                label,
                "{model}: {verdict:?} {gold:?}"
            );
            outcomes.push(verdict.outcome);
        }
        let evaluation = Evaluation::new(outcomes).unwrap();
        let [of_all, of_sample] = right;
        let (right, total) = match data::is_whole() {
            true => (of_all, 1319),
            false => (of_sample, 60),
        };
        assert_eq!(evaluation.counts().correct, right, "{model}");
        assert_eq!(evaluation.counts().total(), total);
    }
}

#[test]
fn splits_are_seeded_disjoint_and_independent_of_order() {
    let folder = data::folder();
    let (dev, train, test) = match folder.is_whole {
        true => (500, 6973, 1319),
        false => (50, 100, 60),
    };
    let dataset = Dataset::gsm8k(&folder.path.join("gsm8k"), dev, 7).unwrap();
    let sizes = Split::ALL.map(|split| dataset.problems(split).len());
    assert_eq!(sizes, [train, dev, test]);
    let questions = |split| -> HashSet<&str> {
        dataset
            .problems(split)
            .iter()
            .map(|p| p.question.as_str())
            .collect()
    };
    assert!(questions(Split::Train).is_disjoint(&questions(Split::Dev)));

    // The same rows in another order give the same split.
    let shuffled = tempfile::tempdir().unwrap();
    for name in ["train.jsonl", "test.jsonl"] {
        let text = std::fs::read_to_string(folder.path.join("gsm8k").join(name)).unwrap();
        let reversed: Vec<&str> = text.lines().rev().collect();
        std::fs::write(shuffled.path().join(name), reversed.join("\n")).unwrap();
    }
    let other = Dataset::gsm8k(shuffled.path(), dev, 7).unwrap();
    assert_eq!(other.problems(Split::Dev), dataset.problems(Split::Dev));
    let reseeded = Dataset::gsm8k(shuffled.path(), dev, 8).unwrap();
    assert_ne!(reseeded.problems(Split::Dev), dataset.problems(Split::Dev));

    let fifty = dataset.subset(Split::Test, 50, 3);
    assert_eq!(fifty[..20], dataset.subset(Split::Test, 20, 3));
    assert_ne!(fifty, dataset.subset(Split::Test, 50, 4));
}

#[test]
fn every_gold_answer_is_right_against_itself() {
    let folder = data::folder();
    let dataset = Dataset::gsm8k(&folder.path.join("gsm8k"), 1, 0).unwrap();
    for split in Split::ALL {
        for problem in dataset.problems(split) {
            let completion = format!(
                "{}\n#### {}",
                problem.solution.as_deref().unwrap(),
                problem.answer.as_str()
            );
            let verdict = evaluator::verify(&completion, &problem.answer);
            assert_eq!(verdict.outcome, Outcome::Correct, "{problem:?}");
        }
    }
}

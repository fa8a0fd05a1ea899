//! GSM8K itself, and the published completions of four models on it.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod data;

use std::collections::HashSet;

use evaluator::{Answer, Dataset, Evaluation, Outcome, RuleVerifier, Split};
use serde_json::Value;

const MODELS: [(&str, usize); 4] = [
    ("6b_finetuning", 286),
    ("6b_verification", 515),
    ("175b_finetuning", 458),
    ("175b_verification", 742),
];

#[test]
fn every_published_completion_is_judged_as_labelled() {
    let Some(rows) = data::rows::<Value>("gsm8k/example_model_solutions.jsonl") else {
        return;
    };
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
        assert_eq!(evaluation.counts().correct as usize, right, "{model}");
        assert_eq!(evaluation.counts().total(), 1319);
    }
}

#[test]
fn splits_are_seeded_disjoint_and_independent_of_order() {
    let Some(folder) = data::folder() else { return };
    let dataset = Dataset::gsm8k(&folder.join("gsm8k"), 500, 7).unwrap();
    let sizes = Split::ALL.map(|split| dataset.problems(split).len());
    assert_eq!(sizes, [6973, 500, 1319]);
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
        let text = std::fs::read_to_string(folder.join("gsm8k").join(name)).unwrap();
        let reversed: Vec<&str> = text.lines().rev().collect();
        std::fs::write(shuffled.path().join(name), reversed.join("\n")).unwrap();
    }
    let other = Dataset::gsm8k(shuffled.path(), 500, 7).unwrap();
    assert_eq!(other.problems(Split::Dev), dataset.problems(Split::Dev));
    let reseeded = Dataset::gsm8k(shuffled.path(), 500, 8).unwrap();
    assert_ne!(reseeded.problems(Split::Dev), dataset.problems(Split::Dev));

    let hundred = dataset.subset(Split::Test, 100, 3);
    assert_eq!(hundred[..40], dataset.subset(Split::Test, 40, 3));
    assert_ne!(hundred, dataset.subset(Split::Test, 100, 4));
}

#[test]
fn every_gold_answer_is_right_against_itself() {
    let Some(folder) = data::folder() else { return };
    let dataset = Dataset::gsm8k(&folder.join("gsm8k"), 1, 0).unwrap();
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

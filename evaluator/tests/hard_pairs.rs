//! HardVerify: answers that rule-based verifiers wrongly reject, and wrong ones close to them.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod data;

use evaluator::Answer;
use serde::Deserialize;

#[derive(Deserialize)]
struct Pair {
    id: String,
    reference: String,
    answer: String,
    label: bool,
}

#[test]
fn precision_and_f1_on_the_dev_part() {
    let Some(pairs) = data::rows::<Pair>("verification/hardverify.dev.jsonl") else {
        return;
    };
    let (mut tp, mut fp, mut fn_) = (0.0, 0.0, 0.0);
    for pair in &pairs {
        let accepted = Answer::new(&pair.reference).matches(&pair.answer);
        if accepted.is_some() != pair.label {
            eprintln!(
                "{} label {}: {:?} | {:?} -> {accepted:?}",
                pair.id, pair.label, pair.reference, pair.answer
            );
        }
        match (accepted.is_some(), pair.label) {
            (true, true) => tp += 1.0,
            (true, false) => fp += 1.0,
            (false, true) => fn_ += 1.0,
            (false, false) => {}
        }
    }
    let (precision, recall) = (tp / (tp + fp), tp / (tp + fn_));
    let f1 = 2.0 * tp / (2.0 * tp + fp + fn_);
    eprintln!("HardVerify dev: precision {precision:.3}, recall {recall:.3}, F1 {f1:.3}");
    assert!(precision >= 0.98 && f1 >= 0.90);
}

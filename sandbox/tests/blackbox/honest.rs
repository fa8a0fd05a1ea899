//! Rewards as models write them, all of them harmless: they are accepted, loaded, pass the probe, and score what their first line says.

use std::fs;
use std::path::Path;

use sandbox::{Sample, Source, Verdict, guest_status, probe};

use super::{compiler, engine, skipping::skip};

const RIGHT: &str =
    "<reasoning>\n2 + 3 = 5\nSo the answer is 5.\n</reasoning>\n<answer>\n5\n</answer>";
const WRONG: &str = "I think it is 6, because 2 + 3 = 6.";

#[test]
fn honest_rewards_are_accepted_and_score() {
    let verdict = |correct, extracted: Option<&str>| Verdict {
        correct,
        extracted: extracted.map(str::to_owned),
    };
    let verdicts = [
        verdict(true, Some("5")),
        verdict(false, Some("6")),
        Verdict::NO_ANSWER,
    ];
    let texts = [RIGHT, WRONG, ""];
    let batch: Vec<Sample<'_>> = texts
        .iter()
        .zip(&verdicts)
        .map(|(completion, verdict)| Sample {
            prompt: "What is 2 + 3?",
            completion,
            answer: "5",
            verdict,
            row: "",
        })
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/honest");
    let (mut rust, mut python, mut wrong) = (0, 0, Vec::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let code = fs::read_to_string(&path).unwrap();
        let source = if path.extension().is_some_and(|e| e == "rs") {
            rust += 1;
            Source::rust(&code)
        } else {
            python += 1;
            Source::python(&code)
        };
        if source.language == sandbox::Language::Python && !guest_status().unwrap().ready {
            skip("the Python guest is not built; `reward-search guest build` makes it");
            continue;
        }
        let first = code.lines().next().unwrap_or_default();
        let expected: Vec<f64> = first
            .split_once("scores: ")
            .map(|(_, numbers)| numbers.split(' ').filter_map(|n| n.parse().ok()).collect())
            .unwrap_or_default();
        let module = match source.language {
            sandbox::Language::Rust => compiler()
                .compile(&source)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display())),
            sandbox::Language::Python => sandbox::Module::python(&code),
        };
        let reward = engine()
            .load(&module)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        probe(&reward, &[]).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let scores = reward.score(&batch).unwrap();
        let is_close = |(score, wanted): (&f64, &f64)| (score - wanted).abs() < 1e-6;
        if scores.len() != expected.len() || !scores.iter().zip(&expected).all(is_close) {
            wrong.push(format!("{}: {scores:?}, not {expected:?}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        rust >= 7 && python >= 3,
        "{rust} in Rust, {python} in Python"
    );
}

//! Prints every verdict on the reference data, one a line: `verdicts DATA`.
//!
//! DATA is the folder of reference data. Two versions of the verifier judge alike where their outputs are the same
//! byte for byte: `diff <(old DATA) <(new DATA)`. A line is the set, the row, and the verdict as JSON.

#![allow(clippy::print_stdout)]

use std::{env, error::Error, fs, path::Path};

use evaluator::{Answer, ExtractionConfig, RuleVerifier};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("usage: verdicts DATA")?;
    let folder = Path::new(&folder);
    for name in ["hardverify.dev", "mathverify_tests", "hacking"] {
        let rows = rows(&folder.join(format!("verification/{name}.jsonl")))?;
        for (index, row) in rows.iter().enumerate() {
            let given = row["answer"].as_str().or(row["response"].as_str());
            let (gold, given) = (text(&row["reference"])?, given.ok_or("no answer")?);
            judge(&format!("{name} {index}"), gold, given);
            // The same texts as answers of each other, and of the next row.
            judge(&format!("{name} {index} turned"), given, gold);
            let next = &rows[(index + 1) % rows.len()]["reference"];
            judge(&format!("{name} {index} next"), text(next)?, given);
        }
    }
    let rows = rows(&folder.join("gsm8k/example_model_solutions.jsonl"))?;
    for (index, row) in rows.iter().enumerate() {
        let truth = text(&row["ground_truth"])?;
        let gold = truth.rsplit_once("A:").ok_or("no answer")?.1;
        for model in [
            "6b_finetuning",
            "6b_verification",
            "175b_finetuning",
            "175b_verification",
        ] {
            let solution = text(&row[model]["solution"])?;
            judge(&format!("gsm8k {index} {model}"), gold, solution);
        }
    }
    Ok(())
}

/// Prints the verdict by every extraction, and on the text as a bare answer.
fn judge(name: &str, gold: &str, given: &str) {
    let gold = Answer::new(gold);
    for extraction in [
        ExtractionConfig::flexible(),
        ExtractionConfig::strict(),
        ExtractionConfig::tags_only(),
    ] {
        println!(
            "{name} {:?}",
            RuleVerifier::new(extraction).verify(given, &gold)
        );
    }
    println!(
        "{name} {:?}",
        RuleVerifier::default().verify_answer(given, &gold)
    );
}

fn text(value: &Value) -> Result<&str, Box<dyn Error>> {
    value.as_str().ok_or_else(|| "a text is missing".into())
}

fn rows(path: &Path) -> Result<Vec<Value>, Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    Ok(text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?)
}

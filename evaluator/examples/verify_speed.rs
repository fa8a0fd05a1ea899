//! Times verdicts: `cargo run --release -p evaluator --example verify_speed -- DATA`, where DATA is the
//! folder with `verification/hardverify.dev.jsonl` and `gsm8k/example_model_solutions.jsonl`.

#![allow(clippy::print_stdout)]

use std::{env, error::Error, fs, path::Path, time::Instant};

use evaluator::{Answer, verify};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args()
        .nth(1)
        .ok_or("give the folder of reference data")?;
    let rows = |name: &str| -> Result<Vec<Value>, Box<dyn Error>> {
        let text = fs::read_to_string(Path::new(&folder).join(name))?;
        Ok(text
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?)
    };
    let field = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();

    let pairs = rows("verification/hardverify.dev.jsonl")?;
    let pairs: Vec<_> = pairs
        .iter()
        .map(|row| (field(row, "reference"), field(row, "answer")))
        .collect();
    report("HardVerify dev", &pairs);

    let mut completions = Vec::new();
    for row in rows("gsm8k/example_model_solutions.jsonl")? {
        let truth = field(&row, "ground_truth");
        let gold = truth.rsplit("A:").next().unwrap_or_default().to_owned();
        for model in [
            "6b_finetuning",
            "6b_verification",
            "175b_finetuning",
            "175b_verification",
        ] {
            completions.push((gold.clone(), field(&row[model], "solution")));
        }
    }
    report("GSM8K completions", &completions);
    Ok(())
}

/// Reads each gold answer and judges its completion, many times over, and prints what one verdict takes.
fn report(name: &str, pairs: &[(String, String)]) {
    let mut seconds: Vec<f64> = Vec::new();
    for _ in 0..20 {
        for (gold, completion) in pairs {
            let start = Instant::now();
            let _ = verify(completion, &Answer::new(gold));
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    seconds.sort_by(f64::total_cmp);
    let mean = seconds.iter().sum::<f64>() / seconds.len() as f64;
    let p99 = seconds[seconds.len() * 99 / 100];
    println!(
        "{name}: {:.4} s / 1000 verdicts, p99 {:.1} us",
        mean * 1e3,
        p99 * 1e6
    );
}

//! Makes intervals for 742 of 1,319 questions right, for `scripts/compare.sh`: `interval_speed METHOD REPEATS`.
//!
//! METHOD is `percentile` (10,000 resamples) or `percentile-limit` (infinitely many, without drawing). Prints the last
//! interval as JSON.

#![allow(clippy::print_stdout)]

use std::{env, error::Error, hint::black_box};

use evaluator::{BootstrapConfig, Evaluation, IntervalMethod};

const QUESTIONS: usize = 1319;
const RIGHT: usize = 742;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [method, repeats] = &arguments[..] else {
        return Err("usage: interval_speed METHOD REPEATS".into());
    };
    let outcomes = [b"c".repeat(RIGHT), b"w".repeat(QUESTIONS - RIGHT)].concat();
    let evaluation = Evaluation::from_bytes(&outcomes)?;
    let config = BootstrapConfig::default();
    let interval = || match method.as_str() {
        "percentile" => Some(evaluation.accuracy_estimate(&config).interval),
        "percentile-limit" => {
            evaluation.accuracy_interval(IntervalMethod::Percentile, config.level)
        }
        _ => None,
    };
    let mut last = None;
    for _ in 0..repeats.parse::<u32>()? {
        last = black_box(interval());
    }
    let interval =
        last.ok_or("METHOD is percentile or percentile-limit, and REPEATS at least 1")?;
    println!("{}", serde_json::to_string(&interval)?);
    Ok(())
}

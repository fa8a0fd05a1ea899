//! Times 10,000-resample intervals of 1,319 questions: `cargo run --release -p evaluator --example
//! bootstrap_speed`.

#![allow(clippy::print_stdout)]

use std::{error::Error, hint::black_box, time::Instant};

use evaluator::{BootstrapConfig, Evaluation, paired_difference, pooled_f1};

fn main() -> Result<(), Box<dyn Error>> {
    let evaluation = |right: usize| {
        Evaluation::from_bytes(&[b"c".repeat(right), b"w".repeat(1319 - right)].concat())
    };
    let (a, b) = (evaluation(742)?, evaluation(515)?);
    let config = BootstrapConfig::default();
    report("F1 interval", || {
        black_box(a.f1_estimate(&config));
    });
    report("paired differences of accuracy and F1", || {
        black_box(paired_difference(&a, &b, &config).is_ok());
    });
    let seeds = [a.clone(), b.clone(), a.clone()];
    report("pooled F1 of three seeds", || {
        black_box(pooled_f1(&seeds, &config).is_ok());
    });
    Ok(())
}

fn report(name: &str, work: impl Fn()) {
    let repeats = 10;
    let start = Instant::now();
    for _ in 0..repeats {
        work();
    }
    println!(
        "{name}: {:.3} ms",
        start.elapsed().as_secs_f64() * 1e3 / f64::from(repeats)
    );
}

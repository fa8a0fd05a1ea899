//! Processor seconds of the embedded trainer's work, as one JSON line, beside whatever rival `scripts/bench.sh` runs.
//!
//! `cargo run --release -p trainer-bridge --example speed -- MODEL PROMPTS GENERATIONS PROMPT_MIN PROMPT_MAX TRAIN_MIN TRAIN_MAX SAMPLED LORA_RANK`
//! with `toy` or a model folder, lengths in tokens, and rank 0 for training all weights. Without arguments: the tiny base model, 16 x 8 rollouts.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use trainer_bridge::benchmark::{Workload, measure};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let model = arguments.next().unwrap_or_else(|| "toy".to_owned());
    let numbers: Vec<usize> = arguments.map(|n| n.parse()).collect::<Result<_, _>>()?;
    let workload = match numbers[..] {
        [] => Workload {
            prompts: 16,
            num_generations: 8,
            prompt_length: (14, 24),
            trained_length: (8, 34),
            sampled_length: 56,
            lora_rank: 0,
            repeats: 6,
        },
        [
            prompts,
            num_generations,
            low,
            high,
            trained_low,
            trained_high,
            sampled_length,
            lora_rank,
        ] => Workload {
            prompts,
            num_generations,
            prompt_length: (low, high),
            trained_length: (trained_low, trained_high),
            sampled_length,
            lora_rank,
            repeats: 6,
        },
        _ => return Err("expected a model and eight numbers, or nothing".into()),
    };
    let timings = measure(&model, &workload)?;
    println!(
        "{}",
        serde_json::json!({"model": model, "workload": workload, "timings": timings})
    );
    Ok(())
}

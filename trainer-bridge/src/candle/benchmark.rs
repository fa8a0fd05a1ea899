//! CPU-seconds of the embedded model's two kinds of work, on one thread, for comparison with a hand-tuned PyTorch step of the same model:
//! 128 sequences (16 prompts of 14 to 24 tokens, 8 completions each of 8 to 34) trained on, and 128 completions of a fixed length drawn.
//!
//! `cargo test --release -p trainer-bridge -- --ignored --nocapture cpu_seconds`
#![expect(clippy::unwrap_used, clippy::print_stdout)]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    files::{Loaded, Source},
    in_pool,
    kernels::choose::Truncation,
    objective::policy_loss,
    optim::{AdamW, Update},
    pack::Group,
    sample::{Prompt, Settings, sample},
    step::{Stepper, micro_batches},
};

/// Seconds of processor time this thread has used.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// The best of a few repeats.
fn best(mut work: impl FnMut()) -> f64 {
    work();
    let timed = |work: &mut dyn FnMut()| {
        let start = cpu();
        work();
        cpu() - start
    };
    (0..6)
        .map(|_| timed(&mut work))
        .fold(f64::INFINITY, f64::min)
}

#[test]
#[ignore = "a measurement, not a test; Linux only"]
fn cpu_seconds() {
    let Loaded {
        mut model,
        tokenizer,
        ..
    } = Source::Embedded.load().unwrap();
    // Nothing ends a completion: every row runs to the full length.
    let tokenizer = tokenizer.endless();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut draw = |low: usize, high: usize| -> Vec<u32> {
        let length = rng.random_range(low..=high);
        (0..length).map(|_| rng.random_range(2..84)).collect()
    };
    let prompts: Vec<Vec<u32>> = (0..16).map(|_| draw(14, 24)).collect();
    let completions: Vec<Vec<Vec<u32>>> = (0..16)
        .map(|_| (0..8).map(|_| draw(8, 34)).collect())
        .collect();
    let views: Vec<Vec<&[u32]>> = completions
        .iter()
        .map(|group| group.iter().map(Vec::as_slice).collect())
        .collect();
    let groups: Vec<Group<'_>> = prompts
        .iter()
        .zip(&views)
        .map(|(prompt, completions)| Group {
            prompt,
            completions,
        })
        .collect();
    let tokens: usize = completions.iter().flatten().map(Vec::len).sum();
    in_pool(1, || {
        let mut stepper = Stepper::new(&model);
        let mut optimizer = AdamW::new(model.parameters());
        let update = Update {
            learning_rate: 1e-4,
            beta1: 0.9,
            beta2: 0.999,
            weight_decay: 0.01,
            max_grad_norm: 1.0,
        };
        let train = best(|| {
            let (_, gradients) = stepper
                .gradients(&model, &micro_batches(&groups), 1.0, |_, log_probs| {
                    policy_loss(log_probs, &(log_probs.ones_like()? / tokens as f64)?)
                })
                .unwrap();
            let norm = gradients.norm();
            model.update(|parameters| optimizer.update(parameters, gradients, norm, &update));
        });
        println!("train step, 128 sequences, {tokens} completion tokens: {train:.4} CPU-s");
        for length in [24, 56] {
            let seconds = best(|| {
                let requests: Vec<Prompt<'_>> = prompts
                    .iter()
                    .map(|tokens| Prompt {
                        tokens,
                        seeds: (0..8).map(|i| [i; 32]).collect(),
                    })
                    .collect();
                let settings = Settings {
                    temperature: 1.0,
                    truncation: Truncation::NONE,
                    max_length: length,
                };
                let drawn = sample(&model, &tokenizer, &requests, settings).unwrap();
                assert!(
                    drawn
                        .iter()
                        .flatten()
                        .all(|completion| completion.tokens.len() == length)
                );
            });
            println!("sample 128 x {length} tokens: {seconds:.4} CPU-s");
        }
        Ok(())
    })
    .unwrap();
}

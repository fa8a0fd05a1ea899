//! `pretrain`: the tiny base model again, from its seed.

use std::{
    io::{Write as _, stdout},
    time::Duration,
};

use anyhow::{Context as _, bail};
use evaluator::toy::{Corpus, StyleMix};
use indicatif::{ProgressBar, ProgressStyle};
use trainer_bridge::{PretrainConfig, SftExample};

use crate::cli::arguments::PretrainArgs;

/// The share of the steps that sees the first mix of styles, mostly careful; the rest sees the second, mostly rounded. One optimiser and
/// one schedule run through both.
const FIRST_STAGE: f64 = 2900.0 / 3600.0;

pub(super) fn run(args: &PretrainArgs) -> anyhow::Result<()> {
    let mut out = stdout();
    let files = ["config.json", "model.safetensors", "tokenizer.json"];
    if files.iter().any(|file| args.dir.join(file).exists()) {
        bail!(
            "{} holds a model already; pretrain into a new folder, nothing was overwritten",
            args.dir.display()
        );
    }
    std::fs::create_dir_all(&args.dir)
        .with_context(|| format!("cannot make the folder {}", args.dir.display()))?;
    let config = PretrainConfig::default();
    let examples = examples(args.steps as usize, config.batch_size, args.seed);
    let style = ProgressStyle::with_template(
        "{wide_bar:.dim} {pos}/{len} steps  {msg}  (about {eta} left)",
    );
    let bar = ProgressBar::new(u64::from(args.steps))
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_secs(1));
    let model = trainer_bridge::pretrain(&config, &examples, args.seed, &mut |progress| {
        bar.set_position(progress.step as u64);
        bar.set_message(format!("loss {:.3}", progress.loss));
    })?;
    bar.finish();
    model
        .write(&args.dir)
        .with_context(|| format!("cannot write to {}", args.dir.display()))?;
    writeln!(
        out,
        "wrote config.json, model.safetensors and tokenizer.json to {}",
        args.dir.display()
    )?;
    writeln!(
        out,
        "search with it: [trainer] kind = \"candle\", model = \"{}\"",
        args.dir.display()
    )?;
    Ok(())
}

/// The corpus in the order it is trained on.
fn examples(steps: usize, batch: usize, seed: u64) -> Vec<SftExample> {
    let first = (steps as f64 * FIRST_STAGE).round() as usize;
    let mut corpus = Corpus::new(StyleMix::STAGE1, seed);
    let mut examples = Vec::with_capacity(steps * batch);
    for (mix, until) in [(StyleMix::STAGE1, first), (StyleMix::STAGE2, steps)] {
        corpus.set_mix(mix);
        let missing = until * batch - examples.len();
        examples.extend(corpus.by_ref().take(missing).map(|e| SftExample {
            prompt: e.prompt,
            completion: e.completion,
        }));
    }
    examples
}

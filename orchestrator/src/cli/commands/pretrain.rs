//! `pretrain`: the tiny base model of a world again, from its seed.

use std::{
    io::{Write as _, stdout},
    time::Duration,
};

use anyhow::{Context as _, bail};
use evaluator::toy::{Recipe, Spec};
use indicatif::{ProgressBar, ProgressStyle};
use trainer_bridge::{PretrainConfig, SftExample, SftProgress};

use crate::cli::arguments::PretrainArgs;

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
    let Spec { recipe, model, .. } = args.world.spec();
    let steps = args.steps.unwrap_or(recipe.steps);
    let config = configured(recipe);
    let examples = args.world.examples(steps, config.batch_size, args.seed);
    let examples: Vec<SftExample> = examples
        .map(|example| SftExample {
            prompt: example.prompt,
            completion: example.completion,
        })
        .collect();
    let style = ProgressStyle::with_template(
        "{wide_bar:.dim} {pos}/{len} steps  {msg}  (about {eta} left)",
    );
    let bar = ProgressBar::new(u64::from(steps))
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_secs(1));
    let mut on_step = |progress: SftProgress| {
        bar.set_position(progress.step as u64);
        bar.set_message(format!("loss {:.3}", progress.loss));
    };
    let files = match recipe.base {
        None => trainer_bridge::pretrain(&config, &examples, args.seed, &mut on_step)?,
        Some(base) => trainer_bridge::pretrain_on(base, &config, &examples, &mut on_step)?,
    };
    bar.finish();
    files
        .write(&args.dir)
        .with_context(|| format!("cannot write to {}", args.dir.display()))?;
    writeln!(
        out,
        "wrote config.json, model.safetensors and tokenizer.json to {}",
        args.dir.display()
    )?;
    writeln!(
        out,
        "search with it: [task] kind = \"toy\", world = \"{}\"; [trainer] kind = \"candle\", model = \"{}\" (in place of \"{model}\")",
        args.world,
        args.dir.display()
    )?;
    Ok(())
}

fn configured(recipe: &Recipe) -> PretrainConfig {
    PretrainConfig {
        learning_rate: recipe.learning_rate,
        warmup_steps: recipe.warmup_steps,
        ..PretrainConfig::default()
    }
}

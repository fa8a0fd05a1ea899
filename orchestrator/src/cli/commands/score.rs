//! `score`: completions scored by reward functions in the sandbox, from a file or as a service over standard input and output.

use std::{
    fs,
    io::{Write as _, stderr, stdin, stdout},
    path::Path,
};

use anyhow::Context as _;
use serde_json::{Map, json};
use trainer_bridge::Aggregation;

use super::rewards;
use crate::{
    cli::arguments::ScoreArgs,
    reward::panel::{Panel, Scored, Unscored},
    stdio,
    text::{one_line, printable},
};

pub(super) async fn run(args: ScoreArgs) -> anyhow::Result<()> {
    let panel = rewards::panel(&args.rewards, &args.weights, &args.database).await?;
    if panel.aggregation() == Some(Aggregation::NormalizeThenSum) {
        tracing::warn!(
            "these rewards were trained with together by `normalize_then_sum`; the scores are their weighted sum, \
             so give a trainer each of them by itself (docs/stdio.md)"
        );
    }
    match &args.samples {
        Some(samples) => score_file(&panel, samples),
        None => Ok(stdio::serve(stdin().lock(), stdout().lock(), &panel)?),
    }
}

fn score_file(panel: &Panel, path: &Path) -> anyhow::Result<()> {
    let text = text(path)?;
    let samples = samples(&text, path)?;
    let batch: Vec<Unscored<'_>> = samples.iter().map(Unscored::from).collect();
    let scored = panel.score(&batch)?;
    let mut out = stdout().lock();
    for place in 0..samples.len() {
        writeln!(out, "{}", line(&scored, place))?;
    }
    out.flush()?;
    print_printed(&scored)
}

/// What the rewards printed, to standard error: it belongs to no line.
fn print_printed(scored: &Scored) -> anyhow::Result<()> {
    let mut err = stderr().lock();
    for (name, text) in &scored.printed {
        writeln!(err, "{} printed:", one_line(name, 200))?;
        for line in printable(text).lines() {
            writeln!(err, "    {line}")?;
        }
    }
    Ok(())
}

fn line(scored: &Scored, place: usize) -> serde_json::Value {
    let verdict = &scored.verdicts[place];
    let mut line = json!({
        "score": scored.totals[place],
        "correct": verdict.correct,
        "extracted": verdict.extracted,
    });
    if !scored.components.is_empty() {
        let named = scored.components.iter();
        let here: Map<_, _> = named
            .map(|(name, column)| (name.clone(), column[place].into()))
            .collect();
        line["components"] = here.into();
    }
    line
}

fn text(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        return std::io::read_to_string(stdin()).context("cannot read standard input");
    }
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn samples<'a>(text: &'a str, path: &Path) -> anyhow::Result<Vec<stdio::Sample<'a>>> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            serde_json::from_str(line.trim_start_matches('\u{feff}')).with_context(|| {
                format!(
                    "{}:{}: expected {{\"prompt\": …, \"completion\": …, \"answer\": …}}",
                    path.display(),
                    number + 1
                )
            })
        })
        .collect()
}

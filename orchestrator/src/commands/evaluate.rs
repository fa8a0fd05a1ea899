//! `evaluate`: completions made elsewhere, judged and compared.

use std::{
    collections::BTreeMap,
    io::{Write, stdout},
    path::Path,
};

use anyhow::{Context as _, bail};
use evaluator::{
    Answer, BootstrapConfig, Evaluation, ExtractionConfig, Outcome, Verifier, bonferroni, extract,
    holm, mcnemar,
};
use serde_json::{Value, json};

use crate::{
    cli::{EvaluateArgs, Format},
    leaderboard::{align_right, interval, one_line, plain, probability, share},
    statistics::Figures,
};

pub(super) fn run(args: &EvaluateArgs) -> anyhow::Result<()> {
    let mut out = stdout();
    let models = judge_file(&args.predictions)?;
    let bootstrap = BootstrapConfig {
        seed: args.seed,
        ..BootstrapConfig::default()
    };
    let figures: Vec<(&String, Figures)> = models
        .iter()
        .map(|(m, e)| (m, Figures::of(e, &bootstrap)))
        .collect();
    let pairs = pairs(&models)?;
    match args.format {
        Format::Json => {
            let models: Vec<Value> = figures
                .iter()
                .map(|(model, f)| json!({"model": model, "questions": models[*model].outcomes().len(), "correct": models[*model].counts().correct, "figures": f}))
                .collect();
            writeln!(
                out,
                "{}",
                serde_json::to_string_pretty(&json!({"models": models, "pairs": pairs}))?
            )?;
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(&mut out);
            csv.write_record([
                "model",
                "questions",
                "correct",
                "f1",
                "f1_lower",
                "f1_upper",
                "accuracy",
                "accuracy_lower",
                "accuracy_upper",
                "answer_rate",
            ])?;
            for (model, f) in &figures {
                let evaluation = &models[*model];
                let (f1, accuracy) = (&f.f1, &f.accuracy);
                let mut row = vec![one_line(model, 200)];
                row.extend(
                    [
                        evaluation.outcomes().len() as u64,
                        evaluation.counts().correct,
                    ]
                    .map(|n| n.to_string()),
                );
                row.extend(
                    [
                        f1.point,
                        f1.interval.lower,
                        f1.interval.upper,
                        accuracy.point,
                        accuracy.interval.lower,
                        accuracy.interval.upper,
                        f.answer_rate,
                    ]
                    .map(|x| x.to_string()),
                );
                csv.write_record(&row)?;
            }
            csv.flush()?;
        }
        Format::Table => print_tables(&mut out, &models, &figures, &pairs)?,
    }
    Ok(())
}

fn print_tables(
    out: &mut impl Write,
    models: &BTreeMap<String, Evaluation>,
    figures: &[(&String, Figures)],
    pairs: &[Value],
) -> anyhow::Result<()> {
    let mut table = plain(&[
        "model",
        "right",
        "of",
        "F1",
        "95 % interval",
        "accuracy",
        "95 % interval",
        "precision",
        "recall",
        "answered",
    ]);
    align_right(&mut table, &[1, 2, 3, 5, 7, 8, 9]);
    let optional = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), share);
    for (model, f) in figures {
        let evaluation = &models[*model];
        table.add_row([
            one_line(model, 60),
            evaluation.counts().correct.to_string(),
            evaluation.outcomes().len().to_string(),
            share(f.f1.point),
            interval(&f.f1),
            share(f.accuracy.point),
            interval(&f.accuracy),
            optional(f.precision),
            optional(f.recall),
            share(f.answer_rate),
        ]);
    }
    writeln!(out, "{table}")?;
    if pairs.is_empty() {
        return Ok(());
    }
    let mut table = plain(&[
        "a",
        "b",
        "only a",
        "only b",
        "exact p",
        "mid-p",
        "Holm",
        "Bonferroni",
    ]);
    align_right(&mut table, &[2, 3, 4, 5, 6, 7]);
    for pair in pairs {
        let text = |key: &str| {
            pair[key]
                .as_str()
                .map_or_else(|| pair[key].to_string(), |name| one_line(name, 60))
        };
        let p = |key: &str| pair[key].as_f64().map_or_else(String::new, probability);
        table.add_row([
            text("a"),
            text("b"),
            text("only_a"),
            text("only_b"),
            p("exact_p"),
            p("mid_p"),
            p("holm_p"),
            p("bonferroni_p"),
        ]);
    }
    writeln!(
        out,
        "\n{table}\nMcNemar on the same questions. F1 = 2a/(1+a) of accuracy a: one test serves both."
    )?;
    Ok(())
}

fn pairs(models: &BTreeMap<String, Evaluation>) -> anyhow::Result<Vec<Value>> {
    let list: Vec<(&String, &Evaluation)> = models.iter().collect();
    let mut tests = Vec::new();
    for (i, (a, of_a)) in list.iter().enumerate() {
        for (b, of_b) in &list[i + 1..] {
            tests.push((*a, *b, mcnemar(of_a, of_b)?));
        }
    }
    let p: Vec<f64> = tests.iter().map(|(_, _, test)| test.exact_p).collect();
    let adjusted = holm(&p).into_iter().zip(bonferroni(&p));
    Ok(tests
        .iter()
        .zip(adjusted)
        .map(|((a, b, test), (holm, bonferroni))| {
            json!({"a": a, "b": b, "only_a": test.only_a, "only_b": test.only_b, "both": test.both, "neither": test.neither,
                   "exact_p": test.exact_p, "mid_p": test.mid_p, "holm_p": holm, "bonferroni_p": bonferroni})
        })
        .collect())
}

/// Judges every model's completions; every line must have the same models.
fn judge_file(path: &Path) -> anyhow::Result<BTreeMap<String, Evaluation>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let judge = Verifier::new(ExtractionConfig::default());
    let mut outcomes: BTreeMap<String, Vec<Outcome>> = BTreeMap::new();
    let mut lines = 0;
    for (number, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let place = || format!("{}:{}", path.display(), number + 1);
        let row: Value =
            serde_json::from_str(line).with_context(|| format!("{}: no JSON", place()))?;
        let answer = Answer::new(&gold(&row).with_context(place)?);
        for (model, completion) in completions(&row).with_context(place)? {
            outcomes
                .entry(model)
                .or_default()
                .push(judge.verify(completion, &answer).outcome);
        }
        lines += 1;
        if let Some((model, _)) = outcomes.iter().find(|(_, o)| o.len() != lines) {
            bail!(
                "{}: model `{model}` is not on every line; paired tests need the same questions for all",
                place()
            );
        }
    }
    if lines == 0 {
        bail!("{} holds no predictions", path.display());
    }
    outcomes
        .into_iter()
        .map(|(model, outcomes)| Ok((model, Evaluation::new(outcomes)?)))
        .collect()
}

/// The reference: `answer`, or the final answer of `ground_truth`.
fn gold(row: &Value) -> anyhow::Result<String> {
    let text = ["answer", "ground_truth"]
        .iter()
        .find_map(|key| match &row[*key] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
    let text =
        text.context("needs a field `answer` (or `ground_truth`) with the reference answer")?;
    let worked = text.contains('\n') || text.contains("####");
    Ok(if worked {
        extract(&text).map(|found| found.text).unwrap_or(text)
    } else {
        text
    })
}

/// `completion`, `completions` by model, or objects with a `solution`, as in GSM8K's own file.
fn completions(row: &Value) -> anyhow::Result<Vec<(String, &str)>> {
    if let Some(completion) = row["completion"].as_str() {
        let model = row["model"].as_str().unwrap_or("completions").to_owned();
        return Ok(vec![(model, completion)]);
    }
    let fields = row["completions"]
        .as_object()
        .or_else(|| row.as_object())
        .context("each line must be an object")?;
    let found: Vec<(String, &str)> = fields
        .iter()
        .filter_map(|(model, value)| {
            let nested = row["completions"].is_object();
            let text = if nested {
                value.as_str()
            } else {
                value.get("solution").and_then(Value::as_str)
            };
            Some((model.clone(), text?))
        })
        .collect();
    if found.is_empty() {
        bail!("needs a field `completion`, or `completions` with one text a model");
    }
    Ok(found)
}

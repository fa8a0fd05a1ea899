//! Completions read from files: who wrote what, for which question.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail};
use evaluator::{Answer, extract, final_answer};
use serde_json::Value;

use super::harness;
use crate::text::of_one_line;

/// What one model wrote.
#[derive(Debug)]
pub(super) struct Predictions {
    pub(super) model: String,
    pub(super) rows: Vec<Row>,
}

/// One completion.
#[derive(Debug)]
pub(super) struct Row {
    /// Its place among the questions, where the file tells.
    index: Option<u64>,
    /// The question; empty where the file does not tell.
    pub(super) question: String,
    pub(super) answer: Answer,
    pub(super) completion: String,
    /// Whether an endpoint refused to answer it.
    refused: bool,
}

impl Predictions {
    /// Questions that an endpoint refused to answer, which count as unanswered.
    pub(super) fn refused(&self) -> usize {
        self.rows.iter().filter(|row| row.refused).count()
    }
}

/// Reads every model's completions, file after file.
pub(super) fn read(files: &[PathBuf]) -> anyhow::Result<Vec<Predictions>> {
    let mut models: Vec<Predictions> = Vec::new();
    for file in files {
        for found in read_file(file, files.len() > 1)? {
            if models.iter().any(|known| known.model == found.model) {
                bail!(
                    "{}: model `{}` is in an earlier file, too; give each its own `model`",
                    file.display(),
                    found.model
                );
            }
            models.push(found);
        }
    }
    Ok(models)
}

/// Paired tests need the same questions for all.
pub(super) fn check_same_questions(models: &[Predictions]) -> anyhow::Result<()> {
    let Some((first, others)) = models.split_first() else {
        return Ok(());
    };
    for other in others {
        if other.rows.len() != first.rows.len() {
            bail!(
                "`{}` has {} completions and `{}` has {}; paired tests need the same questions for all",
                first.model,
                first.rows.len(),
                other.model,
                other.rows.len()
            );
        }
        let differs = first.rows.iter().zip(&other.rows).position(|(a, b)| {
            let questions_differ =
                !a.question.is_empty() && !b.question.is_empty() && a.question != b.question;
            questions_differ || a.answer.as_str() != b.answer.as_str()
        });
        if let Some(at) = differs {
            bail!(
                "question {} of `{}` is another one than that of `{}`; paired tests need the same questions for all",
                at + 1,
                other.model,
                first.model
            );
        }
    }
    Ok(())
}

fn read_file(path: &Path, one_of_several: bool) -> anyhow::Result<Vec<Predictions>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let unnamed = if one_of_several {
        path.file_stem().unwrap_or_default().to_string_lossy()
    } else {
        "completions".into()
    };
    let mut models: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    let mut asked = None;
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    for (number, line) in lines {
        let place = || format!("{}:{}", path.display(), number + 1);
        let row: Value = serde_json::from_str(line)
            .map_err(|error| anyhow!("{}: no JSON: {}", place(), of_one_line(&error)))?;
        if !row.is_object() {
            bail!(
                "{}: each line must be an object, as {{\"answer\": …, \"completion\": …}}",
                place()
            );
        }
        // The first line of what `evaluate --endpoint` writes.
        if let Some(settings) = row.get("settings") {
            asked = settings["problems"].as_u64();
            continue;
        }
        if let Some(sampled) = harness::of(&row).with_context(place)? {
            models.entry(unnamed.to_string()).or_default().push(Row {
                index: Some(sampled.index),
                question: sampled.question,
                answer: Answer::new(&sampled.gold),
                completion: sampled.completion.to_owned(),
                refused: false,
            });
            continue;
        }
        let gold = gold(&row).with_context(place)?;
        for (model, completion) in completions(&row, &unnamed).with_context(place)? {
            models.entry(model).or_default().push(Row {
                index: row["index"].as_u64(),
                question: row["question"].as_str().unwrap_or_default().to_owned(),
                answer: Answer::new(&gold),
                completion: completion.to_owned(),
                refused: row["error"].is_string(),
            });
        }
        if let Some((model, _)) = missing(&models) {
            bail!(
                "{}: model `{model}` is not on every line; paired tests need the same questions for all",
                place()
            );
        }
    }
    if models.is_empty() {
        bail!("{} holds no predictions", path.display());
    }
    let models: Vec<Predictions> = models.into_iter().map(in_order).collect();
    for Predictions { model, rows } in &models {
        if let Some(asked) = asked.filter(|asked| *asked != rows.len() as u64) {
            bail!(
                "{}: {} of {asked} questions are answered by `{model}`; run the same `evaluate --endpoint` again for the rest",
                path.display(),
                rows.len()
            );
        }
    }
    Ok(models)
}

/// As the questions stand, where a file that came from an endpoint has them as they were answered; of a question that was asked again
/// the last line counts. A file without places keeps its order.
fn in_order((model, mut rows): (String, Vec<Row>)) -> Predictions {
    rows.sort_by_key(|row| row.index);
    rows.dedup_by(|later, earlier| {
        let again = later.index.is_some() && later.index == earlier.index;
        if again {
            std::mem::swap(later, earlier);
        }
        again
    });
    Predictions { model, rows }
}

/// A model that lacks a line others have.
fn missing(models: &BTreeMap<String, Vec<Row>>) -> Option<(&String, &Vec<Row>)> {
    let most = models.values().map(Vec::len).max()?;
    models.iter().find(|(_, rows)| rows.len() < most)
}

/// The reference: `answer` or another usual name of it, or the final answer of `ground_truth`.
fn gold(row: &Value) -> anyhow::Result<String> {
    let text = |key: &str| match &row[key] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let usual = ["answer", "gts", "solution", "target"];
    if let Some(answer) = usual.into_iter().find_map(text) {
        return Ok(final_answer(&answer).to_owned());
    }
    let worked = text("ground_truth")
        .context("needs a field `answer` (or `ground_truth`) with the reference answer")?;
    Ok(extract(&worked).map(|found| found.text).unwrap_or(worked))
}

/// `completion` (verl's dumps call it `output`, others `response`), `completions` by model, or objects with a `solution`, as in GSM8K's own file.
fn completions<'a>(row: &'a Value, unnamed: &str) -> anyhow::Result<Vec<(String, &'a str)>> {
    let usual = ["completion", "output", "response"];
    if let Some(completion) = usual.into_iter().find_map(|key| row[key].as_str()) {
        let model = row["model"].as_str().unwrap_or(unnamed).to_owned();
        return Ok(vec![(model, completion)]);
    }
    let found: Vec<(String, &str)> = match row["completions"].as_object() {
        Some(by_model) => by_model
            .iter()
            .map(|(model, value)| Ok((model.clone(), one_text(model, value)?)))
            .collect::<anyhow::Result<_>>()?,
        None => row
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(model, value)| Some((model.clone(), value.get("solution")?.as_str()?)))
            .collect(),
    };
    if found.is_empty() {
        bail!("needs a field `completion`, or `completions` with one text a model");
    }
    Ok(found)
}

/// A model without its text on one line would be left out of that question, or of all, without a word.
fn one_text<'a>(model: &str, value: &'a Value) -> anyhow::Result<&'a str> {
    let found = match value {
        Value::String(text) => return Ok(text),
        Value::Array(_) => "a list",
        Value::Null => "null",
        _ => "no text",
    };
    bail!(
        "the completion of `{model}` is {found}; give each model one text a line (of several completions, one model each)"
    )
}

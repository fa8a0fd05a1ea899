//! Completions one a line, as trainers write them: TRL's completions (as CSV or JSON lines), verl's rollout dumps, the traces of verifiers.
//!
//! Lines with the same prompt (and step, where there is one) are a group. What a trainer scored is kept beside them.

use std::{collections::HashMap, path::Path};

use serde_json::{Map, Value};

use super::{BadPool, bad, text};
use crate::domain::pool::{Group, Pool};

/// Where completion, prompt, reference and score are looked for, first to last.
const COMPLETION: [&str; 4] = ["completion", "output", "response", "solution_str"];
const PROMPT: [&str; 4] = ["prompt", "input", "question", "problem"];
const REFERENCE: [&str; 8] = [
    "answer",
    "reference",
    "gts",
    "ground_truth",
    "solution",
    "target",
    "gold",
    "label",
];
const SCORE: [&str; 3] = ["score", "reward", "rewards"];
/// Of such a row what is no column of the data set beside these.
const OWN: [&str; 10] = [
    "completions",
    "completion_ids",
    "prompts",
    "step",
    "nodes",
    "messages",
    "traces",
    "root_reply",
    "task",
    "info",
];

/// One line.
struct Line {
    prompt: String,
    step: String,
    answer: String,
    row: String,
    completion: String,
    score: Option<f64>,
}

/// Whether a row holds one completion (or, as an episode, those of its traces), and not a group of them.
pub(super) fn is_one(row: &Value) -> bool {
    let keys = COMPLETION.iter().chain(&["nodes", "messages", "traces"]);
    row["completions"].is_null() && keys.into_iter().any(|key| !row[*key].is_null())
}

/// The traces of an episode, or the row itself.
fn traces(row: &Value) -> Vec<&Value> {
    match row["traces"].as_array() {
        Some(traces) => traces.iter().collect(),
        None => vec![row],
    }
}

/// The pool of such rows, each with its number in the file; and what was recorded as their scores, where all have one. A group of one
/// compares with nothing and is left out.
pub(super) fn pool(
    path: &Path,
    rows: &[(usize, Value)],
) -> Result<(Pool, Option<Vec<f64>>), BadPool> {
    let mut groups: Vec<(Group, Vec<Option<f64>>)> = Vec::new();
    let mut known: HashMap<(String, String), usize> = HashMap::new();
    let rows = rows
        .iter()
        .flat_map(|(number, row)| traces(row).into_iter().map(move |row| (number, row)));
    for (number, row) in rows {
        let line = line(row).map_err(|what| bad(path, Some(*number), what))?;
        let key = (line.step, line.prompt);
        let at = *known.entry(key.clone()).or_insert_with(|| {
            groups.push((
                Group {
                    prompt: key.1,
                    answer: line.answer,
                    row: line.row,
                    completions: Vec::new(),
                    counted: Vec::new(),
                },
                Vec::new(),
            ));
            groups.len() - 1
        });
        groups[at].0.completions.push(line.completion);
        groups[at].1.push(line.score);
    }
    groups.retain(|(group, _)| group.completions.len() > 1);
    if groups.is_empty() {
        return Err(bad(
            path,
            None,
            "has no prompt with two completions or more: they are compared within their group",
        ));
    }
    let scores = groups.iter().flat_map(|(_, scores)| scores.iter().copied());
    let scores: Option<Vec<f64>> = scores.collect();
    let groups = groups.into_iter().map(|(group, _)| group).collect();
    Ok((Pool { groups }, scores))
}

/// CSV with a header: one row a completion, every cell a text.
pub(super) fn csv(path: &Path) -> Result<Vec<(usize, Value)>, BadPool> {
    let broken = |error: csv::Error| bad(path, None, error.to_string());
    let mut reader = csv::Reader::from_path(path).map_err(broken)?;
    let header = reader.headers().map_err(broken)?.clone();
    let mut rows = Vec::new();
    for (number, record) in reader.records().enumerate() {
        let record = record.map_err(broken)?;
        let cells = header.iter().zip(record.iter());
        let row: Map<String, Value> = cells
            .map(|(name, cell)| (name.to_owned(), cell.into()))
            .collect();
        rows.push((number + 1, Value::Object(row)));
    }
    Ok(rows)
}

fn line(row: &Value) -> Result<Line, &'static str> {
    // A trace holds the row it was given as its task's data.
    let places = [row, &row["task"]["data"], &row["task"], &row["info"]];
    let find = |keys: &[&str]| {
        let each = places
            .iter()
            .flat_map(|place| keys.iter().map(move |key| &place[*key]));
        each.into_iter().find_map(said)
    };
    let completion = find(&COMPLETION).or_else(|| replied(row));
    let score = SCORE.iter().find_map(|key| match &row[*key] {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        Value::Object(named) => weighted(named),
        _ => None,
    });
    Ok(Line {
        prompt: find(&PROMPT)
            .or_else(|| asked(row))
            .ok_or("needs `prompt` (or `input`, `question`)")?,
        step: text(row, &["step"]).unwrap_or_default(),
        answer: find(&REFERENCE)
            .map(|answer| evaluator::final_answer(&answer).to_owned())
            .ok_or("needs the reference answer as `answer` (or `gts`, `ground_truth`, `solution`, `target`); TRL writes it where the reward calls `log_extra(\"answer\", answer)`")?,
        row: others(row),
        completion: completion.ok_or("needs `completion` (or `output`, `response`)")?,
        score,
    })
}

/// The columns of the data set in a row: what a Python reward asks for by name.
fn others(row: &Value) -> String {
    let own = [&COMPLETION[..], &PROMPT, &REFERENCE, &SCORE, &OWN];
    let own = own.concat();
    let mut columns = row.as_object().cloned().unwrap_or_default();
    columns.retain(|name, _| !own.contains(&&**name));
    super::columns(columns)
}

/// The weighted sum of a trace's named rewards; none where one of them did not run.
fn weighted(named: &Map<String, Value>) -> Option<f64> {
    let each = named.values().map(|one| {
        let weight = one["weight"].as_f64().unwrap_or(1.0);
        Some(weight * one["score"].as_f64().or_else(|| one.as_f64())?)
    });
    (!named.is_empty()).then(|| each.sum::<Option<f64>>())?
}

/// A text, a number, the last message of a conversation, or the first of a list; a conversation also where it is written as JSON text.
fn said(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.starts_with("[{") => {
            let parsed: Option<Value> = serde_json::from_str(text).ok();
            parsed
                .as_ref()
                .and_then(said)
                .or_else(|| Some(text.clone()))
        }
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(list) => said_last(list),
        Value::Object(map) => {
            let keys = ["text", "content", "target", "ground_truth"];
            keys.iter().find_map(|key| map.get(*key)).and_then(said)
        }
        _ => None,
    }
}

fn said_last(list: &[Value]) -> Option<String> {
    let last = list.last()?;
    match &last["content"] {
        Value::String(content) => Some(content.clone()),
        _ => said(list.first()?),
    }
}

/// The messages of a trace: its `messages`, or those of its nodes.
fn messages(row: &Value) -> Vec<&Value> {
    let list = [&row["messages"], &row["nodes"]];
    let list = list.into_iter().find_map(Value::as_array);
    list.into_iter().flatten().map(message).collect()
}

fn message(node: &Value) -> &Value {
    match node {
        Value::Object(map) if map.contains_key("message") => &node["message"],
        _ => node,
    }
}

fn of_role<'a>(messages: &[&'a Value], role: &str) -> Option<&'a Value> {
    messages
        .iter()
        .rev()
        .find(|message| message["role"] == role)
        .copied()
}

fn replied(row: &Value) -> Option<String> {
    if let Some(reply) = row["root_reply"].as_str() {
        return Some(reply.to_owned());
    }
    said(&of_role(&messages(row), "assistant")?["content"])
}

fn asked(row: &Value) -> Option<String> {
    said(&of_role(&messages(row), "user")?["content"])
}

//! Where pools of recorded completions come from: the built-in word problems, or a file.

mod rollouts;

use std::{fs, path::Path};

use evaluator::{
    extract, final_answer,
    toy::{self, World},
};
use serde_json::{Map, Value};
use trainer_bridge::Rollout;

use crate::{
    data::parquet,
    domain::pool::{Group, Pool},
    text::of_one_line,
};

/// Questions and completions of each in the made-up pool.
const MADE_UP: (usize, usize) = (64, 8);
/// The seed of the made-up pool.
const MADE_UP_SEED: u64 = 1;

/// Why a file is no pool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}{line}: {what}")]
pub struct BadPool {
    path: String,
    line: String,
    what: String,
}

/// A pool, and what somebody's reward said of its completions.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The completions.
    pub pool: Pool,
    /// The scores that stood beside them, where all have one.
    pub scores: Option<Vec<f64>>,
}

impl Recorded {
    /// Reads groups as [`Pool::read`] does, or one completion a row as trainers write them: JSON lines, CSV or parquet with prompt, completion,
    /// reference and perhaps a score.
    ///
    /// # Errors
    /// The first line that is neither.
    pub fn read(path: &Path) -> Result<Self, BadPool> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let rows = match extension {
            Some("csv") => rollouts::csv(path)?,
            Some("parquet") => {
                let rows = parquet::rows(path).map_err(|what| bad(path, None, what))?;
                rows.into_iter().map(Value::Object).enumerate().collect()
            }
            _ => numbered(path)?,
        };
        if rows.first().is_some_and(|(_, row)| rollouts::is_one(row)) {
            let (pool, scores) = rollouts::pool(path, &rows)?;
            return Ok(Self { pool, scores });
        }
        let pool = Pool::of_rows(path, &rows)?;
        Ok(Self { pool, scores: None })
    }
}

impl Pool {
    /// Solutions of the built-in word problems in a world's manner, right and wrong ones.
    #[must_use]
    pub fn made_up(world: World) -> Self {
        let (questions, completions) = MADE_UP;
        let groups = toy::groups(world.spec().made_up, questions, completions, MADE_UP_SEED);
        let group = |group: toy::Group| Group {
            prompt: group.question,
            answer: group.answer.as_str().to_owned(),
            row: String::new(),
            completions: group.completions,
            counted: Vec::new(),
        };
        Self {
            groups: groups.into_iter().map(group).collect(),
        }
    }

    /// Reads JSON lines: `{"prompt", "answer", "completions": […]}`, or GSM8K's `example_model_solutions.jsonl`.
    ///
    /// # Errors
    /// The first line that is neither, or has fewer than two completions.
    pub fn read(path: &Path) -> Result<Self, BadPool> {
        Self::of_rows(path, &numbered(path)?)
    }

    /// The groups of such rows, each with its number in the file.
    fn of_rows(path: &Path, rows: &[(usize, Value)]) -> Result<Self, BadPool> {
        let groups = each(path, rows, group)?;
        if groups.is_empty() {
            return Err(bad(path, None, "holds no completions"));
        }
        Ok(Self { groups })
    }

    /// All completions, group after group.
    #[must_use]
    pub fn rollouts(&self) -> Vec<Rollout<'_>> {
        self.rollouts_of(|group| &group.completions)
    }

    /// What the evaluation counts of each.
    pub(super) fn counted(&self) -> Vec<Rollout<'_>> {
        self.rollouts_of(|group| match group.counted.as_slice() {
            [] => &group.completions,
            counted => counted,
        })
    }

    fn rollouts_of(&self, texts: impl Fn(&Group) -> &[String]) -> Vec<Rollout<'_>> {
        let completions = self.groups.iter().flat_map(|group| {
            let of_group = texts(group).iter();
            of_group.map(move |completion| (group, completion))
        });
        completions
            .map(|(group, completion)| Rollout {
                row: &group.row,
                prompt: &group.prompt,
                question: &group.prompt,
                answer: &group.answer,
                completion,
            })
            .collect()
    }
}

/// Every line of a file that is not blank, read by `read`.
pub(super) fn json_lines<T>(
    path: &Path,
    read: impl Fn(&Value) -> Result<T, &'static str>,
) -> Result<Vec<T>, BadPool> {
    each(path, &numbered(path)?, read)
}

fn each<T>(
    path: &Path,
    rows: &[(usize, Value)],
    read: impl Fn(&Value) -> Result<T, &'static str>,
) -> Result<Vec<T>, BadPool> {
    let rows = rows.iter();
    rows.map(|(number, row)| read(row).map_err(|what| bad(path, Some(*number), what)))
        .collect()
}

/// Every line of a file that is not blank, with its place from 0.
fn numbered(path: &Path) -> Result<Vec<(usize, Value)>, BadPool> {
    let text = fs::read_to_string(path)
        .map_err(|error| bad(path, None, format!("cannot be read: {error}")))?;
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| match serde_json::from_str(line) {
            Ok(row) => Ok((number, row)),
            Err(error) => Err(bad(
                path,
                Some(number),
                format!("no JSON: {}", of_one_line(&error)),
            )),
        })
        .collect()
}

fn bad(path: &Path, line: Option<usize>, what: impl Into<String>) -> BadPool {
    BadPool {
        path: path.display().to_string(),
        line: line.map_or_else(String::new, |number| format!(":{}", number + 1)),
        what: what.into(),
    }
}

fn group(row: &Value) -> Result<Group, &'static str> {
    let prompt = text(row, &["prompt", "question"]).ok_or(match row["prompt"] {
        Value::Array(_) => "`prompt` must be a string here, not a conversation",
        _ => "needs `prompt` or `question`",
    })?;
    let answer = match text(row, &["answer", "reference"]) {
        Some(answer) => final_answer(&answer).to_owned(),
        // GSM8K's own file: a worked solution that ends in its answer.
        None => text(row, &["ground_truth"])
            .and_then(|worked| Some(extract(&worked)?.text))
            .ok_or("needs `answer`")?,
    };
    let completions: Vec<String> = match row["completions"].as_array() {
        Some(list) => list
            .iter()
            .map(|one| one.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or("`completions` must be a list of strings")?,
        None => row
            .as_object()
            .into_iter()
            .flat_map(|fields| fields.values())
            .filter_map(|value| value.get("solution")?.as_str().map(str::to_owned))
            .collect(),
    };
    if completions.len() < 2 {
        return Err("needs `completions` with at least two: they are compared within their group");
    }
    Ok(Group {
        prompt,
        answer,
        row: others(row),
        completions,
        counted: Vec::new(),
    })
}

/// The columns of a row that are none of the pool's own: what a Python reward asks for by name.
fn others(row: &Value) -> String {
    let own = [
        "prompt",
        "question",
        "answer",
        "reference",
        "ground_truth",
        "completions",
    ];
    let mut columns = row.as_object().cloned().unwrap_or_default();
    // GSM8K's own file has an object a model.
    columns.retain(|name, value| !own.contains(&&**name) && !value.is_object());
    self::columns(columns)
}

/// The text of such columns; nothing where there are none.
fn columns(columns: Map<String, Value>) -> String {
    if columns.is_empty() {
        String::new()
    } else {
        Value::Object(columns).to_string()
    }
}

/// The first of these fields that is a string or a number, as text.
pub(super) fn text(row: &Value, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| match &row[*key] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

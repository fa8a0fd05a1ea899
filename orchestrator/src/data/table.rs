//! `[task] kind = "jsonl"`: a data set of one's own, from files of rows to problems in three splits.

use std::collections::HashSet;

use evaluator::{Dataset, Problem, cut};
use minijinja::value::{Serde, Value as Given};
use serde_json::Value;

use super::{
    columns::{Columns, is_unlikely},
    config::JsonlConfig,
    rows::{self, Place, Row, RowsError},
    task::TaskError,
};
use crate::text::{
    counted,
    template::{TaskPrompt, Template},
};

/// The problems of a data set, and how they are asked.
#[derive(Debug)]
pub struct Table {
    /// The problems.
    pub dataset: Dataset,
    /// What stands around each question.
    pub(crate) prompt: TaskPrompt,
    /// What a person should know of them.
    pub notes: Vec<String>,
}

/// A problem and where its row stands.
struct Placed {
    problem: Problem,
    place: Place,
    split: Named,
}

/// The split that a row names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    Train,
    Dev,
    Test,
}

impl Table {
    /// Reads the files and divides their rows; `seed` decides which rows are set aside where no file or column does.
    ///
    /// # Errors
    /// The first row that cannot be used, or splits that cannot be made.
    pub fn load(config: &JsonlConfig, seed: u64) -> Result<Self, TaskError> {
        if let Some(expected) = &config.data_sha256 {
            let found = rows::sha256(config.files());
            if found.as_ref().is_some_and(|found| found != expected) {
                return Err(TaskError::Splits(
                    "the data files hold something else than task.data_sha256 says: put them back, or begin another search".to_owned(),
                ));
            }
        }
        let main = rows::read(config.file.paths())?;
        let first = main.first().expect("a file without rows is an error");
        let asking = Asking::of(config, first)?;
        let mut all = problems(main, config, &asking)?;
        for (file, split) in [
            (&config.dev_file, Named::Dev),
            (&config.test_file, Named::Test),
        ] {
            let Some(file) = file else { continue };
            let rows = rows::read(file.paths())?;
            let of_file = problems(rows, config, &asking)?;
            all.extend(of_file.into_iter().map(|one| Placed { split, ..one }));
        }
        let mut notes = Vec::new();
        notes.extend(config.metric.is_none().then(|| prose(&all)).flatten());
        let dataset = divided(all, config, seed, &mut notes)?;
        Ok(Self {
            dataset,
            prompt: asking.around,
            notes,
        })
    }
}

/// How the rows are asked.
struct Asking {
    /// A template of columns, which makes the question of a row.
    of_columns: Option<Template>,
    around: TaskPrompt,
}

impl Asking {
    fn of(config: &JsonlConfig, first: &Row) -> Result<Self, TaskError> {
        let around = |text: &str| TaskPrompt::new(text).map_err(TaskError::Prompt);
        let mut known: Vec<&str> = first.columns.keys().map(String::as_str).collect();
        if !known.contains(&"question") {
            known.push("question");
        }
        let template =
            Template::with_single_braces(&config.prompt, &known).map_err(TaskError::Prompt)?;
        if known
            .iter()
            .all(|name| *name == "question" || !template.uses(name))
        {
            return Ok(Self {
                of_columns: None,
                around: around(&config.prompt)?,
            });
        }
        Ok(Self {
            of_columns: Some(template),
            around: around("{question}")?,
        })
    }

    /// Whether the rows need a column of questions.
    fn needs_question(&self) -> bool {
        self.of_columns
            .as_ref()
            .is_none_or(|template| template.uses("question"))
    }

    /// Puts a row's columns into the template, where it is one of columns.
    fn ask(&self, problem: &mut Problem, row: &Row) -> Result<(), RowsError> {
        let Some(template) = &self.of_columns else {
            return Ok(());
        };
        let mut columns = row.columns.clone();
        if self.needs_question() {
            columns.insert("question".to_owned(), Value::from(&*problem.question));
        }
        let asked = template.render(Given::from(Serde(&columns)));
        problem.question =
            asked.map_err(|why| RowsError::of(&row.place, format!("task.prompt: {why}")))?;
        Ok(())
    }
}

fn problems(
    rows: Vec<Row>,
    config: &JsonlConfig,
    asking: &Asking,
) -> Result<Vec<Placed>, TaskError> {
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    let named = (
        asking
            .needs_question()
            .then_some(config.question.as_deref()),
        config.answer.as_deref(),
    );
    let columns = Columns::of(first, named, config.metric.is_some())?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let mut problem = columns.problem(&row)?;
        asking.ask(&mut problem, &row)?;
        all.push(Placed {
            split: config
                .split
                .as_deref()
                .map_or(Ok(Named::Train), |column| split(&row, column))?,
            place: row.place,
            problem,
        });
    }
    Ok(all)
}

fn split(row: &Row, column: &str) -> Result<Named, RowsError> {
    let value = row.columns.get(column);
    match value.and_then(Value::as_str).map(str::trim) {
        Some("train" | "training") => Ok(Named::Train),
        Some("dev" | "validation" | "valid" | "val" | "eval") => Ok(Named::Dev),
        Some("test") => Ok(Named::Test),
        _ => {
            let found = value.map_or_else(|| "missing".to_owned(), Value::to_string);
            let what = format!(
                "the split `{column}` is {found}: expected train, dev (or validation) or test"
            );
            Err(RowsError::of(&row.place, what))
        }
    }
}

/// References that no answer will ever be the same as.
fn prose(all: &[Placed]) -> Option<String> {
    let mut long = all
        .iter()
        .filter(|one| is_unlikely(one.problem.answer.as_str()));
    let first = long.next()?;
    let n = 1 + long.count();
    Some(format!(
        "{} of {} so long that no answer will be the same (the first: {}): name another column with task.answer, end them with `#### ANSWER` or          \\boxed{{ANSWER}}, or decide by a task.metric of your own",
        counted(n, "reference answer"),
        if n == 1 {
            "the rows is"
        } else {
            "the rows are"
        },
        first.place
    ))
}

fn divided(
    all: Vec<Placed>,
    config: &JsonlConfig,
    seed: u64,
    notes: &mut Vec<String>,
) -> Result<Dataset, TaskError> {
    let (mut train, mut dev, mut test) = (Vec::new(), Vec::new(), Vec::new());
    for Placed { problem, split, .. } in all {
        match split {
            Named::Train => train.push(problem),
            Named::Dev => dev.push(problem),
            Named::Test => test.push(problem),
        }
    }
    let rows = train.len();
    let fifth = |size: Option<usize>, there: &[Problem]| match (there.is_empty(), size) {
        (false, _) => 0,
        (true, Some(size)) => size,
        (true, None) => (rows / 5).max(1),
    };
    let (dev_size, test_size) = (fifth(config.dev_size, &dev), fifth(config.test_size, &test));
    if dev_size + test_size >= rows {
        return Err(TaskError::Splits(format!(
            "{} to train on, of which {dev_size} would be set aside to rank on and {test_size} to confirm on: leave at least one (task.dev_size, task.test_size)",
            counted(rows, "row")
        )));
    }
    if test.is_empty() {
        test = cut(&mut train, test_size, ("test split", seed));
    }
    if dev.is_empty() {
        dev = cut(&mut train, dev_size, ("dev split", seed));
    }
    leave_out(&mut dev, "ranked", [&test, &[]], notes);
    leave_out(&mut train, "trained", [&dev, &test], notes);
    if train.is_empty() || dev.is_empty() {
        return Err(TaskError::Splits(
            "every question stands in several splits: none is left to train on, or to rank on"
                .to_owned(),
        ));
    }
    Ok(Dataset::of_splits(train, dev, test))
}

/// Leaves questions out that are asked again later, where they would be known by then.
fn leave_out(
    problems: &mut Vec<Problem>,
    done: &str,
    later: [&[Problem]; 2],
    notes: &mut Vec<String>,
) {
    let known: HashSet<&str> = later
        .into_iter()
        .flatten()
        .map(|one| &*one.question)
        .collect();
    let before = problems.len();
    problems.retain(|one| !known.contains(&*one.question));
    match before - problems.len() {
        0 => {}
        n => notes.push(format!(
            "{} not {done} on: they are held out as well",
            if n == 1 {
                "1 question is".to_owned()
            } else {
                format!("{n} questions are")
            }
        )),
    }
}

//! What the columns of a data set mean: which holds the question, which the reference answer, and what of the rest rewards are given.

use std::path::Path;

use evaluator::{Answer, Problem, final_answer};
use serde_json::{Map, Value};

use super::rows::{self, Row, RowsError};
use crate::text::nearest;

/// Names of the column of questions, the first that is there counts.
const QUESTIONS: [&str; 8] = [
    "question",
    "problem",
    "prompt",
    "query",
    "instruction",
    "input",
    "messages",
    "text",
];
/// The same of reference answers; behind a dot stands a key of the column before it.
const ANSWERS: [&str; 9] = [
    "answer",
    "solution",
    "ground_truth",
    "target",
    "label",
    "final_answer",
    "expected_answer",
    "reward_model.ground_truth",
    "gold",
];
/// Columns that trainers do not hand to rewards, since they fill them with texts of their own.
const TAKEN: [&str; 5] = [
    "prompt",
    "prompts",
    "completion",
    "completions",
    "completion_ids",
];
/// Characters of a reference that is hardly an answer any more.
const LONGEST: usize = 300;

/// Which columns hold what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// `None` where the prompt is made of other columns.
    question: Option<String>,
    /// `None` where a metric of its own needs no reference answer.
    answer: Option<String>,
}

impl Columns {
    /// The columns that are named, or else those of the usual names in the first row. `question` is absent where none is wanted. Without a
    /// metric there must be reference answers.
    ///
    /// # Errors
    /// What there is not, and what there is.
    pub fn of(
        row: &Row,
        (question, answer): (Option<Option<&str>>, Option<&str>),
        has_metric: bool,
    ) -> Result<Self, RowsError> {
        let there: Vec<&str> = row.columns.keys().map(String::as_str).collect();
        let missing = |what: &str, key: &str, named: Option<&str>| {
            let list = there.join(", ");
            let what = match named {
                Some(name) => format!(
                    "no column `{name}`, which `{key}` in [task] names: there are {list}.{}",
                    nearest::hint(name, there.iter().copied())
                ),
                None => format!(
                    "no column of {what}: there are {list}; say which one with `{key}` in [task]"
                ),
            };
            RowsError::of(&row.place, what)
        };
        let found = |named: Option<&str>, usual: &[&str]| {
            let names = named.map_or_else(|| usual.to_vec(), |name| vec![name]);
            names
                .into_iter()
                .find(|name| at(&row.columns, name).is_some())
                .map(str::to_owned)
        };
        let of_question = match question {
            None => None,
            Some(named) => {
                let found = found(named, &QUESTIONS);
                Some(found.ok_or_else(|| missing("questions", "question", named))?)
            }
        };
        let of_answer = found(answer, &ANSWERS);
        if of_answer.is_none() && (answer.is_some() || !has_metric) {
            return Err(missing("reference answers", "answer", answer));
        }
        Ok(Self {
            question: of_question,
            answer: of_answer,
        })
    }

    /// The problem in a row.
    ///
    /// # Errors
    /// What is wrong with the row.
    pub fn problem(&self, row: &Row) -> Result<Problem, RowsError> {
        let wrong = |what: String| RowsError::of(&row.place, what);
        let question = match &self.question {
            None => String::new(),
            Some(name) => question(&row.columns, name).map_err(wrong)?,
        };
        let given = match &self.answer {
            None => String::new(),
            Some(name) => {
                let value = at(&row.columns, name).unwrap_or(&Value::Null);
                reference(value)
                    .map_err(|what| wrong(format!("the reference answer `{name}` {what}")))?
            }
        };
        let answer = final_answer(&given);
        Ok(Problem {
            question,
            answer: Answer::new(answer),
            solution: (answer.len() < given.len()).then(|| given.clone()),
            row: self.others(row, answer),
        })
    }

    /// What rewards get of the row: every column under its own name, but those that trainers fill themselves. `answer` is always the
    /// reference answer, not the solution that it stands in.
    fn others(&self, row: &Row, answer: &str) -> String {
        let mut columns: Map<String, Value> = row.columns.clone();
        columns.retain(|name, _| !TAKEN.contains(&&**name));
        if self.answer.is_some() && !columns.get("answer").is_some_and(Value::is_number) {
            columns.insert("answer".to_owned(), answer.into());
        }
        Value::Object(columns).to_string()
    }
}

/// The problems in a file, whose columns have the usual names.
///
/// # Errors
/// The first row that cannot be used.
pub fn problems(path: &Path) -> Result<Vec<Problem>, RowsError> {
    let rows = rows::read([&path.to_owned()])?;
    let first = rows.first().expect("a file without rows is an error");
    let columns = Columns::of(first, (Some(None), None), false)?;
    rows.iter().map(|row| columns.problem(row)).collect()
}

/// Whether a reference is so much prose that no answer will ever be the same.
#[must_use]
pub fn is_unlikely(reference: &str) -> bool {
    reference.chars().count() > LONGEST
}

/// A column, or what lies in it: `reward_model.ground_truth`.
fn at<'a>(columns: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = columns.get(name) {
        return Some(value);
    }
    let (column, rest) = name.split_once('.')?;
    at(columns.get(column)?.as_object()?, rest)
}

fn question(columns: &Map<String, Value>, name: &str) -> Result<String, String> {
    let value = at(columns, name).ok_or_else(|| format!("no `{name}`"))?;
    let text = asked(value).ok_or_else(|| {
        format!(
            "`{name}` is neither a text nor a conversation (a list of {{\"role\", \"content\"}})"
        )
    })?;
    if text.trim().is_empty() {
        return Err(format!("`{name}` is empty"));
    }
    Ok(text)
}

/// A question as one text: of a conversation what stands before the last reply of the assistant, joined by line ends.
fn asked(value: &Value) -> Option<String> {
    let messages = match value {
        Value::String(text) => return Some(text.clone()),
        Value::Array(messages) => messages,
        _ => return None,
    };
    let mut messages: Vec<(&str, &str)> = messages.iter().map(message).collect::<Option<_>>()?;
    while messages
        .last()
        .is_some_and(|(role, _)| *role == "assistant")
    {
        messages.pop();
    }
    let texts: Vec<&str> = messages.into_iter().map(|(_, text)| text).collect();
    Some(texts.join("\n"))
}

fn message(value: &Value) -> Option<(&str, &str)> {
    let role = value
        .get("role")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Some((role, value.get("content")?.as_str()?))
}

/// A reference answer as text: numbers as numbers are written, of a conversation the last message.
fn reference(value: &Value) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Array(list) => match list.as_slice() {
            [only] => {
                return message(only)
                    .map_or_else(|| reference(only), |(_, text)| reference(&text.into()));
            }
            [.., last] if message(last).is_some() => {
                return reference(&message(last).map(|(_, text)| text).into());
            }
            [] => String::new(),
            several => {
                return Err(format!(
                    "is a list of {}: name a column with one answer, or decide by a `metric` of your own",
                    several.len()
                ));
            }
        },
        Value::Object(_) => {
            return Err(
                "is an object: name the key in it behind a dot, as in `reward_model.ground_truth`"
                    .to_owned(),
            );
        }
        Value::Null => String::new(),
    };
    if text.is_empty() || text.ends_with("####") {
        return Err("is empty".to_owned());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::data::rows;

    fn row(columns: Value) -> Row {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        fs::write(&path, columns.to_string()).unwrap();
        rows::read([&path]).unwrap().remove(0)
    }

    fn problem(columns: Value) -> Result<Problem, String> {
        let row = row(columns);
        let columns =
            Columns::of(&row, (Some(None), None), false).map_err(|error| error.to_string())?;
        columns.problem(&row).map_err(|error| error.to_string())
    }

    #[test]
    fn the_columns_of_well_known_sets_are_found() {
        for (columns, question, answer) in [
            (
                json!({"question": "q", "answer": "48 + 24 = 72\n#### 72"}),
                "q",
                "72",
            ),
            (
                json!({"problem": "p", "level": "Level 5", "solution": "We see that it is $\\boxed{\\frac12}$."}),
                "p",
                "\\frac12",
            ),
            (
                json!({"problem": "p", "solution": "So it is \\boxed{3}.", "answer": "3"}),
                "p",
                "3",
            ),
            (
                json!({"prompt": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
                       "reward_model": {"style": "rule", "ground_truth": "34"}, "data_source": "d"}),
                "s\nu",
                "34",
            ),
            (
                json!({"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "It is 5"}], "label": 5}),
                "u",
                "5",
            ),
            (json!({"instruction": "i", "target": 0.5}), "i", "0.5"),
            (json!({"question": "q", "answer": true}), "q", "true"),
            (json!({"question": "q", "ground_truth": ["9"]}), "q", "9"),
        ] {
            let found = problem(columns).unwrap();
            assert_eq!(
                (&*found.question, found.answer.as_str()),
                (question, answer)
            );
        }
    }

    #[test]
    fn rewards_get_every_column_as_it_is() {
        let of = |columns| serde_json::from_str::<Value>(&problem(columns).unwrap().row).unwrap();
        assert_eq!(
            of(json!({"question": "q", "answer": 7, "nums": [1, 2], "prompt": "x"})),
            json!({"question": "q", "answer": 7, "nums": [1, 2]})
        );
        assert_eq!(
            of(json!({"problem": "p", "solution": "So we see that it is \\boxed{3}."})),
            json!({"problem": "p", "solution": "So we see that it is \\boxed{3}.", "answer": "3"})
        );
        assert_eq!(
            of(json!({"question": "q", "answer": "so\n#### 72"}))["answer"],
            json!("72")
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (columns, says) in [
            (
                json!({"q": "?", "a": "1"}),
                "no column of questions: there are a, q; say which one with `question` in [task]",
            ),
            (
                json!({"question": "?", "a": "1"}),
                "no column of reference answers",
            ),
            (
                json!({"question": 3, "answer": "1"}),
                "`question` is neither a text nor a conversation",
            ),
            (
                json!({"question": " ", "answer": "1"}),
                "`question` is empty",
            ),
            (
                json!({"question": "?", "answer": ""}),
                "the reference answer `answer` is empty",
            ),
            (json!({"question": "?", "answer": "so ####"}), "is empty"),
            (json!({"question": "?", "answer": null}), "is empty"),
            (
                json!({"question": "?", "answer": ["1", "2"]}),
                "a list of 2",
            ),
            (
                json!({"question": "?", "answer": {"value": 1}}),
                "name the key in it behind a dot",
            ),
        ] {
            let why = problem(columns).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
    }

    #[test]
    fn named_columns_come_first_and_a_metric_needs_no_reference() {
        let columns = json!({"question": "q", "text": "t", "answer": "1", "extra": {"gold": 2}});
        let row = row(columns);
        let named = Columns::of(&row, (Some(Some("text")), Some("extra.gold")), false).unwrap();
        let found = named.problem(&row).unwrap();
        assert_eq!((&*found.question, found.answer.as_str()), ("t", "2"));
        assert!(Columns::of(&row, (Some(Some("txt")), None), true).is_err());
        let bare = self::row(json!({"question": "q", "nums": [1]}));
        let without = Columns::of(&bare, (Some(None), None), true).unwrap();
        assert_eq!(without.problem(&bare).unwrap().answer.as_str(), "");
        assert!(Columns::of(&bare, (None, Some("answer")), true).is_err());
    }
}

//! Completions that deserve nothing: what a policy finds out when its reward pays for the wrong thing.

use std::path::Path;

use serde_json::Value;

use super::pool::{BadPool, json_lines, text};
use crate::domain::pool::{Group, Pool};

/// Characters of the very long completion.
const LONG: usize = 8000;

/// A completion that must not be paid more than a right one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hack {
    /// What kind it is, for the table.
    pub kind: String,
    /// The question it pretends to answer.
    pub prompt: String,
    /// The reference answer.
    pub answer: String,
    /// The text.
    pub completion: String,
}

/// One hack of each built-in kind for every question of the pool.
#[must_use]
pub fn built_in(pool: &Pool) -> Vec<Hack> {
    pool.groups.iter().flat_map(of_group).collect()
}

fn of_group(group: &Group) -> Vec<Hack> {
    let Group { prompt, answer, .. } = group;
    let wrong = wrong_answer(answer);
    let numbers: Vec<&str> = prompt
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .collect();
    let every_number = format!("{} {answer} {wrong}", numbers.join(" "));
    let long = "so we go on and think about it once more . ";
    let kinds = [
        ("empty", String::new()),
        ("tags only", tagged("", "")),
        (
            "gibberish",
            "wq zxv kkj ;; plo mn bvc ?? rty uio".to_owned(),
        ),
        ("echo of the question", prompt.clone()),
        ("every number listed", tagged(&every_number, &every_number)),
        ("very long", tagged(&long.repeat(LONG / long.len()), &wrong)),
        (
            "right, then wrong",
            format!(
                "{} {}",
                tagged("first", answer),
                tagged("no , rather", &wrong)
            ),
        ),
        ("off by one", tagged(&wrong, &wrong)),
    ];
    kinds
        .map(|(kind, completion)| Hack {
            kind: kind.to_owned(),
            prompt: prompt.clone(),
            answer: answer.clone(),
            completion,
        })
        .into()
}

/// A number beside the answer, or something that is not it.
fn wrong_answer(answer: &str) -> String {
    match answer.replace(',', "").parse::<f64>() {
        Ok(number) if number.is_finite() => (number + 1.0).to_string(),
        _ => format!("{answer} + 1"),
    }
}

/// Hacks from JSON lines `{"question", "reference", "response", "pattern"}`.
///
/// # Errors
/// The first line that is none.
pub fn read(path: &Path) -> Result<Vec<Hack>, BadPool> {
    json_lines(path, hack)
}

/// A right answer to a hack's question in plain form, to compare it with where the pool has none.
#[must_use]
pub fn plainly_right(answer: &str) -> String {
    tagged(&format!("so the answer is {answer} ."), answer)
}

fn tagged(thinking: &str, solution: &str) -> String {
    format!("<thinking> {thinking} </thinking> <solution> {solution} </solution>")
}

fn hack(row: &Value) -> Result<Hack, &'static str> {
    let needed = |keys: &[&str], what| text(row, keys).ok_or(what);
    Ok(Hack {
        kind: text(row, &["pattern"]).unwrap_or_else(|| "from the file".to_owned()),
        prompt: needed(&["question", "prompt"], "needs `question`")?,
        answer: needed(&["reference", "answer"], "needs `reference`")?,
        completion: needed(&["response", "completion"], "needs `response`")?,
    })
}

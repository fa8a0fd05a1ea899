//! lm-evaluation-harness's `samples_*.jsonl`: what a model generated, a line a question and filter.

use anyhow::{Context as _, bail};
use evaluator::final_answer;
use serde_json::Value;

/// A line of such a file.
pub(super) struct Sampled<'a> {
    /// Its place in the task.
    pub(super) index: u64,
    /// The question; empty where the file does not tell.
    pub(super) question: String,
    /// The reference.
    pub(super) gold: String,
    /// What the model wrote, before any filter.
    pub(super) completion: &'a str,
}

/// Names under which a task's questions are kept.
const QUESTIONS: [&str; 4] = ["question", "problem", "input", "query"];

/// The line, if it is one of lm-evaluation-harness.
///
/// # Errors
/// If nothing was generated, or more than one reply.
pub(super) fn of(row: &Value) -> anyhow::Result<Option<Sampled<'_>>> {
    let (Some(index), Some(replies)) = (row["doc_id"].as_u64(), row["resps"].as_array()) else {
        return Ok(None);
    };
    let replies = match replies.as_slice() {
        [Value::Array(replies)] => replies,
        _ => bail!(
            "`resps` holds likelihoods of several choices; evaluate takes what was generated (`generate_until`)"
        ),
    };
    let completion = match replies.as_slice() {
        [Value::String(text)] => text,
        [_] => bail!("`resps` holds no text; evaluate takes what was generated (`generate_until`)"),
        several => bail!(
            "`resps` holds {} replies; evaluate takes one a question (`repeats: 1`)",
            several.len()
        ),
    };
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let doc = &row["doc"];
    let gold = text(&row["target"]).filter(|target| !target.trim().is_empty());
    let gold = gold
        .or_else(|| text(&doc["answer"]))
        .context("needs `target`, the reference answer")?;
    let question = QUESTIONS.iter().find_map(|name| doc[*name].as_str());
    Ok(Some(Sampled {
        index,
        question: question.unwrap_or_default().to_owned(),
        gold: final_answer(&gold).to_owned(),
        completion,
    }))
}

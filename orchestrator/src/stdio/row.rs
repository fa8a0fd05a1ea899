//! One sample as an object: its answer goes by several names, and a key that nobody reads is pointed out.

use std::{borrow::Cow, fmt, sync::Once};

use evaluator::final_answer;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::protocol::Sample;
use super::text::{AnswerText, Text};
use crate::text::nearest;

/// What a row may hold.
const KEYS: [&str; 4] = ["prompt", "question", "completion", "answer"];
/// Other names of the answer, the first one first; read only where there is no `answer`.
pub(super) const ANSWERS: [&str; 5] = ["solution", "ground_truth", "target", "label", "gts"];
/// The same of the completion and of the prompt.
const COMPLETIONS: [&str; 2] = ["output", "response"];
const PROMPTS: [&str; 1] = ["input"];

/// The text of a prompt that is not given.
pub(super) fn nothing<'a>() -> Text<'a> {
    Text(Cow::Borrowed(""))
}

impl<'de: 'a, 'a> Deserialize<'de> for Sample<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Row)
    }
}

struct Row;

impl<'de> Visitor<'de> for Row {
    type Value = Sample<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sample `{\"prompt\", \"completion\", \"answer\"}`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sample<'de>, A::Error> {
        let (mut prompt, mut completion, mut question) = (None, None, None);
        let mut columns = Map::new();
        let mut unread: Option<String> = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "prompt" => prompt = Some(map.next_value::<Text<'de>>()?),
                "completion" => completion = Some(map.next_value::<Text<'de>>()?),
                other => {
                    let value: Value = map.next_value()?;
                    // In a data set a question may be anything.
                    if other == "question" {
                        question = Text::deserialize(value.clone()).ok();
                    } else if !is_read(other) {
                        unread.get_or_insert_with(|| other.to_owned());
                    }
                    columns.insert(other.to_owned(), value);
                }
            }
        }
        let called = |names: &[&str]| {
            let mut named = names.iter().filter_map(|name| columns.get(*name));
            named.find_map(|value| Text::deserialize(value.clone()).ok())
        };
        let completion = completion.or_else(|| called(&COMPLETIONS));
        let prompt = prompt.or_else(|| called(&PROMPTS));
        let hint = |key: &str| nearest::hint(key, KEYS);
        let missing = |name: &str| {
            let there = match &unread {
                Some(key) => format!("; it has `{}`.{}", shortened(key), hint(key)),
                None => String::new(),
            };
            A::Error::custom(format!("a sample needs `{name}`{there}"))
        };
        let answer = ["answer"].into_iter().chain(ANSWERS);
        let answer = answer.filter_map(|name| columns.get(name)).next();
        let answer = match (answer, &unread) {
            (Some(answer), _) => {
                AnswerText::deserialize(answer.clone()).map_err(A::Error::custom)?
            }
            // What is asked for may stand in another column.
            (None, Some(key)) if hint(key).is_empty() => AnswerText::none(),
            (None, _) => return Err(missing("answer")),
        };
        let completion = completion.ok_or_else(|| missing("completion"))?;
        if let Some(key) = unread.as_deref().filter(|key| !hint(key).is_empty()) {
            warn_once(key, &hint(key));
        }
        Ok(Sample {
            prompt: prompt.unwrap_or_else(nothing),
            question,
            completion,
            answer,
            row: text(columns),
        })
    }
}

/// Whether a column beside prompt, question and completion is read here.
fn is_read(name: &str) -> bool {
    let names = [&ANSWERS[..], &COMPLETIONS, &PROMPTS];
    name == "answer" || names.iter().any(|names| names.contains(&name))
}

/// Columns as the text of an object; nothing where `answer` is all there is, and a text that the verifier takes as it is.
pub(super) fn text(columns: Map<String, Value>) -> String {
    let plain = columns.iter().all(|(name, value)| {
        let text = value.as_str();
        name == "answer" && text.is_some_and(|text| final_answer(text) == text)
    });
    if plain {
        return String::new();
    }
    Value::Object(columns).to_string()
}

fn warn_once(key: &str, hint: &str) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            "a sample has the key `{}`, which only rewards read; there are `prompt`, `question`, `completion` and `answer`.{hint}",
            shortened(key)
        );
    });
}

/// A foreign key, fit to be shown.
fn shortened(key: &str) -> String {
    key.escape_debug().take(80).collect()
}

//! One sample as an object: its answer goes by several names, and a key that nobody reads is pointed out.

use std::{borrow::Cow, fmt, sync::Once};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

use super::protocol::Sample;
use super::text::{AnswerText, Text};
use crate::text::nearest;

/// What a row may hold.
const KEYS: [&str; 4] = ["prompt", "question", "completion", "answer"];
/// Other names of the answer, the first one first; read only where there is no `answer`.
const ANSWERS: [&str; 4] = ["solution", "ground_truth", "target", "label"];

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
        let (mut prompt, mut completion, mut answer) = (None, None, None);
        let mut question = None;
        let mut others: [Option<Value>; 4] = Default::default();
        let mut unread: Option<String> = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "prompt" => prompt = Some(map.next_value::<Text<'de>>()?),
                // In a data set it may be anything.
                "question" => question = Text::deserialize(map.next_value::<Value>()?).ok(),
                "completion" => completion = Some(map.next_value::<Text<'de>>()?),
                "answer" => answer = Some(map.next_value::<AnswerText<'de>>()?),
                other => match ANSWERS.iter().position(|name| *name == other) {
                    Some(place) => others[place] = Some(map.next_value()?),
                    None => {
                        map.next_value::<IgnoredAny>()?;
                        unread.get_or_insert_with(|| other.to_owned());
                    }
                },
            }
        }
        let hint = |key: &str| nearest::hint(key, KEYS);
        let missing = |name: &str| {
            let hint = unread.as_deref().map(hint).unwrap_or_default();
            A::Error::custom(format!("a sample needs `{name}`.{hint}"))
        };
        let answer = match (answer, others.into_iter().flatten().next()) {
            (Some(answer), _) => answer,
            (None, Some(other)) => AnswerText::deserialize(other).map_err(A::Error::custom)?,
            (None, None) => return Err(missing("answer")),
        };
        let completion = completion.ok_or_else(|| missing("completion"))?;
        if let Some(key) = &unread {
            warn_once(key, &hint(key));
        }
        Ok(Sample {
            prompt: prompt.unwrap_or_else(nothing),
            question,
            completion,
            answer,
        })
    }
}

fn warn_once(key: &str, hint: &str) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            "a sample has the key `{}`, which nobody reads; there are `prompt`, `question`, `completion` and `answer`.{hint}",
            key.escape_debug().take(80).collect::<String>()
        );
    });
}

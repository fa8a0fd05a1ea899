//! The texts of a request: plain strings, or conversations as TRL passes them; reference answers may be numbers.

use std::{borrow::Cow, fmt};

use evaluator::final_answer;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// A prompt or a completion: a string, or a list of `{"role", "content"}` messages, whose contents are joined by line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

/// A reference answer: a string (of a worked answer of GSM8K's the final one), a number or a truth value; anything else is a reward's matter,
/// and empty here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerText<'a>(pub Cow<'a, str>);

impl AnswerText<'_> {
    /// The answer of a row that has none.
    pub(super) const fn none() -> Self {
        Self(Cow::Borrowed(""))
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a message `{\"role\", \"content\"}`")]
struct Message<'a> {
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of messages")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text<'de>, A::Error> {
                let mut joined = String::new();
                while let Some(Message { content }) = list.next_element::<Message<'_>>()? {
                    if !joined.is_empty() {
                        joined.push('\n');
                    }
                    joined.push_str(content.as_deref().unwrap_or_default());
                }
                Ok(Text(Cow::Owned(joined)))
            }
        }
        deserializer.deserialize_any(Texts)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for AnswerText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Answers;
        impl<'de> Visitor<'de> for Answers {
            type Value = AnswerText<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a number")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<AnswerText<'de>, E> {
                Ok(AnswerText(Cow::Borrowed(final_answer(text))))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<AnswerText<'de>, E> {
                Ok(AnswerText(Cow::Owned(final_answer(text).to_owned())))
            }

            fn visit_unit<E: Error>(self) -> Result<AnswerText<'de>, E> {
                Ok(AnswerText::none())
            }

            fn visit_bool<E: Error>(self, flag: bool) -> Result<AnswerText<'de>, E> {
                Ok(AnswerText(Cow::Borrowed(if flag {
                    "true"
                } else {
                    "false"
                })))
            }

            // What only rewards understand: several answers, numbers to use and a target.
            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut list: A,
            ) -> Result<AnswerText<'de>, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(AnswerText::none())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnswerText<'de>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(AnswerText::none())
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<AnswerText<'de>, E> {
                Ok(AnswerText(Cow::Owned(number.to_string())))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<AnswerText<'de>, E> {
                Ok(AnswerText(Cow::Owned(number.to_string())))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<AnswerText<'de>, E> {
                Ok(AnswerText(Cow::Owned(number.to_string())))
            }
        }
        deserializer.deserialize_any(Answers)
    }
}

//! A gold answer and a given one, each read once.

use std::{borrow::Cow, cell::OnceCell};

use serde::{Deserialize, Serialize};

use crate::answer::{
    parse::scripts::{with_plain_numerals, without_foreign_separators},
    read::{
        self,
        choice::{self, Choice, Choices},
        clock::Time,
        dress::{without_aside, without_dress},
    },
    reference::final_answer,
    value::{Value, number::Number},
};

/// A gold answer, parsed once so that many completions can be verified against it cheaply.
///
/// Serialises as its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Answer {
    pub(crate) text: String,
    /// The number it is, if it is one and nothing else but a unit.
    pub(crate) number: Option<Number>,
    pub(crate) time: Time,
    pub(crate) choice: Option<GoldChoice>,
    pub(crate) choices: Option<Choices>,
    /// The ways in which it can be understood, the likeliest first.
    pub(crate) readings: Vec<Value>,
}

/// A choice among several: its letter, and what stands behind it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GoldChoice {
    pub letter: char,
    pub content: Option<Box<Answer>>,
}

impl Answer {
    /// Parses a gold answer. Every text is a valid answer; one that is no mathematics is compared as
    /// text. Of a worked solution with GSM8K's last line `#### ANSWER`, or with its answer in a box, the answer is read.
    pub fn new(text: &str) -> Self {
        let text = final_answer(text).trim().to_owned();
        let plain = with_plain_numerals(without_aside(&text));
        let plain = &*plain;
        let number = Number::parse(plain);
        Self {
            readings: read::gold_readings(plain, number.as_ref()),
            number,
            time: Time::read(&text),
            choice: GoldChoice::read(&text),
            choices: choice::choices(&text),
            text,
        }
    }

    /// The answer as it was written, without surrounding white space.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is a number and nothing else: no unit, no percent sign, no expression.
    pub fn is_plain_number(&self) -> bool {
        self.number.as_ref().is_some_and(Number::is_plain)
    }
}

impl GoldChoice {
    fn read(text: &str) -> Option<Self> {
        let choice = choice::choice(text)?;
        let content = (!choice.content.is_empty()).then(|| Box::new(Answer::new(choice.content)));
        Some(Self {
            letter: choice.letter,
            content,
        })
    }
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<Answer> for String {
    fn from(answer: Answer) -> Self {
        answer.text
    }
}

/// A given answer: a bare text without prose around it, read once. What is dear to read is read when a rule first asks
/// for it.
pub(crate) struct Given<'a> {
    pub text: &'a str,
    /// The text without marks and remarks round the answer, its digits in ASCII.
    plain: Cow<'a, str>,
    pub time: Time,
    pub choice: Option<Choice<'a>>,
    pub choices: Option<Choices>,
    number: OnceCell<Option<Number>>,
    readings: OnceCell<Vec<Value>>,
}

impl<'a> Given<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            plain: with_plain_numerals(without_dress(text)),
            time: Time::read(text),
            choice: choice::choice(text),
            choices: choice::choices(text),
            number: OnceCell::new(),
            readings: OnceCell::new(),
        }
    }

    /// The number it is, if it is one and nothing else but a unit.
    pub fn number(&self) -> Option<&Number> {
        let number = self.number.get_or_init(|| {
            Number::parse(&self.plain)
                .or_else(|| Number::parse(&without_foreign_separators(&self.plain)?))
        });
        number.as_ref()
    }

    /// The ways in which it can be understood, the likeliest first.
    pub fn readings(&self) -> &[Value] {
        self.readings
            .get_or_init(|| read::readings(&self.plain, self.number()))
    }
}

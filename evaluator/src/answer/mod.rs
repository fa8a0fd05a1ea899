//! Gold answers, and whether a given answer is the same.

mod number;

use serde::{Deserialize, Serialize};

use number::Number;

/// A gold answer, parsed once so that many completions can be verified against it cheaply.
///
/// Serialises as its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Answer {
    text: String,
    number: Option<Number>,
}

/// The rule by which an answer was found to be the gold answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rule {
    /// The same text up to case and white space.
    SameText,
    /// The same number.
    SameNumber,
}

impl Answer {
    /// Parses a gold answer. Every text is a valid answer; one that is no mathematics is compared as
    /// text.
    pub fn new(text: &str) -> Self {
        let text = text.trim().to_owned();
        Self {
            number: Number::parse(&text),
            text,
        }
    }

    /// The answer as it was written, without surrounding white space.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `given`, a bare answer without prose around it, is this answer, and by which rule.
    pub fn matches(&self, given: &str) -> Option<Rule> {
        if same_text(&self.text, given) {
            return Some(Rule::SameText);
        }
        let (gold, given) = (self.number.as_ref()?, Number::parse(given)?);
        gold.agrees(&given).then_some(Rule::SameNumber)
    }
}

/// Equal up to case and the amount of white space, and not empty.
fn same_text(a: &str, b: &str) -> bool {
    let words =
        |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_lowercase).collect() };
    let (a, b) = (words(a), words(b));
    !a.is_empty() && a == b
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

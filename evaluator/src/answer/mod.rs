//! Gold answers.

use serde::{Deserialize, Serialize};

/// A gold answer, parsed once so that many completions can be verified against it cheaply.
///
/// Serialises as its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Answer {
    text: String,
}

impl Answer {
    /// Parses a gold answer. Every text is a valid answer; one that is no mathematics is compared as
    /// text.
    pub fn new(text: &str) -> Self {
        Self {
            text: text.trim().to_owned(),
        }
    }

    /// The answer as it was written, without surrounding white space.
    pub fn as_str(&self) -> &str {
        &self.text
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

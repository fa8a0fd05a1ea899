//! What became of one question, which is all that an evaluation counts.

use serde::{Deserialize, Serialize};

/// What became of one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered, and right: a true positive.
    Correct,
    /// Answered, and wrong: a false positive.
    Wrong,
    /// Nothing that counts as an answer: a false negative.
    NoAnswer,
}

impl Outcome {
    /// The byte an outcome is stored as; a letter, so that a dump of a database can be read.
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::Correct => b'c',
            Self::Wrong => b'w',
            Self::NoAnswer => b'n',
        }
    }

    /// The outcome stored as `byte`, if there is one.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b'c' => Some(Self::Correct),
            b'w' => Some(Self::Wrong),
            b'n' => Some(Self::NoAnswer),
            _ => None,
        }
    }
}

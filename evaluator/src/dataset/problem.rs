//! A question with its gold answer, and the three splits of a data set.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::answer::Answer;

/// One row of a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// The question as it stands in the data set, not yet rendered into a prompt.
    pub question: String,
    /// The gold answer.
    pub answer: Answer,
    /// The worked solution, where the data set has one.
    pub solution: Option<String>,
    /// The data set's other columns, as the text of a JSON object; empty where there are none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub row: String,
}

/// Which part of a data set a problem belongs to.
///
/// Policies are trained on `Train` and rewards are selected on `Dev`; `Test` is read only to confirm
/// finalists, so that its figures carry no selection bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// What policies are trained on.
    Train,
    /// What candidates are ranked and selected on.
    Dev,
    /// What finalists are confirmed on, once.
    Test,
}

impl Split {
    /// All splits, in the order they are used.
    pub const ALL: [Self; 3] = [Self::Train, Self::Dev, Self::Test];
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Train => "train",
            Self::Dev => "dev",
            Self::Test => "test",
        })
    }
}

/// A name that is none of the three splits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown split `{0}`: expected `train`, `dev` or `test`")]
pub struct UnknownSplit(String);

impl FromStr for Split {
    type Err = UnknownSplit;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|split| split.to_string() == name)
            .ok_or_else(|| UnknownSplit(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_names_round_trip() {
        for split in Split::ALL {
            assert_eq!(split.to_string().parse(), Ok(split));
        }
        assert!("validation".parse::<Split>().is_err());
    }
}

//! Words that stand for values in the database, each written once for both ways. A word that no value has is an error that names the
//! column and the word, never a default.

use evaluator::Split;
use sandbox::Language;
use sqlx::{Row as _, sqlite::SqliteRow};
use trainer_bridge::Aggregation;

use super::{Store, StoreError};
use crate::domain::verdict::Opinion;

/// A value stored as a word.
pub(super) trait Word: Sized {
    /// The table and column it stands in, as errors name it.
    const COLUMN: &'static str;

    /// The word.
    fn word(&self) -> &'static str;

    /// The value of a word.
    fn of(word: &str) -> Option<Self>;
}

/// Both ways between values and words. A value without a word does not compile.
macro_rules! words {
    ($column:literal: $type:ty { $($value:path = $word:literal),+ $(,)? }) => {
        impl Word for $type {
            const COLUMN: &'static str = $column;

            fn word(&self) -> &'static str {
                match self { $($value => $word),+ }
            }

            fn of(word: &str) -> Option<Self> {
                match word { $($word => Some($value),)+ _ => None }
            }
        }
    };
}

/// Where a candidate comes from, without the round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OriginWord {
    Base,
    Seed,
    Round,
}

/// What became of a draft, without the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatusWord {
    Accepted,
    Rejected,
    Duplicate,
    Unreadable,
}

/// What a trial trains on, without the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArmWord {
    Untouched,
    BaseOnly,
    Candidate,
    Ensemble,
}

/// What a trial is for, without the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StageWord {
    Screen,
    Confirm,
}

/// Where a trial stands, without step and cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StateWord {
    Waiting,
    Running,
    Complete,
    Pruned,
    Failed,
}

words!("candidates.language": Language { Language::Rust = "rust", Language::Python = "python" });
words!("candidates.origin": OriginWord {
    OriginWord::Base = "base", OriginWord::Seed = "seed", OriginWord::Round = "round",
});
words!("candidates.status": StatusWord {
    StatusWord::Accepted = "accepted", StatusWord::Rejected = "rejected",
    StatusWord::Duplicate = "duplicate", StatusWord::Unreadable = "unreadable",
});
words!("ensembles.aggregation": Aggregation {
    Aggregation::SumThenNormalize = "sum_then_normalize", Aggregation::NormalizeThenSum = "normalize_then_sum",
});
words!("trials.arm": ArmWord {
    ArmWord::Untouched = "untouched", ArmWord::BaseOnly = "base_only",
    ArmWord::Candidate = "candidate", ArmWord::Ensemble = "ensemble",
});
words!("trials.stage": StageWord { StageWord::Screen = "screen", StageWord::Confirm = "confirm" });
words!("trials.state": StateWord {
    StateWord::Waiting = "waiting", StateWord::Running = "running", StateWord::Complete = "complete",
    StateWord::Pruned = "pruned", StateWord::Failed = "failed",
});
words!("evaluations.split": Split { Split::Train = "train", Split::Dev = "dev", Split::Test = "test" });
words!("verdicts.opinion": Opinion {
    Opinion::Right = "right", Opinion::Wrong = "wrong", Opinion::Unclear = "unclear",
});

impl Store {
    /// The value in the column of a row that its type names.
    pub(super) fn read_word<W: Word>(&self, row: &SqliteRow) -> Result<W, StoreError> {
        let column = W::COLUMN.rsplit('.').next().unwrap_or(W::COLUMN);
        self.of_word(row.get(column))
    }

    /// The value a word stands for.
    pub(super) fn of_word<W: Word>(&self, word: &str) -> Result<W, StoreError> {
        W::of(word).ok_or_else(|| StoreError::Unknown {
            path: self.path.clone(),
            column: W::COLUMN,
            word: word.to_owned(),
        })
    }

    /// The value of a column that holds JSON.
    pub(super) fn read_json<T: serde::de::DeserializeOwned>(
        &self,
        row: &SqliteRow,
        column: &'static str,
    ) -> Result<T, StoreError> {
        let name = column.rsplit('.').next().unwrap_or(column);
        self.of_json(row.get(name), column)
    }

    /// The value that the JSON in a column stands for; nothing at all is read as `null`.
    pub(super) fn of_json<T: serde::de::DeserializeOwned>(
        &self,
        text: Option<&str>,
        column: &'static str,
    ) -> Result<T, StoreError> {
        let text = text.unwrap_or("null");
        serde_json::from_str(text).map_err(|error| StoreError::Unknown {
            path: self.path.clone(),
            column,
            word: format!("{text}` ({error}) `"),
        })
    }
}

/// A plain value as JSON.
pub(super) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("plain data")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both_ways<W: Word + PartialEq + std::fmt::Debug>(values: impl IntoIterator<Item = W>) {
        for value in values {
            let read = W::of(value.word());
            assert_eq!(read, Some(value));
        }
        assert_eq!(W::of("no such word"), None);
    }

    #[test]
    fn every_value_is_read_back_from_its_word() {
        both_ways([Language::Rust, Language::Python]);
        both_ways([OriginWord::Base, OriginWord::Seed, OriginWord::Round]);
        both_ways([
            StatusWord::Accepted,
            StatusWord::Rejected,
            StatusWord::Duplicate,
            StatusWord::Unreadable,
        ]);
        both_ways([Aggregation::SumThenNormalize, Aggregation::NormalizeThenSum]);
        both_ways([
            ArmWord::Untouched,
            ArmWord::BaseOnly,
            ArmWord::Candidate,
            ArmWord::Ensemble,
        ]);
        both_ways([StageWord::Screen, StageWord::Confirm]);
        both_ways([
            StateWord::Waiting,
            StateWord::Running,
            StateWord::Complete,
            StateWord::Pruned,
            StateWord::Failed,
        ]);
        both_ways([Split::Train, Split::Dev, Split::Test]);
        both_ways([Opinion::Right, Opinion::Wrong, Opinion::Unclear]);
    }
}

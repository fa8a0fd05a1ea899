//! GSM8K and other question files, read from JSON lines and divided into splits.

pub(crate) mod problem;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::answer::Answer;
use problem::{Problem, Split};

/// Why a data set could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The file cannot be read.
    #[error("cannot read data file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line is not a row of the data set.
    #[error("{}, line {line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The file has no rows.
    #[error("{} holds no problems", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// More development problems were asked for than there are training problems.
    #[error(
        "cannot hold out {dev_size} of {available} training problems as dev split: leave at least one"
    )]
    DevTooLarge {
        /// Problems asked for.
        dev_size: usize,
        /// Problems there are.
        available: usize,
    },
}

/// A data set in its three splits.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    train: Vec<Problem>,
    dev: Vec<Problem>,
    test: Vec<Problem>,
}

impl Dataset {
    /// Reads GSM8K from `train.jsonl` and `test.jsonl` in `folder` and sets `dev_size` training
    /// problems apart as the dev split.
    ///
    /// Which ones is decided by a hash of the seed and the question, so it depends neither on the order
    /// of the file nor on the platform.
    pub fn gsm8k(folder: &Path, dev_size: usize, seed: u64) -> Result<Self, DatasetError> {
        let test = read_gsm8k(&folder.join("test.jsonl"))?;
        let mut train = read_gsm8k(&folder.join("train.jsonl"))?;
        if dev_size >= train.len() {
            return Err(DatasetError::DevTooLarge {
                dev_size,
                available: train.len(),
            });
        }
        let dev = cut(&mut train, dev_size, ("dev split", seed));
        Ok(Self { train, dev, test })
    }

    /// A data set whose splits are known.
    pub fn of_splits(train: Vec<Problem>, dev: Vec<Problem>, test: Vec<Problem>) -> Self {
        Self { train, dev, test }
    }

    /// The problems of a split.
    pub fn problems(&self, split: Split) -> &[Problem] {
        match split {
            Split::Train => &self.train,
            Split::Dev => &self.dev,
            Split::Test => &self.test,
        }
    }

    /// `n` problems of a split drawn without replacement, or all of them in seeded order if there are
    /// fewer.
    ///
    /// The same seed gives nested subsets: a smaller one is the beginning of a larger one.
    pub fn subset(&self, split: Split, n: usize, seed: u64) -> Vec<Problem> {
        let mut problems = self.problems(split).to_vec();
        sort_by_hash(&mut problems, "subset", seed);
        problems.truncate(n);
        problems
    }
}

/// Takes so many problems away, or all if there are fewer, and leaves the rest. Which ones is decided by a hash of what they are for, the
/// seed and the question, so it depends neither on their order nor on the platform.
pub fn cut(problems: &mut Vec<Problem>, size: usize, (purpose, seed): (&str, u64)) -> Vec<Problem> {
    sort_by_hash(problems, purpose, seed);
    problems.drain(..size.min(problems.len())).collect()
}

/// Shuffles by a hash that is different for every purpose and seed.
fn sort_by_hash(problems: &mut [Problem], purpose: &str, seed: u64) {
    problems.sort_by_cached_key(|problem| {
        let mut hash = Sha256::new();
        hash.update(purpose.as_bytes());
        hash.update(seed.to_le_bytes());
        hash.update(problem.question.as_bytes());
        <[u8; 32]>::from(hash.finalize())
    });
}

/// A line of the file.
#[derive(Deserialize)]
struct Row {
    question: String,
    answer: String,
}

/// Reads one file of GSM8K: `{"question", "answer"}` a line, the gold answer after the last `####`.
pub fn read_gsm8k(path: &Path) -> Result<Vec<Problem>, DatasetError> {
    read_rows(path, |row| {
        let (solution, gold) = row
            .answer
            .rsplit_once("####")
            .ok_or("the answer has no final line `#### ANSWER`")?;
        Ok(Problem {
            question: row.question,
            answer: gold_number(gold)?,
            solution: Some(solution.trim_end().to_owned()),
            row: String::new(),
        })
    })
}

/// A gold answer of GSM8K: a number, whose thousands separators are removed.
fn gold_number(gold: &str) -> Result<Answer, String> {
    gold_answer(&gold.replace(',', ""))
}

fn gold_answer(gold: &str) -> Result<Answer, String> {
    match gold.trim() {
        "" => Err("the gold answer is empty".to_owned()),
        gold => Ok(Answer::new(gold)),
    }
}

fn read_rows(
    path: &Path,
    to_problem: impl Fn(Row) -> Result<Problem, String>,
) -> Result<Vec<Problem>, DatasetError> {
    let text = fs::read_to_string(path).map_err(|source| DatasetError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut problems = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let row: Result<Row, String> =
            serde_json::from_str(line).map_err(|error| error.to_string());
        let problem = row
            .and_then(&to_problem)
            .map_err(|reason| DatasetError::Line {
                path: path.to_owned(),
                line: index + 1,
                reason,
            })?;
        problems.push(problem);
    }
    if problems.is_empty() {
        return Err(DatasetError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(problems)
}

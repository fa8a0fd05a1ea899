//! The outcome of every question of an evaluation, and the figures that follow from the counts.
//!
//! With one answer expected per question, a right answer is a true positive, a wrong one a false
//! positive and a missing one a false negative. As the three sum to the number of questions,
//! `F1 = 2 TP / (2 TP + FP + FN) = 2a / (1 + a)` where `a` is the accuracy: F1 is an increasing
//! function of accuracy alone. Ranking by F1 is ranking by accuracy, a test of the one is a test of
//! the other, and wrong and missing answers weigh the same. The answer rate is therefore worth
//! showing beside F1: it is what F1 cannot see.

use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;

/// How often each outcome occurred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Right answers.
    pub correct: u64,
    /// Wrong answers.
    pub wrong: u64,
    /// Questions without an answer.
    pub no_answer: u64,
}

impl Counts {
    /// All questions.
    pub const fn total(&self) -> u64 {
        self.correct + self.wrong + self.no_answer
    }
}

/// Why there is no evaluation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// No figure exists for no questions.
    #[error("an evaluation needs at least one question")]
    Empty,
    /// A stored outcome is none of `c`, `w` and `n`.
    #[error("byte {byte:#04x} at position {position} is no outcome: expected `c`, `w` or `n`")]
    UnknownByte {
        /// The byte found.
        byte: u8,
        /// Its position, which is the index of the question.
        position: usize,
    },
}

/// The outcomes of a set of questions, in the order of the questions; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Outcome>", into = "Vec<Outcome>")]
pub struct Evaluation {
    outcomes: Vec<Outcome>,
    counts: Counts,
}

impl Evaluation {
    /// An evaluation of as many questions as there are outcomes.
    pub fn new(outcomes: Vec<Outcome>) -> Result<Self, EvaluationError> {
        if outcomes.is_empty() {
            return Err(EvaluationError::Empty);
        }
        let correct = count(&outcomes, Outcome::Correct);
        let wrong = count(&outcomes, Outcome::Wrong);
        let counts = Counts {
            correct,
            wrong,
            no_answer: outcomes.len() as u64 - correct - wrong,
        };
        Ok(Self { outcomes, counts })
    }

    /// One byte a question, as [`Outcome::to_byte`] writes it.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.outcomes.iter().map(|o| o.to_byte()).collect()
    }

    /// Reads what [`Evaluation::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EvaluationError> {
        let is_known = |byte: &u8| Outcome::from_byte(*byte).is_some();
        // Looked at to the end, without a branch, and so many at once.
        if !bytes.iter().fold(true, |all, byte| all & is_known(byte)) {
            let found = bytes.iter().zip(0..).find(|(byte, _)| !is_known(byte));
            let (&byte, position) = found.expect("one of them is unknown");
            return Err(EvaluationError::UnknownByte { byte, position });
        }
        let decode = |byte: &u8| Outcome::from_byte(*byte).unwrap_or(Outcome::NoAnswer);
        Self::new(bytes.iter().map(decode).collect())
    }

    /// The outcome of each question.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// How often each outcome occurred.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Right answers over questions.
    pub fn accuracy(&self) -> f64 {
        self.share(self.counts.correct)
    }

    /// The harmonic mean of precision and recall, `2a / (1 + a)` with `a` the accuracy.
    pub fn f1(&self) -> f64 {
        f1_of_accuracy(self.accuracy())
    }

    /// Right answers over answers given; `None` when none was given.
    pub fn precision(&self) -> Option<f64> {
        ratio(self.counts.correct, self.counts.correct + self.counts.wrong)
    }

    /// Right answers over right and missing ones; `None` when every question was answered wrongly.
    ///
    /// This is the reference system's definition: a wrong answer does not lower recall, a missing one
    /// does.
    pub fn recall(&self) -> Option<f64> {
        ratio(
            self.counts.correct,
            self.counts.correct + self.counts.no_answer,
        )
    }

    /// Answers given, right or wrong, over questions.
    pub fn answer_rate(&self) -> f64 {
        self.share(self.counts.correct + self.counts.wrong)
    }

    fn share(&self, count: u64) -> f64 {
        count as f64 / self.counts.total() as f64
    }
}

/// Of so many yes and no the sum fits into a byte, and bytes a processor adds up many at once: ten thousand evaluations are read and compared so.
pub(crate) const STRETCH: usize = 255;

/// How many of the outcomes are this one.
fn count(outcomes: &[Outcome], wanted: Outcome) -> u64 {
    let stretches = outcomes.chunks(STRETCH);
    let found = stretches.map(|some| some.iter().fold(0u8, |n, o| n + u8::from(*o == wanted)));
    found.map(u64::from).sum()
}

/// F1 as a function of accuracy, see the head of this module.
pub(crate) fn f1_of_accuracy(accuracy: f64) -> f64 {
    2.0 * accuracy / (1.0 + accuracy)
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl TryFrom<Vec<Outcome>> for Evaluation {
    type Error = EvaluationError;

    fn try_from(outcomes: Vec<Outcome>) -> Result<Self, Self::Error> {
        Self::new(outcomes)
    }
}

impl From<Evaluation> for Vec<Outcome> {
    fn from(evaluation: Evaluation) -> Self {
        evaluation.outcomes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn evaluation(correct: usize, wrong: usize, no_answer: usize) -> Evaluation {
        let bytes = [
            b"c".repeat(correct),
            b"w".repeat(wrong),
            b"n".repeat(no_answer),
        ]
        .concat();
        Evaluation::from_bytes(&bytes).unwrap()
    }

    #[test]
    fn figures_of_a_known_table() {
        let e = evaluation(6, 3, 1);
        assert_eq!(e.accuracy(), 0.6);
        assert_eq!(e.answer_rate(), 0.9);
        assert_eq!(e.precision(), Some(6.0 / 9.0));
        assert_eq!(e.recall(), Some(6.0 / 7.0));
        assert!((e.f1() - 0.75).abs() < 1e-15);
        assert_eq!(evaluation(0, 0, 4).precision(), None);
        assert_eq!(evaluation(0, 4, 0).recall(), None);
    }

    #[test]
    fn what_is_no_evaluation_is_refused() {
        assert_eq!(Evaluation::from_bytes(b""), Err(EvaluationError::Empty));
        let error = EvaluationError::UnknownByte {
            byte: b'x',
            position: 2,
        };
        assert_eq!(Evaluation::from_bytes(b"cwx"), Err(error));
    }

    proptest! {
        #[test]
        fn f1_is_the_harmonic_mean_of_precision_and_recall(
            correct in 1usize..200, wrong in 0usize..200, no_answer in 0usize..200,
        ) {
            let e = evaluation(correct, wrong, no_answer);
            let (p, r) = (e.precision().unwrap(), e.recall().unwrap());
            prop_assert!((e.f1() - 2.0 * p * r / (p + r)).abs() < 1e-12);
        }

        #[test]
        fn bytes_round_trip(bytes in "[cwn]{1,50}") {
            let e = Evaluation::from_bytes(bytes.as_bytes()).unwrap();
            prop_assert_eq!(e.to_bytes(), bytes.as_bytes());
        }
    }
}

//! Two evaluations of the same questions, side by side.

pub(crate) mod letters;
pub(crate) mod mcnemar;
pub(crate) mod multiplicity;
pub(crate) mod power;

use serde::{Deserialize, Serialize};

use crate::{
    evaluation::{Evaluation, STRETCH},
    outcome::Outcome,
};

/// The evaluations do not cover the same questions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "evaluations of {left} and {right} questions cannot be paired: both must answer the same \
     questions in the same order"
)]
pub struct Unpaired {
    /// Questions of the first evaluation.
    pub left: usize,
    /// Questions of the second evaluation.
    pub right: usize,
}

/// The paired 2 x 2 table of correctness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Agreement {
    /// Questions both got right.
    pub both: u64,
    /// Questions only the first got right.
    pub only_a: u64,
    /// Questions only the second got right.
    pub only_b: u64,
    /// Questions neither got right.
    pub neither: u64,
}

impl Agreement {
    /// Counts where `a` and `b` agree and differ, question by question.
    pub fn between(a: &Evaluation, b: &Evaluation) -> Result<Self, Unpaired> {
        let (right_a, right_b) = (a.counts().correct, b.counts().correct);
        let (a, b) = (a.outcomes(), b.outcomes());
        if a.len() != b.len() {
            return Err(Unpaired {
                left: a.len(),
                right: b.len(),
            });
        }
        let both =
            |(a, b): (&Outcome, &Outcome)| (*a == Outcome::Correct) & (*b == Outcome::Correct);
        let stretches = a.chunks(STRETCH).zip(b.chunks(STRETCH));
        let both = stretches.map(|(a, b)| {
            a.iter()
                .zip(b)
                .fold(0u8, |n, pair| n + u8::from(both(pair)))
        });
        let both: u64 = both.map(u64::from).sum();
        Ok(Self {
            both,
            only_a: right_a - both,
            only_b: right_b - both,
            neither: a.len() as u64 + both - right_a - right_b,
        })
    }

    /// All questions.
    pub const fn total(&self) -> u64 {
        self.both + self.only_a + self.only_b + self.neither
    }

    /// Questions that tell the two apart.
    pub const fn discordant(&self) -> u64 {
        self.only_a + self.only_b
    }
}

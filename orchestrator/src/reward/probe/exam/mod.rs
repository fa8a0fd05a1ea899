//! An examination of a reward in the format it pays: what honest answers earn, what shortcuts earn beside them, which answers it takes for
//! equal, and whether a score depends on what else is in the batch.
//!
//! [`super::Worth`] says how a reward orders what a policy wrote, and is what a search stores and compares; this says what a policy could
//! find out. Nothing here trains, and all of it is deterministic.

mod altered;
mod ask;
mod batch;
mod calibration;
mod shortcuts;

use sandbox::{Fault, RewardFn};
use serde::Serialize;
use trainer_bridge::{JudgeError, JudgeRollouts};

use crate::domain::pool::Pool;

pub use altered::{Altered, Relation};
pub use calibration::{Calibration, Standing};
pub use shortcuts::{Seen, Shortcut, Surfaces};

use super::ProbeSet;
use ask::Asker;
use calibration::Calibrated;

/// Questions that are asked in every format, and for which every shortcut is tried.
const QUESTIONS: usize = 8;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exam {
    /// The format it pays in, and what honest answers earn there.
    pub calibration: Calibration,
    /// What shortcuts earn, in the order of their families.
    pub shortcuts: Vec<Shortcut>,
    /// Right answers in other words.
    pub equivalences: Surfaces,
    /// Wrong answers that look like the right one.
    pub distinctions: Surfaces,
    /// The pool's right completions with their answer altered, and with what must not matter altered.
    pub altered: Altered,
    /// Whether a completion's score changes with the other prompts of its batch.
    pub depends_on_batch: bool,
    /// Whether it changes with the other completions of its own prompt.
    pub depends_on_group: bool,
    /// Whether the pool was made up, and not recorded.
    pub is_pool_made_up: bool,
}

/// Why there is no examination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unexamined {
    /// The reward went wrong.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The judge has no verdict.
    #[error(transparent)]
    Judge(#[from] JudgeError),
}

/// An examination, and the pool dressed as the reward wants it.
pub struct Examined {
    /// What came of it.
    pub exam: Exam,
    /// The pool in its format; absent where that is the pool's own.
    pub dressed: Option<ProbeSet>,
}

impl ProbeSet {
    /// Examines a reward, which is given this judge's verdicts on what it is asked. A pool that was made up is dressed in the format the reward
    /// pays.
    ///
    /// # Errors
    /// The reward's first fault, or the judge's.
    pub fn examine(
        &self,
        reward: &RewardFn,
        (judge, is_made_up): (&Judge, bool),
    ) -> Result<Examined, Unexamined> {
        let asker = Asker { reward, judge };
        let questions = questions(&self.pool);
        let learnt = if is_made_up {
            Vec::new()
        } else {
            self.learnt(reward)?
        };
        let calibrated = calibration::calibrate(&asker, &questions, learnt)?;
        let dressed = is_made_up.then(|| self.dressed_as(&calibrated)).flatten();
        let set = dressed.as_ref().unwrap_or(self);
        // Answers to a question that says nothing come with the columns of some question of the pool.
        let row = questions.first().map_or("", |question| question.row);
        let exam = Exam {
            shortcuts: shortcuts::measure(&asker, &questions, &calibrated)?,
            equivalences: shortcuts::surfaces(
                &asker,
                (&calibrated, row),
                evaluator::hacks::equivalences(),
            )?,
            distinctions: shortcuts::surfaces(
                &asker,
                (&calibrated, row),
                evaluator::hacks::distinctions(),
            )?,
            altered: set.altered(reward)?,
            depends_on_batch: set.depends_on_batch(reward)?,
            depends_on_group: set.depends_on_group(reward)?,
            calibration: calibrated.calibration,
            is_pool_made_up: is_made_up,
        };
        Ok(Examined { exam, dressed })
    }

    /// A pool that was made up, in the format the reward pays; absent where that is the pool's own.
    ///
    /// # Errors
    /// The reward's first fault, or the judge's.
    pub fn dressed_for(
        &self,
        reward: &RewardFn,
        judge: &Judge,
    ) -> Result<Option<Self>, Unexamined> {
        let asker = Asker { reward, judge };
        let calibrated = calibration::calibrate(&asker, &questions(&self.pool), Vec::new())?;
        Ok(self.dressed_as(&calibrated))
    }

    fn dressed_as(&self, calibrated: &Calibrated) -> Option<Self> {
        let as_it_is = calibrated.is_of_the_house();
        (!as_it_is).then(|| self.dressed(&calibrated.format, calibrated.reference))
    }
}

/// A question and its reference answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    prompt: &'a str,
    reference: &'a str,
    /// The data set's other columns; empty where there are none.
    row: &'a str,
}

/// Some of the pool's questions, spread over it, each once.
fn questions(pool: &Pool) -> Vec<Question<'_>> {
    let every = pool.groups.len().div_ceil(QUESTIONS).max(1);
    let mut questions: Vec<Question<'_>> = Vec::new();
    for group in pool.groups.iter().step_by(every) {
        if questions.iter().all(|known| known.prompt != group.prompt) {
            questions.push(Question {
                prompt: &group.prompt,
                reference: &group.answer,
                row: &group.row,
            });
        }
    }
    questions
}

/// The judge, for what is asked.
pub type Judge = dyn JudgeRollouts;

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values
        .into_iter()
        .fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
    sum / f64::max(count, 1.0)
}

#[cfg(test)]
mod tests;

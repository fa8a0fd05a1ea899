//! The questions that two arms of a search got differently, with what each wrote.

use evaluator::{Evaluation, Outcome};
use serde::Serialize;

use super::arm_names::ArmNames;
use crate::{
    domain::trial::{Stage, TrialId},
    store::{Snapshot, Store, StoreError},
};

/// The questions of one stage on which two arms differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Differences {
    /// Which questions.
    pub on: Stage,
    /// Those only the first got right.
    pub only_a: Vec<Differing>,
    /// Those only the second got right.
    pub only_b: Vec<Differing>,
}

/// A question with two answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Differing {
    /// Its place among the questions of the stage, from 0.
    pub question: usize,
    /// What the first wrote.
    pub a: String,
    /// What the second wrote.
    pub b: String,
}

impl Differences {
    /// For each stage that both were judged in, in order.
    ///
    /// # Errors
    /// If SQLite fails or something stored cannot be read.
    pub async fn read(
        store: &Store,
        snapshot: &Snapshot,
        [a, b]: [&str; 2],
    ) -> Result<Vec<Self>, StoreError> {
        let names = ArmNames::of(snapshot);
        let judged = |name: &str| -> Vec<(Stage, TrialId, &Evaluation)> {
            let trials = snapshot.trials.iter();
            let of_arm = trials.filter(|trial| names.name(trial.arm) == name);
            of_arm
                .filter_map(|trial| {
                    let stored = snapshot.evaluations.get(&trial.id)?;
                    Some((trial.stage, trial.id, &stored.evaluation))
                })
                .collect()
        };
        let of_b = judged(b);
        let mut all = Vec::new();
        for (on, trial_a, of_a) in judged(a) {
            let Some((_, trial_b, of_b)) = of_b.iter().find(|(stage, ..)| *stage == on) else {
                continue;
            };
            let [wrote_a, wrote_b] = [
                store.completions(trial_a).await?.unwrap_or_default(),
                store.completions(*trial_b).await?.unwrap_or_default(),
            ];
            let differing = |better: &Evaluation, worse: &Evaluation| {
                only_right(better, worse)
                    .into_iter()
                    .map(|question| Differing {
                        question,
                        a: wrote_a.get(question).cloned().unwrap_or_default(),
                        b: wrote_b.get(question).cloned().unwrap_or_default(),
                    })
                    .collect()
            };
            all.push(Self {
                on,
                only_a: differing(of_a, of_b),
                only_b: differing(of_b, of_a),
            });
        }
        all.sort_by_key(|differences| differences.on);
        Ok(all)
    }
}

/// The questions that the first got right and the second did not.
fn only_right(first: &Evaluation, second: &Evaluation) -> Vec<usize> {
    let pairs = first.outcomes().iter().zip(second.outcomes());
    let right = |outcome: &Outcome| *outcome == Outcome::Correct;
    let differing = pairs
        .enumerate()
        .filter(|(_, (a, b))| right(a) && !right(b));
    differing.map(|(question, _)| question).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_only_one_got_right_is_found() {
        let of = |text: &str| Evaluation::from_bytes(text.as_bytes()).unwrap();
        let (a, b) = (of("ccwn"), of("cwcc"));
        assert_eq!(only_right(&a, &b), [1]);
        assert_eq!(only_right(&b, &a), [2, 3]);
    }
}

//! Made-up completions, judged and scored.

use sandbox::{RewardFn, Sample};
use trainer_bridge::Rollout;

use super::{Judge, Question, Unexamined};
use crate::reward::probe::reference::Reference;

/// A reward, and who judges what it is asked about.
pub(super) struct Asker<'a> {
    pub(super) reward: &'a RewardFn,
    pub(super) judge: &'a Judge,
}

/// A completion of a question.
pub(super) struct Asked<'a> {
    pub(super) question: Question<'a>,
    pub(super) completion: String,
}

impl Asker<'_> {
    /// What it pays for these, in order.
    pub(super) fn scores(
        &self,
        asked: &[Asked<'_>],
        reference: Reference,
    ) -> Result<Vec<f64>, Unexamined> {
        let rollouts: Vec<Rollout<'_>> = asked
            .iter()
            .map(|asked| Rollout {
                row: asked.question.row,
                prompt: asked.question.prompt,
                question: asked.question.prompt,
                answer: asked.question.reference,
                completion: &asked.completion,
            })
            .collect();
        let verdicts = self.judge.judge(&rollouts)?;
        let references: Vec<String> = asked
            .iter()
            .map(|asked| reference.written(asked.question.reference))
            .collect();
        let judged = rollouts.iter().zip(&verdicts).zip(&references);
        let samples: Vec<Sample<'_>> = judged
            .map(|((rollout, verdict), answer)| Sample {
                answer,
                ..rollout.sample(verdict)
            })
            .collect();
        Ok(self.reward.score(&samples)?)
    }
}

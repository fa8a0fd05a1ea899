//! What a run is rewarded for: named, weighted reward functions and how they are put together.

use std::sync::Arc;

/// The verdict on a rollout.
pub use sandbox::Verdict as Judged;
use sandbox::{Fault, Sample};
use serde::{Deserialize, Serialize};

use crate::{RewardPart, TrainError, TrainExample};

/// Judges the rollouts of a step against their reference answers, one verdict each, in order. Handed in by the orchestrator so that
/// there is one implementation of verification and this crate never sees the evaluator. All rollouts come at once because a verifier
/// may have to ask a model, and then asks for many at a time. Called on the trainer's own thread, which it may block.
///
/// # Errors
/// [`TrainError::Host`] if it is out of reach, [`TrainError::Setup`] if it cannot work at all.
pub type Verifier = Arc<dyn Fn(&[Rollout<'_>]) -> Result<Vec<Judged>, TrainError> + Send + Sync>;

/// What a policy wrote for an example.
#[derive(Debug, Clone, Copy)]
pub struct Rollout<'a> {
    /// The prompt it completes, with the reference answer.
    pub example: &'a TrainExample,
    /// What the policy wrote.
    pub completion: &'a str,
}

/// One reward of a mix.
#[derive(Clone)]
pub struct RewardMember {
    /// Unique name, for metrics.
    pub name: String,
    /// The sandboxed function.
    pub reward: sandbox::RewardFn,
    /// Its weight.
    pub weight: f64,
}

/// How several rewards become one advantage; names as in TRL's `multi_objective_aggregation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// Weighted sum, then group normalisation (GRPO).
    #[default]
    SumThenNormalize,
    /// Group normalisation of each reward, weighted sum, then batch normalisation (GDPO).
    NormalizeThenSum,
}

/// The rewards of a run.
#[derive(Clone)]
pub struct RewardMix {
    /// At least one, unless `until_step` is 0.
    pub members: Vec<RewardMember>,
    /// How they are put together.
    pub aggregation: Aggregation,
    /// The verifier whose verdict travels with each sample.
    pub verifier: Verifier,
}

/// What the rewards see of a rollout.
pub(crate) fn sample<'a>(rollout: &Rollout<'a>, verdict: &'a Judged) -> Sample<'a> {
    Sample {
        prompt: &rollout.example.prompt,
        completion: rollout.completion,
        answer: &rollout.example.answer,
        verdict,
    }
}

/// The raw rewards of a batch.
pub(crate) struct Scores {
    /// One vector a member, one value a rollout.
    pub(crate) members: Vec<Vec<f64>>,
    /// What the verifier said of each rollout.
    pub(crate) correct: Vec<bool>,
    /// What the members said beside.
    pub(crate) remarks: Remarks,
}

/// What rewards say beside their scores.
#[derive(Default)]
pub(crate) struct Remarks {
    /// The parts they name, where there are several.
    pub(crate) parts: Vec<RewardPart>,
    /// What they printed.
    pub(crate) printed: String,
}

impl Remarks {
    /// Longest text that is kept, bytes: every step of every trial is stored.
    const PRINTED: usize = 2000;

    fn note(&mut self, member: &RewardMember, scores: &sandbox::Scores) {
        if scores.components.len() > 1 {
            let samples = scores.total.len().max(1) as f64;
            let part = |component: &sandbox::Component| RewardPart {
                reward: member.name.clone(),
                part: component.name.clone(),
                mean: component.values.iter().sum::<f64>() / samples,
            };
            self.parts.extend(scores.components.iter().map(part));
        }
        self.printed += &scores.printed;
        self.printed
            .truncate(self.printed.floor_char_boundary(Self::PRINTED));
    }
}

impl RewardMix {
    /// Lets every member score a batch. Members see the verifier's verdict beside each sample.
    pub(crate) fn score(&self, rollouts: &[Rollout<'_>], step: u32) -> Result<Scores, TrainError> {
        let verdicts = self.judge(rollouts)?;
        let samples: Vec<Sample<'_>> = rollouts
            .iter()
            .zip(&verdicts)
            .map(|(rollout, judged)| sample(rollout, judged))
            .collect();
        let mut remarks = Remarks::default();
        let mut score = |member: &RewardMember| {
            let scores = member
                .reward
                .score_parts(&samples)
                .map_err(|fault| fault_of(member, step, fault))?;
            remarks.note(member, &scores);
            let scores = scores.total;
            // The sandbox promises both; a promise that decides what is trained on is worth a look.
            let index = scores.iter().position(|score| !score.is_finite());
            match index.or((scores.len() != samples.len()).then_some(scores.len())) {
                None => Ok(scores),
                Some(index) => Err(fault_of(member, step, Fault::NotFinite { index })),
            }
        };
        let members = self
            .members
            .iter()
            .map(&mut score)
            .collect::<Result<_, _>>()?;
        Ok(Scores {
            members,
            remarks,
            correct: verdicts.iter().map(|judged| judged.correct).collect(),
        })
    }

    /// What the verifier says of each rollout.
    pub(crate) fn judge(&self, rollouts: &[Rollout<'_>]) -> Result<Vec<Judged>, TrainError> {
        let verdicts = (self.verifier)(rollouts)?;
        if verdicts.len() == rollouts.len() {
            return Ok(verdicts);
        }
        Err(TrainError::Setup(format!(
            "the verifier returned {} verdicts for {} rollouts",
            verdicts.len(),
            rollouts.len()
        )))
    }

    /// Each member's weight, in order.
    pub(crate) fn weights(&self) -> Vec<f64> {
        self.members.iter().map(|member| member.weight).collect()
    }
}

/// The engine's trouble is worth a retry, the candidate's is not.
pub(crate) fn fault_of(member: &RewardMember, step: u32, fault: Fault) -> TrainError {
    if fault.is_host_trouble() {
        return TrainError::Host(format!(
            "reward `{}` could not be run at step {step}: {fault}",
            member.name
        ));
    }
    TrainError::Reward {
        member: member.name.clone(),
        step,
        fault,
    }
}

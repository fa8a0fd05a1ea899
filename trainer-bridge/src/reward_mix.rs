//! What a run is rewarded for: named, weighted reward functions and how they are put together.

use std::sync::Arc;

use sandbox::{Fault, Sample, Verdict};
use serde::{Deserialize, Serialize};

use crate::{TrainError, TrainExample};

/// Judges a completion against a reference answer: (right?, extracted answer). Handed in by the orchestrator so that there is one
/// implementation of verification and this crate never sees the evaluator.
pub type Verifier = Arc<dyn Fn(&str, &str) -> (bool, Option<String>) + Send + Sync>;

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

/// What a policy wrote for an example.
pub(crate) struct Rollout<'a> {
    pub(crate) example: &'a TrainExample,
    pub(crate) completion: &'a str,
}

/// The raw rewards of a batch.
pub(crate) struct Scores {
    /// One vector a member, one value a rollout.
    pub(crate) members: Vec<Vec<f64>>,
    /// What the verifier said of each rollout.
    pub(crate) correct: Vec<bool>,
}

impl RewardMix {
    /// Lets every member score a batch. Members see the verifier's verdict beside each sample.
    pub(crate) fn score(&self, rollouts: &[Rollout<'_>], step: u32) -> Result<Scores, TrainError> {
        let verdicts: Vec<(bool, Option<String>)> = rollouts
            .iter()
            .map(|rollout| (self.verifier)(rollout.completion, &rollout.example.answer))
            .collect();
        let samples: Vec<Sample<'_>> = rollouts
            .iter()
            .zip(&verdicts)
            .map(|(rollout, (correct, extracted))| Sample {
                prompt: &rollout.example.prompt,
                completion: rollout.completion,
                answer: &rollout.example.answer,
                verdict: Verdict {
                    correct: *correct,
                    extracted: extracted.as_deref(),
                },
            })
            .collect();
        let score = |member: &RewardMember| {
            let scores = member
                .reward
                .score(&samples)
                .map_err(|fault| fault_of(member, step, fault))?;
            // The sandbox promises both; a promise that decides what is trained on is worth a look.
            let index = scores.iter().position(|score| !score.is_finite());
            match index.or((scores.len() != samples.len()).then_some(scores.len())) {
                None => Ok(scores),
                Some(index) => Err(fault_of(member, step, Fault::NotFinite { index })),
            }
        };
        let members = self.members.iter().map(score).collect::<Result<_, _>>()?;
        Ok(Scores {
            members,
            correct: verdicts.iter().map(|(correct, _)| *correct).collect(),
        })
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

//! The one place where a mix of rewards scores completions: the judge first, then every member, then their sum.
//!
//! The embedded trainer, the fake one, `score --stdio` and the probe all come here, so that what counts as a fault, what a judge says and
//! how rewards are put together is decided once.

use std::sync::Arc;

use sandbox::{Bench, CompileError, Fault, HostError, Rejection, RewardFn, Sample, Verdict};

use super::{
    job::TrainExample,
    judge::{JudgeError, JudgeRollouts, JudgeSpec, OpenJudge},
    metrics::RewardPart,
    mix::{RewardMember, RewardMix},
};
use crate::grpo::{
    advantage::{Advantages, Aggregation, Combination, weighted_sum},
    config::ScaleRewards,
};

/// What a policy wrote, beside what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rollout<'a> {
    /// The prompt, as the policy saw it.
    pub prompt: &'a str,
    /// The question in the prompt; the prompt itself where it is not known.
    pub question: &'a str,
    /// The reference answer.
    pub answer: &'a str,
    /// What the policy wrote.
    pub completion: &'a str,
    /// The data set's other columns, as the text of a JSON object; empty where there are none.
    pub row: &'a str,
}

impl<'a> Rollout<'a> {
    /// A completion of a training example.
    #[must_use]
    pub fn of(example: &'a TrainExample, completion: &'a str) -> Self {
        Self {
            prompt: &example.prompt,
            question: &example.question,
            answer: &example.answer,
            completion,
            row: &example.row,
        }
    }

    /// What a reward sees of it.
    #[must_use]
    pub fn sample(&self, verdict: &'a Verdict) -> Sample<'a> {
        Sample {
            prompt: self.prompt,
            completion: self.completion,
            answer: self.answer,
            verdict,
            row: self.row,
        }
    }
}

/// Scores completions.
pub trait Score: Send + Sync {
    /// Scores rollouts: all of a batch at once, group after group.
    ///
    /// # Errors
    /// If the judge has no verdict, or the first fault of the first reward that has one; then there are no scores at all.
    fn score(&self, rollouts: &[Rollout<'_>]) -> Result<Scored, ScoreError>;
}

/// Why there are no scores.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// A reward went wrong.
    #[error("{member}: {fault}")]
    Fault {
        /// The member of the mix.
        member: String,
        /// What went wrong; its index is the place in the batch.
        fault: Fault,
    },
    /// A reward cannot be loaded.
    #[error("{member} is refused: {why}")]
    Rejected {
        /// The member of the mix.
        member: String,
        /// Why.
        why: Rejection,
    },
    /// The sandbox cannot work.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The judge has no verdict.
    #[error(transparent)]
    Judge(#[from] JudgeError),
}

/// The scores of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// One verdict a rollout.
    pub verdicts: Vec<Verdict>,
    /// What each member says, in the mix's order.
    pub members: Vec<MemberScores>,
    /// The weighted sum over the members, one finite number a rollout.
    pub totals: Vec<f64>,
    aggregation: Aggregation,
}

/// What one reward of a mix says of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberScores {
    /// Its name.
    pub name: String,
    /// Its weight.
    pub weight: f64,
    /// Its scores, one finite number a rollout, the parts it names itself, and what it printed.
    pub scores: sandbox::Scores,
}

impl Scored {
    /// Puts together what the judge and the members of a mix said of a batch.
    ///
    /// # Errors
    /// Finite scores can still be too large to be added up: that is a fault of the member at which it shows.
    pub fn of(
        verdicts: Vec<Verdict>,
        members: Vec<MemberScores>,
        aggregation: Aggregation,
    ) -> Result<Self, ScoreError> {
        let mut scored = Self {
            totals: vec![0.0; verdicts.len()],
            verdicts,
            members,
            aggregation,
        };
        let (columns, weights) = (scored.columns(), scored.weights());
        let not_finite = |members: usize| {
            let totals = weighted_sum(&columns[..members], &weights);
            totals.iter().position(|total| !total.is_finite())
        };
        if not_finite(columns.len()).is_some() {
            for (place, member) in scored.members.iter().enumerate() {
                if let Some(index) = not_finite(place + 1) {
                    return Err(ScoreError::Fault {
                        member: member.name.clone(),
                        fault: Fault::NotFinite { index },
                    });
                }
            }
        }
        let sums = weighted_sum(&columns, &weights);
        for (total, sum) in scored.totals.iter_mut().zip(sums) {
            // A sum of nothing but negative zeros is zero.
            *total += sum;
        }
        Ok(scored)
    }

    /// Each member's own score of a rollout, in the mix's order.
    #[must_use]
    pub fn rewards_of(&self, rollout: usize) -> Vec<f64> {
        let members = self.members.iter();
        members.map(|member| member.scores.total[rollout]).collect()
    }

    /// The advantages of the rollouts, which come group after group, `group` at a time.
    #[must_use]
    pub fn advantages(&self, scale: ScaleRewards, group: usize) -> Advantages {
        self.combination(&self.weights(), group)
            .advantages(&self.columns(), scale)
    }

    /// One number a rollout that has the whole mix in it, under the mix's own aggregation: the weighted sum, or the weighted sum of each
    /// reward's scores normalised within their groups of `group` rollouts. A trainer that knows of one reward only makes the mix's
    /// advantages of them: by normalising within groups in the first case, over the batch in the second.
    #[must_use]
    pub fn sums(&self, group: usize) -> Vec<f64> {
        self.combination(&self.weights(), group)
            .sums(&self.columns())
    }

    /// The mean of each part that a reward names itself, where it names several.
    #[must_use]
    pub fn parts(&self) -> Vec<RewardPart> {
        let rollouts = self.verdicts.len().max(1) as f64;
        let several = self
            .members
            .iter()
            .filter(|member| member.scores.components.len() > 1);
        several
            .flat_map(|member| {
                member.scores.components.iter().map(move |part| RewardPart {
                    reward: member.name.clone(),
                    part: part.name.clone(),
                    mean: part.values.iter().sum::<f64>() / rollouts,
                })
            })
            .collect()
    }

    /// What the rewards printed, one after the other, at most `most` bytes.
    #[must_use]
    pub fn printed(&self, most: usize) -> String {
        let mut printed = String::new();
        for member in &self.members {
            printed += &member.scores.printed;
        }
        printed.truncate(printed.floor_char_boundary(most));
        printed
    }

    fn combination<'a>(&self, weights: &'a [f64], group: usize) -> Combination<'a> {
        Combination {
            weights,
            aggregation: self.aggregation,
            group,
        }
    }

    fn columns(&self) -> Vec<&[f64]> {
        let totals = self.members.iter().map(|member| &*member.scores.total);
        totals.collect()
    }

    fn weights(&self) -> Vec<f64> {
        self.members.iter().map(|member| member.weight).collect()
    }
}

/// What it takes to score a mix that is plain data: where modules are loaded, and who opens judges. Clones share both.
#[derive(Clone)]
pub struct Scoring {
    /// Loads modules, each once.
    pub bench: Bench,
    /// Opens judges.
    pub judges: Arc<dyn OpenJudge>,
}

impl Scoring {
    /// Loads every member of a mix and opens the judge.
    ///
    /// # Errors
    /// If a member cannot be loaded, or the judge cannot work.
    pub fn scorer(&self, mix: &RewardMix, judge: &JudgeSpec) -> Result<Scorer, ScoreError> {
        let judge = self.judges.open(judge)?;
        self.scorer_judged_by(mix, judge)
    }

    /// Loads every member of a mix, for a judge that is open.
    ///
    /// # Errors
    /// If a member cannot be loaded.
    pub fn scorer_judged_by(
        &self,
        mix: &RewardMix,
        judge: Arc<dyn JudgeRollouts>,
    ) -> Result<Scorer, ScoreError> {
        let load = |member: &RewardMember| {
            let reward = self.bench.load(&member.module, &mix.limits);
            let reward = reward.map_err(|error| match error {
                CompileError::Rejected(why) => ScoreError::Rejected {
                    member: member.name.clone(),
                    why,
                },
                CompileError::Host(error) => error.into(),
            })?;
            Ok(LoadedReward {
                name: member.name.clone(),
                weight: member.weight,
                reward,
            })
        };
        let members = mix.members.iter().map(load);
        let members = members.collect::<Result<_, ScoreError>>()?;
        Ok(Scorer::new(members, mix.aggregation, judge))
    }
}

/// A mix of loaded rewards with its judge.
pub struct Scorer {
    members: Vec<LoadedReward>,
    aggregation: Aggregation,
    judge: Arc<dyn JudgeRollouts>,
}

/// A member of a mix that is loaded.
#[derive(Debug, Clone)]
pub struct LoadedReward {
    /// Its name.
    pub name: String,
    /// Its weight.
    pub weight: f64,
    /// The function.
    pub reward: RewardFn,
}

impl Scorer {
    /// Of rewards that are loaded, each with limits of its own perhaps.
    #[must_use]
    pub fn new(
        members: Vec<LoadedReward>,
        aggregation: Aggregation,
        judge: Arc<dyn JudgeRollouts>,
    ) -> Self {
        Self {
            members,
            aggregation,
            judge,
        }
    }
}

impl Score for Scorer {
    fn score(&self, rollouts: &[Rollout<'_>]) -> Result<Scored, ScoreError> {
        let verdicts = self.judge.judge(rollouts)?;
        if verdicts.len() != rollouts.len() {
            let (found, asked) = (verdicts.len(), rollouts.len());
            let why = format!("the judge returned {found} verdicts for {asked} rollouts");
            return Err(JudgeError::Setup(why).into());
        }
        let samples: Vec<Sample<'_>> = rollouts
            .iter()
            .zip(&verdicts)
            .map(|(rollout, verdict)| rollout.sample(verdict))
            .collect();
        let members = self.members.iter().map(|member| member.score(&samples));
        let members = members.collect::<Result<Vec<_>, _>>()?;
        Scored::of(verdicts, members, self.aggregation)
    }
}

impl LoadedReward {
    fn score(&self, samples: &[Sample<'_>]) -> Result<MemberScores, ScoreError> {
        let fault = |fault| ScoreError::Fault {
            member: self.name.clone(),
            fault,
        };
        let scores = self.reward.score_parts(samples).map_err(fault)?;
        // The sandbox promises both; a promise that decides what is trained on is worth a look.
        let total = &scores.total;
        let not_finite = total.iter().position(|score| !score.is_finite());
        match not_finite.or((total.len() != samples.len()).then_some(total.len())) {
            Some(index) => Err(fault(Fault::NotFinite { index })),
            None => Ok(MemberScores {
                name: self.name.clone(),
                weight: self.weight,
                scores,
            }),
        }
    }
}

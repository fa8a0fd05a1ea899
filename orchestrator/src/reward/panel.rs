//! Several rewards that score the same samples, outside of any training: what `score` and `probe` call.

use sandbox::{Fault, Limits, RewardFn};
use trainer_bridge::{Aggregation, Judged};

use crate::data::task::RuleVerifier;

/// One reward of a panel.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its weight in the total.
    pub weight: f64,
    /// The function.
    pub reward: RewardFn,
    /// What it was loaded with.
    pub limits: Limits,
}

/// Rewards and the verifier whose verdict travels with every sample.
#[derive(Clone)]
pub struct Panel {
    members: Vec<Member>,
    verifier: RuleVerifier,
    aggregation: Option<Aggregation>,
}

/// A completion without its verdict.
#[derive(Debug, Clone, Copy)]
pub struct Unscored<'a> {
    /// The prompt the policy saw.
    pub prompt: &'a str,
    /// What it wrote.
    pub completion: &'a str,
    /// The reference answer.
    pub answer: &'a str,
}

/// The scores of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The weighted sum over the members, one a sample.
    pub totals: Vec<f64>,
    /// What the totals are made of, by name: each member's scores where there are several, and the parts that a member names itself,
    /// as `member.part`.
    pub components: Vec<(String, Vec<f64>)>,
    /// What members printed, by name; those that printed nothing are left out.
    pub printed: Vec<(String, String)>,
    /// One verdict a sample.
    pub verdicts: Vec<Judged>,
}

/// What went wrong, in which reward.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{reward}: {fault}")]
pub struct PanelFault {
    /// The reward's name.
    pub reward: String,
    /// What went wrong; its index is the place in the batch.
    pub fault: Fault,
}

impl Panel {
    /// A panel of these rewards.
    #[must_use]
    pub fn new(members: Vec<Member>, verifier: RuleVerifier) -> Self {
        Self {
            members,
            verifier,
            aggregation: None,
        }
    }

    /// The same, for members that were trained with together in another way than by their sum, which is what the panel scores.
    #[must_use]
    pub fn trained_with(mut self, aggregation: Option<Aggregation>) -> Self {
        self.aggregation = aggregation.filter(|_| self.members.len() > 1);
        self
    }

    /// How the members became one advantage when they were trained with together, where that is known.
    #[must_use]
    pub fn aggregation(&self) -> Option<Aggregation> {
        self.aggregation
    }

    /// The rewards, in order.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// What judges the samples.
    #[must_use]
    pub fn verifier(&self) -> &RuleVerifier {
        &self.verifier
    }

    /// Judges the samples and lets every member score them.
    ///
    /// # Errors
    /// The first fault of the first reward that has one; also where the weighted sum is not finite.
    pub fn score(&self, samples: &[Unscored<'_>]) -> Result<Scored, PanelFault> {
        let verdicts = judge(samples, &self.verifier);
        let batch = with_verdicts(samples, &verdicts);
        let mut totals = vec![0.0; batch.len()];
        let (mut components, mut printed) = (Vec::new(), Vec::new());
        for member in &self.members {
            let failed = |fault| PanelFault {
                reward: member.name.clone(),
                fault,
            };
            let scores = member.reward.score_parts(&batch).map_err(failed)?;
            for (index, (total, score)) in totals.iter_mut().zip(&scores.total).enumerate() {
                *total += member.weight * score;
                if !total.is_finite() {
                    return Err(failed(Fault::NotFinite { index }));
                }
            }
            if scores.components.len() > 1 {
                let parts = scores.components.into_iter();
                components.extend(
                    parts.map(|part| (format!("{}.{}", member.name, part.name), part.values)),
                );
            }
            if self.members.len() > 1 {
                components.push((member.name.clone(), scores.total));
            }
            if !scores.printed.is_empty() {
                printed.push((member.name.clone(), scores.printed));
            }
        }
        Ok(Scored {
            totals,
            components,
            printed,
            verdicts,
        })
    }
}

/// The verifier's judgement of every sample.
#[must_use]
pub fn judge(samples: &[Unscored<'_>], verifier: &RuleVerifier) -> Vec<Judged> {
    samples
        .iter()
        .map(|sample| {
            let (correct, extracted) = verifier(sample.completion, sample.answer);
            Judged { correct, extracted }
        })
        .collect()
}

/// Samples as rewards see them. `verdicts` holds one for each.
#[must_use]
pub fn with_verdicts<'a>(
    samples: &[Unscored<'a>],
    verdicts: &'a [Judged],
) -> Vec<sandbox::Sample<'a>> {
    samples
        .iter()
        .zip(verdicts)
        .map(|(sample, judged)| sandbox::Sample {
            prompt: sample.prompt,
            completion: sample.completion,
            answer: sample.answer,
            verdict: judged,
        })
        .collect()
}

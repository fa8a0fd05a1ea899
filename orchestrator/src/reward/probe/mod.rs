//! What a reward is worth before any training: measured on recorded completions in groups, beside the base rewards, against hacks.
//!
//! Nothing here trains or asks a model; what comes out depends on the reward, the pool and the verifier alone.

pub mod exam;
pub mod findings;
mod gate;
mod hacks;
mod mutants;
mod parts;
mod pool;
mod reference;
mod statistics;
mod twins;
pub mod verdict;
mod worth;

use std::{collections::HashMap, sync::Arc};

use evaluator::hacks::Format;
use sandbox::{Fault, ProbeReport, RewardFn, Sample, Verdict};
use serde::{Deserialize, Serialize};
use trainer_bridge::{
    Aggregation, JudgeRollouts, LoadedReward, Rollout, Score as _, ScoreError, Scorer,
};

pub use hacks::Hack;
pub use mutants::{SourceMutants, Unseen};
pub use parts::{Comparison, Part};
pub use pool::{BadPool, Recorded};
pub use statistics::PairShare;
pub use twins::Mixed;
pub use worth::{Agreement, ENOUGH_MIXED, HackShare, Worth};

use crate::domain::pool::Pool;
use reference::Reference;
use statistics::{auc, auc_within, flat_groups, kendall_within, spearman, split};

/// Completions whose fuel is measured.
const FUEL_SAMPLES: usize = 64;

/// What is stored of a candidate: how it took odd samples, and what it is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probed {
    /// From the sandbox's own probe.
    #[serde(flatten)]
    pub report: ProbeReport,
    /// On the pool; the base rewards have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worth: Option<Worth>,
    /// A digest of its advantages on the pool, by which twins are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advantages: Option<String>,
}

/// What rewards are measured against.
pub struct ProbeSet {
    pool: Pool,
    /// On the completions as rewards get them.
    verdicts: Vec<Verdict>,
    /// Which of them the evaluation would count as right.
    right: Vec<bool>,
    sizes: Vec<usize>,
    hacks: Vec<Hack>,
    hack_verdicts: Vec<Verdict>,
    base: Vec<(String, Vec<f64>)>,
    /// The reference answers as rewards are given them, one a group.
    references: Vec<String>,
}

impl ProbeSet {
    /// Judges the pool, makes the hacks (and adds `more`), and lets the base rewards score.
    ///
    /// # Errors
    /// If a base reward fails, or the judge does.
    pub fn new(
        pool: Pool,
        more: Vec<Hack>,
        judge: Arc<dyn JudgeRollouts>,
        base: Vec<LoadedReward>,
    ) -> Result<Self, ScoreError> {
        let mut hacks = hacks::built_in(&pool);
        hacks.extend(more);
        let hack_verdicts = judge.judge(&rollouts(&hacks))?;
        let counted = pool.groups.iter().any(|group| !group.counted.is_empty());
        let counted = match counted {
            true => Some(judge.judge(&pool.counted())?),
            false => None,
        };
        let scorer = Scorer::new(base, Aggregation::default(), judge);
        let scored = scorer.score(&pool.rollouts())?;
        let base = scored.members.into_iter();
        let verdicts = counted.as_ref().unwrap_or(&scored.verdicts);
        Ok(Self {
            right: verdicts.iter().map(|verdict| verdict.correct).collect(),
            verdicts: scored.verdicts,
            hack_verdicts,
            sizes: pool.sizes(),
            base: base
                .map(|member| (member.name, member.scores.total))
                .collect(),
            hacks,
            references: pool.groups.iter().map(|g| g.answer.clone()).collect(),
            pool,
        })
    }

    /// The same completions in another format, with the reference answers written in another way. Who was right stays right, and what the
    /// base rewards said of them stands.
    fn dressed(&self, format: &Format, reference: Reference) -> Self {
        let mut pool = self.pool.clone();
        for completion in pool.groups.iter_mut().flat_map(|g| &mut g.completions) {
            *completion = format.redressed(completion);
        }
        let mut hacks = self.hacks.clone();
        for hack in &mut hacks {
            hack.completion = format.redressed(&hack.completion);
            hack.right = format.redressed(&hack.right);
            hack.answer = reference.written(&hack.answer);
        }
        let references = pool.groups.iter().map(|g| reference.written(&g.answer));
        Self {
            references: references.collect(),
            verdicts: self.verdicts.clone(),
            right: self.right.clone(),
            sizes: self.sizes.clone(),
            hacks,
            hack_verdicts: self.hack_verdicts.clone(),
            base: self.base.clone(),
            pool,
        }
    }

    /// The pool as rewards see it.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample<'_>> {
        let mut samples = with_verdicts(&self.pool.rollouts(), &self.verdicts);
        let references = self.references.iter().zip(&self.sizes);
        let references = references.flat_map(|(one, &size)| std::iter::repeat_n(one, size));
        for (sample, reference) in samples.iter_mut().zip(references) {
            sample.answer = reference;
        }
        samples
    }

    /// Measures a reward.
    ///
    /// # Errors
    /// The reward's first fault on a completion of the pool, or on a hack.
    pub fn measure(&self, reward: &RewardFn) -> Result<Worth, Fault> {
        Ok(self.measured(reward)?.0)
    }

    /// Measures a reward; its scores on the pool come along.
    ///
    /// # Errors
    /// As [`ProbeSet::measure`].
    pub fn measured(&self, reward: &RewardFn) -> Result<(Worth, Vec<f64>), Fault> {
        let samples = self.samples();
        let scores = reward.score(&samples)?;
        let reversed: Vec<Sample<'_>> = samples.iter().rev().copied().collect();
        let mut backwards = reward.score(&reversed)?;
        backwards.reverse();
        let again = reward.score(&samples)?;
        // Scored alone a completion may need an instance of its own: some of them tell what the others take.
        let every = samples.len().div_ceil(FUEL_SAMPLES);
        let some = samples.iter().step_by(every);
        let fuels: Vec<u64> = some.map(|sample| reward.measure(sample).fuel).collect();
        let right = &self.right;
        let groups = self.sizes.len();
        let mixed = split(right, &self.sizes)
            .filter(|group| group.contains(&true) && group.contains(&false));
        let worth = Worth {
            completions: scores.len(),
            right: right.iter().filter(|right| **right).count(),
            groups,
            mixed_groups: mixed.count(),
            deterministic: same_bits(&scores, &again),
            order_independent: same_bits(&scores, &backwards),
            lowest: scores.iter().copied().fold(f64::INFINITY, f64::min),
            highest: scores.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            mean: scores.iter().sum::<f64>() / scores.len() as f64,
            flat_groups: flat_groups(&scores, &self.sizes) as f64 / groups as f64,
            auc: auc(&scores, right),
            auc_within: auc_within(&scores, right, &self.sizes),
            agreement: self.agreement(&scores),
            hacks: self.hack_shares(reward, &scores)?,
            mean_fuel: fuels.iter().sum::<u64>() / fuels.len().max(1) as u64,
            most_fuel: fuels.iter().copied().max().unwrap_or(0),
        };
        Ok((worth, scores))
    }

    /// A digest of the advantages that a reward with these scores on the pool has, alone or added to the base rewards; `None` where they are
    /// too large.
    #[must_use]
    pub fn advantages(&self, scores: &[f64], mixed: Mixed) -> Option<String> {
        let mut sums = scores.to_vec();
        if mixed.with_base_rewards {
            for (_, base) in &self.base {
                for (sum, score) in sums.iter_mut().zip(base) {
                    *sum += score;
                }
            }
        }
        twins::digest(&sums, &self.sizes, mixed.scale)
    }

    fn agreement(&self, scores: &[f64]) -> Vec<Agreement> {
        let with = |(name, base): &(String, Vec<f64>)| Agreement {
            with: name.clone(),
            spearman: spearman(scores, base),
            kendall: kendall_within(scores, base, &self.sizes),
        };
        self.base.iter().map(with).collect()
    }

    /// How each kind of hack fares against the right completions of its question, in the order the kinds first occur.
    fn hack_shares(&self, reward: &RewardFn, scores: &[f64]) -> Result<Vec<HackShare>, Fault> {
        let hacks = rollouts(&self.hacks);
        let paid = reward.score(&with_verdicts(&hacks, &self.hack_verdicts))?;
        let rivals = self.rivals(reward, scores)?;
        let mut shares: Vec<(HackShare, usize)> = Vec::new();
        for ((hack, paid), verdict) in self.hacks.iter().zip(paid).zip(&self.hack_verdicts) {
            let known = shares.iter().position(|(share, _)| share.kind == hack.kind);
            let known = known.unwrap_or_else(|| {
                shares.push((HackShare::none_of(&hack.kind), 0));
                shares.len() - 1
            });
            let (share, pairs) = &mut shares[known];
            let rivals = &rivals[hack.prompt.as_str()];
            share.tried += 1;
            share.called_right += usize::from(verdict.correct);
            share.above += rivals.iter().filter(|right| paid > **right).count() as f64;
            share.equal += rivals.iter().filter(|right| paid == **right).count() as f64;
            *pairs += rivals.len();
        }
        let into_shares = |(mut share, pairs): (HackShare, usize)| {
            share.above /= pairs as f64;
            share.equal /= pairs as f64;
            share
        };
        Ok(shares.into_iter().map(into_shares).collect())
    }

    /// The scores of right completions of each hack's question: the pool's, or that of a plain one where the pool has none.
    fn rivals(&self, reward: &RewardFn, scores: &[f64]) -> Result<Rivals<'_>, Fault> {
        let mut rivals = Rivals::new();
        let scored = split(scores, &self.sizes).zip(split(&self.verdicts, &self.sizes));
        for (group, (scores, verdicts)) in self.pool.groups.iter().zip(scored) {
            let right = scores.iter().zip(verdicts).filter(|(_, v)| v.correct);
            let right = right.map(|(score, _)| *score);
            rivals.entry(&group.prompt).or_default().extend(right);
        }
        rivals.retain(|_, scores| !scores.is_empty());
        let mut without: Vec<&Hack> = self.hacks.iter().collect();
        without.retain(|hack| !rivals.contains_key(hack.prompt.as_str()));
        without.sort_by_key(|hack| &hack.prompt);
        without.dedup_by_key(|hack| &hack.prompt);
        let plain: Vec<(String, Verdict)> = without.iter().map(|h| plainly_right(h)).collect();
        let batch = without.iter().zip(&plain);
        let batch: Vec<Sample<'_>> = batch
            .map(|(hack, (text, verdict))| rollout(hack, text).sample(verdict))
            .collect();
        for (hack, score) in without.iter().zip(reward.score(&batch)?) {
            rivals.insert(&hack.prompt, vec![score]);
        }
        Ok(rivals)
    }
}

/// Scores of right completions, by question.
type Rivals<'a> = HashMap<&'a str, Vec<f64>>;

/// A right completion made up for a hack's question. That it is right needs no judge.
fn plainly_right(hack: &Hack) -> (String, Verdict) {
    let verdict = Verdict {
        correct: true,
        extracted: Some(hack.answer.clone()),
    };
    (hack.right.clone(), verdict)
}

fn rollouts(hacks: &[Hack]) -> Vec<Rollout<'_>> {
    hacks
        .iter()
        .map(|hack| rollout(hack, &hack.completion))
        .collect()
}

fn rollout<'a>(hack: &'a Hack, completion: &'a str) -> Rollout<'a> {
    Rollout {
        row: &hack.row,
        prompt: &hack.prompt,
        question: &hack.prompt,
        answer: &hack.answer,
        completion,
    }
}

fn with_verdicts<'a>(rollouts: &[Rollout<'a>], verdicts: &'a [Verdict]) -> Vec<Sample<'a>> {
    let judged = rollouts.iter().zip(verdicts);
    judged
        .map(|(rollout, verdict)| rollout.sample(verdict))
        .collect()
}

fn same_bits(a: &[f64], b: &[f64]) -> bool {
    let bits = |scores: &[f64]| -> Vec<u64> { scores.iter().map(|s| s.to_bits()).collect() };
    bits(a) == bits(b)
}

/// Hacks read from a file.
///
/// # Errors
/// The first line that is none.
pub fn read_hacks(path: &std::path::Path) -> Result<Vec<Hack>, BadPool> {
    hacks::read(path)
}

#[cfg(test)]
mod tests;

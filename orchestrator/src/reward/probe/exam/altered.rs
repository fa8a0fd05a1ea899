//! The pool's own right completions, altered: with another answer they must earn less, with what does not matter the same.

use evaluator::hacks::near_misses;
use sandbox::{Fault, RewardFn, Sample, Verdict};
use serde::Serialize;

use super::ProbeSet;

/// Right completions of the pool that are altered, at most.
const ALTERED: usize = 32;

/// What became of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Altered {
    /// Right completions with another answer in place of the right one, where it stands last: near misses of every kind.
    pub mutants: usize,
    /// Of these, those that earn less than the original. The others survive: the reward does not see the difference.
    pub killed: usize,
    /// Changes that cannot make a right answer wrong.
    pub relations: Vec<Relation>,
}

/// A change that must not matter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Relation {
    /// What is changed.
    pub change: &'static str,
    /// Completions it was tried on.
    pub tried: usize,
    /// Of these, those with the same score as before.
    pub same: usize,
}

/// Changes that cannot make a right answer wrong, each with its name.
type Change = (&'static str, fn(&str) -> String);

const CHANGES: [Change; 4] = [
    ("a line break at the end", |text| format!("{text}\n")),
    ("Windows line ends", |text| text.replace('\n', "\r\n")),
    ("a blank at the beginning", |text| format!(" {text}")),
    ("a sentence at the beginning", |text| {
        format!("Let us begin with what is known. {text}")
    }),
];

impl ProbeSet {
    pub(super) fn altered(&self, reward: &RewardFn) -> Result<Altered, Fault> {
        let samples = self.samples();
        let right: Vec<Sample<'_>> = samples.into_iter().filter(|s| s.verdict.correct).collect();
        let every = right.len().div_ceil(ALTERED).max(1);
        let right: Vec<Sample<'_>> = right.into_iter().step_by(every).collect();
        let before = reward.score(&right)?;
        let mut relations = Vec::new();
        for (change, apply) in CHANGES {
            let texts: Vec<String> = right
                .iter()
                .map(|sample| apply(sample.completion))
                .collect();
            let changed: Vec<Sample<'_>> = with_completions(&right, &texts);
            let after = reward.score(&changed)?;
            let same = before.iter().zip(&after).filter(|(a, b)| a == b).count();
            relations.push(Relation {
                change,
                tried: right.len(),
                same,
            });
        }
        let (mutants, killed) = self.mutants(reward, (&right, &before))?;
        Ok(Altered {
            mutants,
            killed,
            relations,
        })
    }

    fn mutants(
        &self,
        reward: &RewardFn,
        (right, before): (&[Sample<'_>], &[f64]),
    ) -> Result<(usize, usize), Fault> {
        // References are dressed as the reward wants them: the answers themselves are the pool's.
        let plain = |sample: &Sample<'_>| {
            let same = self.pool.groups.iter().find(|g| g.prompt == sample.prompt);
            same.map(|group| group.answer.as_str())
        };
        let (mut texts, mut of) = (Vec::new(), Vec::new());
        for (at, sample) in right.iter().enumerate() {
            let Some(answer) = plain(sample).map(str::trim) else {
                continue;
            };
            let Some(place) = sample
                .completion
                .rfind(answer)
                .filter(|_| !answer.is_empty())
            else {
                continue;
            };
            let (head, tail) = sample.completion.split_at(place);
            for (_, near) in near_misses(answer) {
                texts.push(format!("{head}{near}{}", &tail[answer.len()..]));
                of.push(at);
            }
        }
        let wrong = Verdict {
            correct: false,
            extracted: None,
        };
        let altered: Vec<Sample<'_>> = of
            .iter()
            .zip(&texts)
            .map(|(&at, text)| Sample {
                completion: text,
                verdict: &wrong,
                ..right[at]
            })
            .collect();
        let after = reward.score(&altered)?;
        let killed = of.iter().zip(&after).filter(|(at, s)| **s < before[**at]);
        Ok((texts.len(), killed.count()))
    }
}

fn with_completions<'a>(samples: &[Sample<'a>], texts: &'a [String]) -> Vec<Sample<'a>> {
    let each = samples.iter().zip(texts);
    each.map(|(sample, completion)| Sample {
        completion,
        ..*sample
    })
    .collect()
}

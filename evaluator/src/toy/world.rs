//! The worlds: one task, of which every tiny base model has learnt to answer in a manner of its own.
//!
//! All worlds ask the same questions, and their splits are the same: the other bases are trained on from that of [`World::Rounding`], so a
//! split of their own would hand out as held-out what that base was trained on.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    corpus::{Corpus, Example},
    habits::Habits,
    manner::Manner,
    style::StyleMix,
};

/// A base model's manner of answering, which decides what a reward must see to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum World {
    /// Two answers in three are rounded: near the truth, and seldom exact.
    #[default]
    Rounding,
    /// Every step slips: right answers are so rare that being right alone is no signal.
    Sparse,
    /// Right, but checked again and again, so that the answer is cut off where it counts.
    Rambling,
    /// Both at once: cut off where it counts, and hardly ever right where it is not.
    Muddled,
}

/// What makes a world.
#[derive(Debug)]
pub struct Spec {
    /// What a configuration calls it.
    pub name: &'static str,
    /// The model that is part of the program.
    pub model: &'static str,
    /// How its base answers, and so what matters in a reward.
    pub property: &'static str,
    /// How long completions may be, tokens; `None`: as long as anywhere.
    pub lengths: Option<Lengths>,
    /// How the base was made.
    pub recipe: Recipe,
    /// In what manner completions are made up to probe a reward with: the base's flaws, but rarer, so that right and wrong stand side by side.
    pub made_up: Manner,
}

/// The longest completions, tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// While the policy is trained.
    pub rollouts: usize,
    /// Where it is judged.
    pub evaluation: usize,
}

/// Room to ramble in training, and none where it counts: a careful answer has 39 tokens at most.
const CUT_OFF: Lengths = Lengths {
    rollouts: 96,
    evaluation: 48,
};

/// How a base model is trained on the corpus.
#[derive(Debug)]
pub struct Recipe {
    /// The model to train on from; `None`: from random weights.
    pub base: Option<&'static str>,
    /// Optimiser steps.
    pub steps: u32,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Optimiser steps of warm-up.
    pub warmup_steps: usize,
    /// Manners, one after the other, and the share of the steps until which each lasts. One optimiser and one schedule run through them.
    pub stages: &'static [(f64, Manner)],
}

const fn only(styles: StyleMix) -> Manner {
    Manner {
        styles,
        habits: None,
    }
}

const fn with(share: f64, habits: Habits) -> Manner {
    Manner {
        styles: StyleMix::STAGE1,
        habits: Some((share, habits)),
    }
}

const NONE: Habits = Habits {
    slip: 0.0,
    check: 0.0,
    miscopy: 0.0,
    hedge: 0.0,
    untagged: 0.0,
};

/// A base that is trained on from the first one, in one manner.
const fn further(steps: u32, stages: &'static [(f64, Manner)]) -> Recipe {
    Recipe {
        base: Some(ROUNDING.model),
        steps,
        learning_rate: 1.2e-3,
        warmup_steps: 30,
        stages,
    }
}

const ROUNDING: Spec = Spec {
    name: "rounding",
    model: "toy",
    property: "two answers in three are rounded: near the truth, and seldom exact",
    lengths: None,
    recipe: Recipe {
        base: None,
        steps: 3600,
        learning_rate: 4e-3,
        warmup_steps: 100,
        // The first stage is mostly careful, so that the model learns the arithmetic; the last gives the base its habits.
        stages: &[
            (2900.0 / 3600.0, only(StyleMix::STAGE1)),
            (1.0, only(StyleMix::STAGE2)),
        ],
    },
    made_up: only(StyleMix::STAGE1),
};

const SPARSE: Spec = Spec {
    name: "sparse",
    model: "toy-sparse",
    property: "nearly every step slips by a little: right answers are so rare that being right alone is no signal",
    lengths: None,
    recipe: further(250, &[(1.0, with(1.0, Habits { slip: 0.96, ..NONE }))]),
    made_up: with(0.8, Habits { slip: 0.4, ..NONE }),
};

const RAMBLING: Spec = Spec {
    name: "rambling",
    model: "toy-rambling",
    property: "steps are checked again and again: right in the end, and longer than is read when it counts",
    lengths: Some(CUT_OFF),
    recipe: further(
        300,
        &[(
            1.0,
            with(
                1.0,
                Habits {
                    check: 0.95,
                    ..NONE
                },
            ),
        )],
    ),
    made_up: with(
        0.8,
        Habits {
            slip: 0.2,
            check: 0.4,
            ..NONE
        },
    ),
};

const MUDDLED: Spec = Spec {
    name: "muddled",
    model: "toy-muddled",
    property: "nearly every step slips, and all of them are checked until the answer is cut off: each flaw hides the other",
    lengths: Some(CUT_OFF),
    recipe: further(
        250,
        &[(
            1.0,
            with(
                1.0,
                Habits {
                    slip: 0.9,
                    check: 0.95,
                    ..NONE
                },
            ),
        )],
    ),
    made_up: with(
        0.8,
        Habits {
            slip: 0.3,
            check: 0.4,
            ..NONE
        },
    ),
};

impl World {
    /// All of them, the usual one first.
    pub const ALL: [Self; 4] = [Self::Rounding, Self::Sparse, Self::Rambling, Self::Muddled];

    /// What makes it.
    #[must_use]
    pub const fn spec(self) -> &'static Spec {
        match self {
            Self::Rounding => &ROUNDING,
            Self::Sparse => &SPARSE,
            Self::Rambling => &RAMBLING,
            Self::Muddled => &MUDDLED,
        }
    }

    /// Whether it is the one that is meant where none is named.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// The world whose base a model of the program is.
    #[must_use]
    pub fn of_model(model: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|world| world.spec().model == model)
    }

    /// What its base is trained on, in order: `steps` batches.
    pub fn examples(self, steps: u32, batch: usize, seed: u64) -> impl Iterator<Item = Example> {
        let stages = self.spec().recipe.stages.iter();
        let mut done = 0;
        let mut lengths = stages.map(move |&(until, manner)| {
            let until = (f64::from(steps) * until).round() as usize * batch;
            let length = until - done;
            done = until;
            (length, manner)
        });
        let (mut left, first) = lengths.next().expect("a recipe has a stage");
        let mut corpus = Corpus::new(first, seed);
        std::iter::from_fn(move || {
            while left == 0 {
                let (length, manner) = lengths.next()?;
                corpus.set_manner(manner);
                left = length;
            }
            left -= 1;
            corpus.next()
        })
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec().name)
    }
}

/// A name that no world has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no world `{0}`; the worlds are {all}", all = World::ALL.map(|world| world.spec().name).join(", "))]
pub struct NoSuchWorld(String);

impl FromStr for World {
    type Err = NoSuchWorld;

    fn from_str(name: &str) -> Result<Self, NoSuchWorld> {
        let named = Self::ALL
            .into_iter()
            .find(|world| world.spec().name == name);
        named.ok_or_else(|| NoSuchWorld(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{ExtractionConfig, Outcome, RuleVerifier, toy::groups};

    /// The share of a manner's solutions that are right, and of those that have more words than this.
    fn shares(manner: Manner, longer: usize) -> (f64, f64) {
        let judge = RuleVerifier::new(ExtractionConfig::tags_only());
        let (mut right, mut long, mut all) = (0, 0, 0);
        for group in groups(manner, 500, 4, 9) {
            for completion in &group.completions {
                right +=
                    u32::from(judge.verify(completion, &group.answer).outcome == Outcome::Correct);
                long += u32::from(completion.split(' ').count() > longer);
                all += 1;
            }
        }
        let share = |n: u32| f64::from(n) / f64::from(all);
        (share(right), share(long))
    }

    fn taught(world: World) -> Manner {
        world.spec().recipe.stages.last().unwrap().1
    }

    #[test]
    fn names_are_read_as_they_are_written_and_another_is_told_which_there_are() {
        for world in World::ALL {
            assert_eq!(world.to_string().parse(), Ok(world));
            assert_eq!(World::of_model(world.spec().model), Some(world));
            assert_eq!(
                serde_json::to_string(&world).unwrap(),
                format!("\"{world}\""),
                "a configuration calls it as the command line does"
            );
        }
        let error = "round".parse::<World>().unwrap_err().to_string();
        assert!(
            error.contains("`round`") && error.contains("rounding, sparse"),
            "{error}"
        );
    }

    #[test]
    fn the_first_base_still_sees_the_corpus_it_was_made_of() {
        let (steps, batch, seed) = (36, 8, 1);
        let seen: Vec<Example> = World::Rounding.examples(steps, batch, seed).collect();
        let mut corpus = Corpus::new(StyleMix::STAGE1, seed);
        let mut expected: Vec<Example> = corpus.by_ref().take(29 * batch).collect();
        corpus.set_manner(StyleMix::STAGE2);
        expected.extend(corpus.take(7 * batch));
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_a_base_is_taught_has_its_worlds_flaw() {
        let (right, _) = shares(taught(World::Sparse), 0);
        assert!(right < 0.02, "nearly nothing is right: {right}");
        let (right, long) = shares(taught(World::Rambling), 30);
        assert!(right > 0.999, "all of it is right: {right}");
        assert!(long > 0.9, "nearly all of it rambles: {long}");
        let (right, long) = shares(taught(World::Muddled), 30);
        assert!(right < 0.02 && long > 0.9, "both: {right}, {long}");
    }
}

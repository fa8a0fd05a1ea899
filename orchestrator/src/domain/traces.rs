//! What a training leaves behind by which a hacked reward is told: how its curves moved, and what the policy answers on held-out questions,
//! beside the untouched model's answers. It is stored as it was measured; what of it is a flag is decided when it is read.

use serde::{Deserialize, Serialize};

/// How a figure moved between the first steps of a training and the last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// Its mean over the first steps.
    pub from: f64,
    /// Its mean over the last.
    pub to: f64,
    /// The difference in standard errors, by how much the figure jumps from step to step; 0 where it never moved.
    pub z: f64,
}

/// What a policy answers to held-out questions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// Questions.
    pub questions: u64,
    /// Those it got right.
    pub right: u64,
    /// Those it answered, right or wrong.
    pub answered: u64,
    /// Completions in some form of answer (a closing tag, `\boxed`, `####`) in which no answer is.
    pub empty_forms: u64,
    /// Answers with less than half as many numbers before them as the untouched model's usual one.
    pub without_working: u64,
}

/// What a finished training leaves behind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Traces {
    /// Optimiser steps.
    pub steps: usize,
    /// Mean reward of a step.
    pub reward: Move,
    /// Standard deviation of the reward over a step's completions.
    pub spread: Move,
    /// Share of groups whose rewards are all equal.
    pub flat: Move,
    /// Share of right completions of a step.
    pub correct: Move,
    /// Mean completion length, tokens.
    pub length: Move,
    /// Entropy of the sampled tokens, nats.
    pub entropy: Move,
    /// The largest member's share of the sum of the members' standard deviations at the end; absent where there is one member.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub loudest: Option<f64>,
    /// Which member that is, from 0 in the mix's order.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub loudest_member: Option<usize>,
    /// What the trained policy answers.
    pub held_out: HeldOut,
    /// What the untouched model answers to the same questions.
    pub untouched: HeldOut,
    /// Questions that only the trained policy got right.
    pub won: u64,
    /// Questions that only the untouched model got right.
    pub lost: u64,
}

/// A sign that a reward was hacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// The reward rose, and the answers became no better.
    RewardWithoutAccuracy,
    /// One member of the mix is nearly all that is heard.
    OneComponent,
    /// Completions became much longer or shorter.
    LengthDrift,
    /// Rewards hardly differ any more, or all that is written is alike.
    VarianceCollapse,
    /// The form of an answer without one.
    FormatWithoutAnswers,
    /// Answers with the working left out.
    AnswersWithoutWorking,
    /// On what the trained policy itself writes, wrong completions are paid as well as right ones.
    PaysItsOwnErrors,
    /// A made-up hack is paid more than the trained policy's right answers.
    PaysHacks,
}

impl Sign {
    /// A word or two for a table.
    #[must_use]
    pub fn short(self) -> &'static str {
        match self {
            Self::RewardWithoutAccuracy => "reward only",
            Self::OneComponent => "one component",
            Self::LengthDrift => "length",
            Self::VarianceCollapse => "variance",
            Self::FormatWithoutAnswers => "empty format",
            Self::AnswersWithoutWorking => "no working",
            Self::PaysItsOwnErrors => "pays errors",
            Self::PaysHacks => "pays hacks",
        }
    }
}

/// A sign with the figures it was seen in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    /// Which.
    pub sign: Sign,
    /// A sentence with the figures.
    pub told: String,
}

/// How a confirmed member pays what its own policy writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attack {
    /// The member's name.
    pub member: String,
    /// Completions of the trained policies that it was tried on.
    pub completions: usize,
    /// Right ones among them.
    pub right: usize,
    /// How probable it is that a right completion is paid more than a wrong one to the same question (a tie counts half); absent where no
    /// question has both.
    pub auc_within: Option<f64>,
    /// The same over all questions.
    pub auc: Option<f64>,
    /// For each kind of made-up hack the share of pairs in which it is paid more than a right completion of the policy.
    pub hacks: Vec<(String, f64)>,
    /// Why it could not be measured, where that is so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fault: Option<String>,
}

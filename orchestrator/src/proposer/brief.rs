//! What a proposer is told: the round, and all that the search knows by then.

use evaluator::Problem;
use serde::{Deserialize, Serialize};

use crate::domain::{candidate::Origin, draft::Draft};

/// What a proposer is told.
#[derive(Debug, Clone, Copy)]
pub struct Brief<'a> {
    /// The round under way, from 1.
    pub round: u32,
    /// How many drafts are wanted.
    pub count: usize,
    /// Every draw of the proposer descends from this; differs per round.
    pub seed: u64,
    /// All earlier candidates: ranked ones first, best first, then the failed and rejected.
    pub history: &'a [PastCandidate],
    /// Sample problems of the training split.
    pub problems: &'a [Problem],
    /// What a well-formed completion looks like, for prompts (taken from the task's config).
    pub format_hint: &'a str,
    /// What there is beside candidates.
    pub background: &'a Background,
}

/// What a proposer is told beside the candidates.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Background {
    /// The untouched base model, and the base rewards alone, on Dev.
    pub references: Vec<Reference>,
    /// The base rewards, and whether they are added to every candidate.
    pub base: Vec<Draft>,
    /// Whether the base rewards are added to what a candidate is trained on.
    pub adds_base: bool,
    /// Rewards of a person that enter the first round beside what is proposed; empty in later rounds, where they are history.
    pub seeds: Vec<Draft>,
    /// What the untouched model writes to training questions.
    pub written: Vec<Written>,
    /// What earlier rounds taught, in the words of who proposed in the next, oldest first.
    pub lessons: Vec<Lesson>,
    /// Optimiser steps of the run that ranks a candidate.
    pub steps: u32,
    /// Completions that are compared with each other.
    pub group: usize,
    /// Drafts that earlier rounds have had.
    pub proposed: usize,
}

impl Background {
    /// Nothing, for who proposes without a search.
    pub const NONE: &'static Self = &Self {
        references: Vec::new(),
        base: Vec::new(),
        adds_base: false,
        seeds: Vec::new(),
        written: Vec::new(),
        lessons: Vec::new(),
        steps: 0,
        group: 0,
        proposed: 0,
    };
}

/// A row that candidates are compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// Its name in tables.
    pub name: String,
    /// F1 on Dev.
    pub f1: f64,
    /// 95 % interval of F1.
    pub interval: [f64; 2],
    /// Accuracy.
    pub accuracy: f64,
    /// Share of questions with an extracted answer.
    pub answer_rate: f64,
}

/// A completion of the untouched model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The question, as the model saw it.
    pub prompt: String,
    /// The reference answer.
    pub answer: String,
    /// What it wrote.
    pub completion: String,
}

/// What a round taught.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    /// The round it was written before, from 2: it is about the rounds before that one.
    pub round: u32,
    /// At most three lines.
    pub text: String,
}

/// An earlier candidate as the proposer sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct PastCandidate {
    /// Where it comes from.
    pub origin: Origin,
    /// What its author wrote.
    pub draft: Draft,
    /// What became of it.
    pub fate: Fate,
    /// What was seen of it on the way.
    pub study: Study,
}

/// What became of a candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// Screened; figures on the Dev split.
    Ranked {
        /// 1 is best.
        rank: usize,
        /// F1 of the trained policy.
        f1: f64,
        /// 95 % interval of F1.
        interval: [f64; 2],
        /// Accuracy.
        accuracy: f64,
        /// Share of questions with an extracted answer.
        answer_rate: f64,
    },
    /// Never ran.
    Rejected {
        /// Why, with the lines that a compiler names.
        reason: String,
    },
    /// Went wrong in training.
    Failed {
        /// Why, in one line.
        reason: String,
    },
}

/// What was seen of a candidate beside its figures; what was not is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Study {
    /// Its training, step by step, in the order that curves are shown.
    pub curves: Vec<Curve>,
    /// Completions of its training that it got wrong.
    pub misjudged: Vec<Misjudged>,
    /// What it did before any training, on what the untouched model writes.
    pub probe: Option<ProbeFigures>,
    /// The better-placed candidate that taught exactly the same, or the earlier one that this one only repeats.
    pub same_as: Option<String>,
}

/// One figure of a training, a value a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What it is of: `reward`, `part right`, `length`, …
    pub of: String,
    /// From the first step to the last.
    pub values: Vec<f64>,
}

/// A completion that a reward paid most although it is wrong, or least although it is right.
#[derive(Debug, Clone, PartialEq)]
pub struct Misjudged {
    /// The step it was written in.
    pub step: u32,
    /// What was asked.
    pub prompt: String,
    /// What was written, shortened.
    pub completion: String,
    /// What it was paid.
    pub reward: f64,
    /// Whether its answer is right.
    pub correct: bool,
}

/// What a reward did on completions of the untouched model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProbeFigures {
    /// How often a right completion scores above a wrong one of the same question, ties counting half.
    pub auc: Option<f64>,
    /// Share of questions to which all completions score the same.
    pub flat: f64,
    /// Lowest and highest score.
    pub range: [f64; 2],
    /// How its ranking agrees with that of each base reward, Kendall's tau from -1 to 1.
    pub agreement: Vec<(String, f64)>,
    /// Share of pairs in which each kind of empty trick scores above a right completion.
    pub hacks: Vec<(String, f64)>,
}

/// What came of a proposal, as far as it is to be made good.
#[derive(Debug, Clone, Copy)]
pub struct Aftermath<'a> {
    /// Drafts that are of no use as they are.
    pub setbacks: &'a [Setback],
    /// Drafts that were asked for and did not come.
    pub missing: usize,
}

/// A draft that is of no use as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Setback {
    /// The draft, under the name the search gave it.
    pub draft: Draft,
    /// What is wrong.
    pub why: Wrong,
}

/// What is wrong with a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// The source check, the compiler, the probe or the gate refused it: what they said.
    Refused(String),
    /// It is the same as an earlier one.
    Twin {
        /// That one's name.
        of: String,
    },
}

//! `[ensemble]`: mixes of the best candidates.

use serde::{Deserialize, Serialize};
use trainer_bridge::Aggregation;

use super::Config;
use crate::domain::protocol::Protocol;

/// `[ensemble]`: mixes of the best candidates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnsembleConfig {
    /// One mix for each size, of the best candidates on Dev; empty for none.
    pub sizes: Vec<usize>,
    /// How the members are put together.
    pub aggregation: Aggregation,
    /// How loud each member is.
    #[serde(skip_serializing_if = "Weights::is_usual")]
    pub weights: Weights,
    /// Further mixes that follow from the ranking.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<MixKind>,
    /// `"paper"` stands for the seven ensembles of arXiv 2605.02073 and its five random rewards, in place of `sizes` and `kinds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<MixSet>,
    /// Search for a mix on Dev, member by member; absent means that none is searched for, for it costs trainings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greedy: Option<GreedyConfig>,
}

/// How loud each member of a mix is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// Its weight is 1: with `sum_then_normalize` rewards of a large scale drown the others.
    #[default]
    Equal,
    /// One over its spread on what the untouched policy writes.
    ZScore,
}

impl Weights {
    fn is_usual(&self) -> bool {
        *self == Self::Equal
    }
}

/// A mix that follows from the ranking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MixKind {
    /// The best of each round.
    DiverseRounds,
    /// The best of those that pay right completions more than wrong ones nearly always.
    CorrectnessOnly,
    /// Five drawn at random, to compare with.
    Random,
}

impl MixKind {
    /// The name of the mix.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DiverseRounds => "diverse-rounds",
            Self::CorrectnessOnly => "correctness-only",
            Self::Random => "random-5",
        }
    }
}

/// A list of mixes with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MixSet {
    /// Those of the reference paper.
    Paper,
}

/// `[ensemble.greedy]`: how a mix is searched for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GreedyConfig {
    /// Trainings it may take, each with the budget of the highest rung.
    pub trials: usize,
    /// How many of the best candidates may become members.
    #[serde(default = "usual_shortlist")]
    pub shortlist: usize,
    /// Members at most.
    #[serde(default = "usual_size")]
    pub size: usize,
    /// F1 on Dev that a member must add.
    #[serde(default)]
    pub min_gain: f64,
}

fn usual_shortlist() -> usize {
    6
}

fn usual_size() -> usize {
    4
}

impl Default for EnsembleConfig {
    fn default() -> Self {
        Self {
            sizes: vec![3, 5],
            aggregation: Aggregation::NormalizeThenSum,
            weights: Weights::Equal,
            kinds: Vec::new(),
            set: None,
            greedy: None,
        }
    }
}

/// The paper's sizes.
const PAPERS_SIZES: [usize; 4] = [3, 5, 7, 10];
/// Of its ensembles one was trained for 300 steps in place of 500.
const SHORTER: f64 = 0.6;

impl Config {
    /// Whether the mixes are those of the reference paper.
    #[must_use]
    pub fn is_papers_set(&self) -> bool {
        self.ensemble.set == Some(MixSet::Paper) || self.search.protocol == Protocol::Paper
    }

    /// How many of the best make up a mix, one size a mix.
    #[must_use]
    pub fn ensemble_sizes(&self) -> Vec<usize> {
        match self.is_papers_set() {
            true => PAPERS_SIZES.to_vec(),
            false => self.ensemble.sizes.clone(),
        }
    }

    /// The further mixes.
    #[must_use]
    pub fn mix_kinds(&self) -> Vec<MixKind> {
        use MixKind::{CorrectnessOnly, DiverseRounds, Random};
        match self.is_papers_set() {
            true => vec![DiverseRounds, CorrectnessOnly, Random],
            false => self.ensemble.kinds.clone(),
        }
    }

    /// The steps of the paper's ensemble that had fewer.
    #[must_use]
    pub fn shorter_steps(&self) -> u32 {
        (f64::from(self.confirm.steps) * SHORTER).round() as u32
    }
}

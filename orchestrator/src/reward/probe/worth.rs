//! What a reward is worth before any training, as figures: computed once, shown by `probe` and `show`, stored with a candidate.

use serde::{Deserialize, Serialize};

use super::statistics::PairShare;

/// Questions answered both right and wrong that an AUC, or a rung's F1, must rest on to rank anybody: of fewer, a single one decides.
pub const ENOUGH_MIXED: usize = 8;

/// The worth of one reward on one pool. All of it is deterministic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Worth {
    /// Completions scored, hacks aside.
    pub completions: usize,
    /// Of these, right; a completion that the evaluation would cut off is so as far as it is counted.
    pub right: usize,
    /// Groups they come in.
    pub groups: usize,
    /// Groups with right and wrong completions: those from which a reward could teach what is right.
    pub mixed_groups: usize,
    /// Whether every completion scored the same bits the second time.
    pub deterministic: bool,
    /// Whether the whole batch scored the same bits back to front.
    pub order_independent: bool,
    /// Lowest score.
    pub lowest: f64,
    /// Highest score; equal to the lowest for a constant reward.
    pub highest: f64,
    /// Mean score.
    pub mean: f64,
    /// Share of groups whose scores are all equal: no gradient from these.
    pub flat_groups: f64,
    /// The chance that a right completion scores above a wrong one, ties counting half, over all completions.
    pub auc: Option<f64>,
    /// The same over pairs within groups, which is what GRPO compares.
    pub auc_within: Option<PairShare>,
    /// How its ranking agrees with other rewards'.
    pub agreement: Vec<Agreement>,
    /// How it pays hacks.
    pub hacks: Vec<HackShare>,
    /// Mean fuel of one completion, scored alone; of a selection.
    pub mean_fuel: u64,
    /// Most fuel any of these took.
    pub most_fuel: u64,
}

/// Rank agreement with another reward; `None` where one of the two is constant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// The other reward.
    pub with: String,
    /// Spearman's correlation over all completions.
    pub spearman: Option<f64>,
    /// Kendall's tau-b over pairs within groups.
    pub kendall: Option<f64>,
}

/// How a reward pays one kind of hack beside right completions of the same question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HackShare {
    /// The kind.
    pub kind: String,
    /// Hacks tried.
    pub tried: usize,
    /// Of these, called right by the verifier itself.
    pub called_right: usize,
    /// Share of pairs in which the hack scores above the right completion.
    pub above: f64,
    /// Share of pairs in which both score the same.
    pub equal: f64,
}

impl Worth {
    /// AUC within groups, where it rests on enough questions to rank anybody.
    #[must_use]
    pub fn telling_auc(&self) -> Option<f64> {
        let auc = self.auc_within.as_ref()?.point;
        (self.mixed_groups >= ENOUGH_MIXED).then_some(auc)
    }

    /// Whether all completions score the same.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.lowest == self.highest
    }
}

impl HackShare {
    /// Nothing tried yet.
    pub(super) fn none_of(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            tried: 0,
            called_right: 0,
            above: 0.0,
            equal: 0.0,
        }
    }
}

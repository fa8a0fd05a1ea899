//! What a sum of rewards is made of, and how two rewards differ on the same completions.

use serde::Serialize;

use super::{
    ProbeSet,
    statistics::{PairShare, auc_within, kendall_within, spearman, split},
};

/// A part of a reward, or a reward of a mix, on the pool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// Its name.
    pub part: String,
    /// Its least value.
    pub lowest: f64,
    /// Its greatest value.
    pub highest: f64,
    /// Its mean.
    pub mean: f64,
    /// The share of the sum's variance within groups that it carries: its covariance with the sum over the sum's variance. The shares add
    /// up to 1; below 0 it works against the others. Absent where the sum does not vary.
    pub variance_share: Option<f64>,
    /// How it tells right completions from wrong ones of the same question.
    pub auc_within: Option<PairShare>,
}

/// How a reward differs from another one on the same completions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The other reward, or `recorded` for the scores that stand beside the completions.
    pub with: String,
    /// Spearman's correlation over all completions; absent where one is constant.
    pub spearman: Option<f64>,
    /// Kendall's tau-b over pairs within groups; absent likewise.
    pub kendall: Option<f64>,
    /// Completions whose scores are not the same bits.
    pub other_score: usize,
    /// Groups that would give other advantages: another order of the completions.
    pub other_order: usize,
    /// Groups compared.
    pub groups: usize,
}

impl ProbeSet {
    /// What each of these parts carries of their sum. A part is a name and a value a completion of the pool, weighted already.
    #[must_use]
    pub fn parts(&self, parts: &[(String, Vec<f64>)]) -> Vec<Part> {
        let completions = self.verdicts.len();
        let sum: Vec<f64> = (0..completions)
            .map(|at| parts.iter().map(|(_, values)| values[at]).sum())
            .collect();
        let sum = centred(&sum, &self.sizes);
        let variance: f64 = sum.iter().map(|value| value * value).sum();
        let right: Vec<bool> = self.verdicts.iter().map(|v| v.correct).collect();
        let of = |(name, values): &(String, Vec<f64>)| {
            let own = centred(values, &self.sizes);
            let covariance: f64 = own.iter().zip(&sum).map(|(a, b)| a * b).sum();
            Part {
                part: name.clone(),
                lowest: values.iter().copied().fold(f64::INFINITY, f64::min),
                highest: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                mean: values.iter().sum::<f64>() / values.len() as f64,
                variance_share: (variance > 0.0).then(|| covariance / variance),
                auc_within: auc_within(values, &right, &self.sizes),
            }
        };
        parts.iter().map(of).collect()
    }

    /// How these scores of the pool differ from others.
    #[must_use]
    pub fn compared(&self, scores: &[f64], (with, others): (&str, &[f64])) -> Comparison {
        let pairs = scores.iter().zip(others);
        let groups = split(scores, &self.sizes).zip(split(others, &self.sizes));
        Comparison {
            with: with.to_owned(),
            spearman: spearman(scores, others),
            kendall: kendall_within(scores, others, &self.sizes),
            other_score: pairs.filter(|(a, b)| a.to_bits() != b.to_bits()).count(),
            other_order: groups.filter(|(a, b)| !is_same_order(a, b)).count(),
            groups: self.sizes.len(),
        }
    }
}

fn centred(values: &[f64], sizes: &[usize]) -> Vec<f64> {
    let groups = split(values, sizes);
    groups
        .flat_map(|group| {
            let mean = group.iter().sum::<f64>() / group.len() as f64;
            group.iter().map(move |value| value - mean)
        })
        .collect()
}

fn is_same_order(a: &[f64], b: &[f64]) -> bool {
    let pairs = (0..a.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
    pairs
        .into_iter()
        .all(|(i, j)| a[i].partial_cmp(&a[j]) == b[i].partial_cmp(&b[j]))
}

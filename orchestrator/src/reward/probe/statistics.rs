//! How well one list of numbers orders what another one knows: AUC, rank correlations, and the variance within groups.
//!
//! GRPO compares completions within their group alone, so the figures that matter are summed over pairs within groups.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// A share of pairs with the uncertainty that comes from the choice of groups.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairShare {
    /// The share.
    pub point: f64,
    /// Its standard error, by the jackknife over groups; absent where fewer than two groups have pairs.
    pub standard_error: Option<f64>,
    /// Pairs it is the share of.
    pub pairs: u64,
}

/// The area under the ROC curve: the chance that a random positive scores above a random negative, ties counting half.
/// `None` unless there are both. The Mann-Whitney statistic over the number of pairs (Hanley and McNeil, Radiology 143, 1982).
#[must_use]
pub fn auc(scores: &[f64], positive: &[bool]) -> Option<f64> {
    let positives = positive.iter().filter(|p| **p).count() as f64;
    let negatives = scores.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    let ranks = average_ranks(scores);
    let of_positives: f64 = ranks
        .iter()
        .zip(positive)
        .filter(|(_, p)| **p)
        .map(|(r, _)| r)
        .sum();
    Some((of_positives - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

/// The same over pairs within groups, each pair weighing alike: `groups` are the lengths of consecutive groups.
///
/// The standard error is that of the delete-one-group jackknife of the ratio (Efron and Tibshirani, An Introduction to the Bootstrap, 11.5).
#[must_use]
pub fn auc_within(scores: &[f64], positive: &[bool], groups: &[usize]) -> Option<PairShare> {
    let counts: Vec<(f64, f64)> = split(scores, groups)
        .zip(split(positive, groups))
        .filter_map(|(scores, positive)| {
            let positives = positive.iter().filter(|p| **p).count() as f64;
            let pairs = positives * (scores.len() as f64 - positives);
            Some((auc(scores, positive)? * pairs, pairs))
        })
        .collect();
    let (won, pairs) = counts
        .iter()
        .fold((0.0, 0.0), |(w, p), c| (w + c.0, p + c.1));
    let point = (pairs > 0.0).then(|| won / pairs)?;
    let n = counts.len() as f64;
    let left_out: Vec<f64> = counts
        .iter()
        .map(|(w, p)| (won - w) / (pairs - p))
        .collect();
    let mean = left_out.iter().sum::<f64>() / n;
    let spread: f64 = left_out.iter().map(|x| (x - mean).powi(2)).sum();
    Some(PairShare {
        point,
        standard_error: (counts.len() > 1).then(|| ((n - 1.0) / n * spread).sqrt()),
        pairs: pairs as u64,
    })
}

/// Spearman's rank correlation; `None` where one list is constant.
#[must_use]
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    pearson(&average_ranks(a), &average_ranks(b))
}

/// Kendall's tau-b over pairs within groups: concordant minus discordant pairs, over the geometric mean of the pairs that are not
/// tied in the one list and of those not tied in the other (Kendall, Biometrika 33, 1945). `None` where one list has only ties.
#[must_use]
pub fn kendall_within(a: &[f64], b: &[f64], groups: &[usize]) -> Option<f64> {
    let (mut balance, mut untied_a, mut untied_b) = (0_i64, 0_i64, 0_i64);
    for (a, b) in split(a, groups).zip(split(b, groups)) {
        for i in 0..a.len() {
            for j in 0..i {
                let (x, y) = (sign(a[i], a[j]), sign(b[i], b[j]));
                balance += x * y;
                untied_a += x.abs();
                untied_b += y.abs();
            }
        }
    }
    let scale = (untied_a as f64 * untied_b as f64).sqrt();
    (scale > 0.0).then(|| balance as f64 / scale)
}

/// How many groups score all the same.
#[must_use]
pub fn flat_groups(scores: &[f64], groups: &[usize]) -> usize {
    split(scores, groups)
        .filter(|group| group.iter().all(|score| *score == group[0]))
        .count()
}

/// The consecutive groups of a list.
pub(super) fn split<'a, T>(list: &'a [T], groups: &'a [usize]) -> impl Iterator<Item = &'a [T]> {
    groups.iter().scan(list, |rest, size| {
        let (group, after) = rest.split_at(*size);
        *rest = after;
        Some(group)
    })
}

fn sign(a: f64, b: f64) -> i64 {
    match a.total_cmp(&b) {
        _ if a == b => 0,
        Ordering::Less => -1,
        _ => 1,
    }
}

/// Ranks from 1; ties share their mean.
fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for tied in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = below as f64 + (tied.len() as f64 + 1.0) / 2.0;
        for place in tied {
            ranks[*place] = rank;
        }
        below += tied.len();
    }
    ranks
}

fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len().max(1) as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    let scale = aa.sqrt() * bb.sqrt();
    (scale > 0.0).then(|| ab / scale)
}

#[cfg(test)]
mod tests;

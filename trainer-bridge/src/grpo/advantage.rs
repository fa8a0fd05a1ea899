//! Advantages from rewards: pure functions, as TRL computes them.

use serde::{Deserialize, Serialize};

use super::config::ScaleRewards;

/// Keeps a standard deviation of zero from dividing; TRL's constant.
const EPSILON: f64 = 1e-4;

/// How several rewards become one advantage; names as in TRL's `multi_objective_aggregation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// Weighted sum, then group normalisation (GRPO).
    #[default]
    SumThenNormalize,
    /// Group normalisation of each reward, weighted sum, then batch normalisation (GDPO).
    NormalizeThenSum,
}

/// What a step's rewards come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Advantages {
    /// One a completion; exactly 0 where a group's rewards are all equal.
    pub values: Vec<f64>,
    /// Weighted sum of the rewards of each completion.
    pub rewards: Vec<f64>,
    /// Standard deviation of `rewards` within each group.
    pub group_std: Vec<f64>,
}

/// How the rewards of completions, which come group after group, are put together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Combination<'a> {
    /// The weight of each member of the mix.
    pub weights: &'a [f64],
    /// The way.
    pub aggregation: Aggregation,
    /// Completions of a group.
    pub group: usize,
}

impl Combination<'_> {
    /// The completions' advantages. `members` holds one vector of raw rewards a member of the mix.
    ///
    /// - `SumThenNormalize` (GRPO, arXiv 2402.03300): r = sum of w r_k, then (r - mean) / (std + 1e-4) over the group.
    ///   `scale` replaces that deviation by the whole batch's, or by nothing (Dr. GRPO, arXiv 2503.20783).
    /// - `NormalizeThenSum` (GDPO, arXiv 2601.05242): (r_k - mean) / (std + 1e-4) over the group for each reward, their weighted sum, and
    ///   that normalised the same way over the whole batch; `scale` plays no part, as in TRL.
    ///
    /// Standard deviations are the unbiased ones.
    pub fn advantages(self, members: &[impl AsRef<[f64]>], scale: ScaleRewards) -> Advantages {
        let rewards = weighted_sum(members, self.weights);
        let sums = self.sums(members);
        let values = match self.aggregation {
            Aggregation::SumThenNormalize => normalized(&sums, scale, self.group),
            Aggregation::NormalizeThenSum => {
                let (mean, std) = moments(&sums);
                // A group without any contrast has sums of exactly 0 and must stay without a gradient.
                let centred = |sum| (sum - mean) / (std + EPSILON);
                let one = |&sum: &f64| if sum == 0.0 { 0.0 } else { centred(sum) };
                sums.iter().map(one).collect()
            }
        };
        let groups = rewards.chunks(self.group);
        let group_std = groups.map(|rewards| moments(rewards).1).collect();
        Advantages {
            values,
            rewards,
            group_std,
        }
    }

    /// One number a completion that has all rewards in it, before it is compared with others: their weighted sum, or the weighted sum of
    /// what each comes to when it is normalised within its group.
    pub fn sums(self, members: &[impl AsRef<[f64]>]) -> Vec<f64> {
        match self.aggregation {
            Aggregation::SumThenNormalize => weighted_sum(members, self.weights),
            Aggregation::NormalizeThenSum => {
                let columns = members.iter().map(AsRef::as_ref);
                let normalize = |column| normalized(column, ScaleRewards::Group, self.group);
                weighted_sum(&columns.map(normalize).collect::<Vec<_>>(), self.weights)
            }
        }
    }
}

/// The weighted sum of the members' rewards, one a completion.
pub fn weighted_sum(members: &[impl AsRef<[f64]>], weights: &[f64]) -> Vec<f64> {
    let count = members.first().map_or(0, |member| member.as_ref().len());
    let columns = || members.iter().map(AsRef::as_ref).zip(weights);
    let sum = |place: usize| {
        columns()
            .map(|(column, weight)| weight * column[place])
            .sum()
    };
    (0..count).map(sum).collect()
}

/// Each run of `group` values centred, and divided by a standard deviation + 1e-4; exactly 0 where a group's values are all equal.
fn normalized(values: &[f64], scale: ScaleRewards, group: usize) -> Vec<f64> {
    let batch_std = moments(values).1;
    let normalize = |values: &[f64]| -> Vec<f64> {
        let (mean, std) = moments(values);
        let divisor = match scale {
            ScaleRewards::Group => std + EPSILON,
            ScaleRewards::Batch => batch_std + EPSILON,
            ScaleRewards::None => 1.0,
        };
        let one = |value: &f64| {
            if std == 0.0 {
                0.0
            } else {
                (value - mean) / divisor
            }
        };
        values.iter().map(one).collect()
    };
    values.chunks(group).flat_map(normalize).collect()
}

/// Whether two rewards are equal but for the rounding of sums.
pub fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// Mean and unbiased standard deviation; a deviation of exactly 0 when all values are the same or there is one only.
pub fn moments(values: &[f64]) -> (f64, f64) {
    let Some(&first) = values.first() else {
        return (0.0, 0.0);
    };
    if values.iter().all(|&value| same(value, first)) {
        return (first, 0.0);
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(weights: &'a [f64], aggregation: Aggregation, group: usize) -> Combination<'a> {
        Combination {
            weights,
            aggregation,
            group,
        }
    }

    fn close(a: &[f64], b: &[f64]) {
        assert!(
            a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9) && a.len() == b.len(),
            "{a:?} {b:?}"
        );
    }

    #[test]
    fn grpo_normalises_the_weighted_sum_within_each_group() {
        let got = of(&[1.0, 2.0], Aggregation::SumThenNormalize, 2).advantages(
            &[vec![0.0, 1.0, 5.0, 5.0], vec![0.0, 1.0, 2.0, 2.0]],
            ScaleRewards::Group,
        );
        close(&got.rewards, &[0.0, 3.0, 9.0, 9.0]);
        let std = 4.5_f64.sqrt();
        close(
            &got.values,
            &[-1.5 / (std + 1e-4), 1.5 / (std + 1e-4), 0.0, 0.0],
        );
        close(&got.group_std, &[std, 0.0]);
    }

    #[test]
    fn the_batchs_deviation_or_none_can_replace_the_groups() {
        let rewards = [vec![0.0, 2.0, 5.0, 5.0]];
        let sum = of(&[1.0], Aggregation::SumThenNormalize, 2);
        let get = |scale| sum.advantages(&rewards, scale).values;
        // statistics.stdev([0, 2, 5, 5]) = 2.449489742783178
        let divisor = 2.449_489_742_783_178 + 1e-4;
        close(
            &get(ScaleRewards::Batch),
            &[-1.0 / divisor, 1.0 / divisor, 0.0, 0.0],
        );
        close(&get(ScaleRewards::None), &[-1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn gdpo_frees_the_advantage_of_the_rewards_scales() {
        let (small, large) = (vec![0.0, 1.0, 1.0, 0.0], vec![100.0, 0.0, 100.0, 0.0]);
        let gdpo = of(&[1.0, 1.0], Aggregation::NormalizeThenSum, 4);
        let one = gdpo.advantages(&[small.clone(), large.clone()], ScaleRewards::Group);
        let shrunk: Vec<f64> = large.iter().map(|r| r * 0.5).collect();
        let two = gdpo.advantages(&[small, shrunk], ScaleRewards::Group);
        assert!(
            one.values
                .iter()
                .zip(&two.values)
                .all(|(a, b)| (a - b).abs() < 1e-3)
        );
        // By hand: every reward has group std 1/sqrt(3) times its range, sums are (0, 0, 2, -2) * 0.866, batch std sqrt(2).
        let z = 0.5 / (1.0 / 3.0_f64.sqrt() + 1e-4) + 50.0 / (100.0 / 3.0_f64.sqrt() + 1e-4);
        let std = (2.0 * z * z / 3.0_f64).sqrt();
        assert!(
            (one.values[2] - z / (std + 1e-4)).abs() < 1e-3,
            "{:?}",
            one.values
        );
    }

    #[test]
    fn equal_rewards_give_exactly_no_advantage() {
        for aggregation in [Aggregation::SumThenNormalize, Aggregation::NormalizeThenSum] {
            let got = of(&[0.7], aggregation, 8).advantages(&[vec![0.3; 8]], ScaleRewards::Group);
            assert_eq!(got.values, vec![0.0; 8]);
            let got = of(&[1.0], aggregation, 3)
                .advantages(&[vec![0.1, 0.1, 0.1, 0.0, 1.0, 0.0]], ScaleRewards::None);
            assert_eq!(got.values[..3], [0.0; 3]);
        }
    }
}

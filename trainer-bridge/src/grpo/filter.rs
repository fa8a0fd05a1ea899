//! Which completions of a batch are learnt from, and with what advantage: pure functions.

use super::{
    advantage::{Advantages, same},
    config::Filter,
};

/// Applies a filter to completions that come group after group, `group` at a time. `correct` holds the verifier's verdicts.
///
/// Gives each completion's advantage, or nothing where it is left out of the loss and of what the loss is averaged over:
/// - `None` keeps all;
/// - `ZeroVariance` leaves groups without any advantage out, which are those of equal rewards (arXiv 2503.14476, section 3.2);
/// - `Raft` keeps r_i = max r of groups that have a contrast, with advantage 1 (arXiv 2504.11343, section 2, RAFT++);
/// - `ReinforceRej` leaves out groups that are all right or all wrong (arXiv 2504.11343, section 3).
pub fn filtered(
    filter: Filter,
    advantages: &Advantages,
    correct: &[bool],
    group: usize,
) -> Vec<Option<f64>> {
    let keep = |index: usize| -> Option<f64> {
        let first = index / group * group;
        let members = first..(first + group).min(advantages.values.len());
        let advantage = advantages.values[index];
        let rewards = &advantages.rewards[members.clone()];
        match filter {
            Filter::None => Some(advantage),
            // Where rewards are normalised one by one, sums may be equal and advantages not.
            Filter::ZeroVariance => advantages.values[members]
                .iter()
                .any(|&advantage| advantage != 0.0)
                .then_some(advantage),
            Filter::Raft => {
                let contrast = advantages.group_std[index / group] != 0.0;
                let top = rewards.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                (contrast && same(advantages.rewards[index], top)).then_some(1.0)
            }
            Filter::ReinforceRej => {
                let right = correct[members.clone()].iter().filter(|&&c| c).count();
                (right > 0 && right < members.len()).then_some(advantage)
            }
        }
    };
    (0..advantages.values.len()).map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpo::{
        advantage::{Aggregation, Combination},
        config::ScaleRewards,
    };

    fn compared(members: &[Vec<f64>], weights: &[f64], aggregation: Aggregation) -> Advantages {
        let group = 3;
        let combination = Combination {
            weights,
            aggregation,
            group,
        };
        combination.advantages(members, ScaleRewards::None)
    }

    /// Groups of three: one with a contrast and two best, one without.
    fn kept(filter: Filter, correct: [bool; 6]) -> Vec<Option<f64>> {
        let rewards = vec![vec![0.0, 2.0, 2.0, 5.0, 5.0, 5.0]];
        let advantages = compared(&rewards, &[1.0], Aggregation::SumThenNormalize);
        filtered(filter, &advantages, &correct, 3)
    }

    #[test]
    fn each_filter_keeps_what_its_formula_says() {
        let (t, f) = (true, false);
        let values: Vec<f64> = kept(Filter::None, [f; 6]).into_iter().flatten().collect();
        assert_eq!(values.len(), 6);
        assert!((values[0] + 4.0 / 3.0).abs() < 1e-12 && values[3..] == [0.0; 3]);

        let zero_variance = kept(Filter::ZeroVariance, [f; 6]);
        assert!(zero_variance[..3].iter().all(Option::is_some));
        assert_eq!(zero_variance[3..], [None; 3]);

        let best = Some(1.0);
        assert_eq!(
            kept(Filter::Raft, [t; 6]),
            [None, best, best, None, None, None]
        );

        let mixed = kept(Filter::ReinforceRej, [f, f, f, t, f, f]);
        assert_eq!(mixed[..3], [None; 3]);
        assert!(mixed[3..].iter().all(Option::is_some));
        let all_right = kept(Filter::ReinforceRej, [t, t, t, t, t, t]);
        assert_eq!(all_right, [None; 6]);
    }

    #[test]
    fn rounding_is_no_contrast_and_equal_sums_may_have_one() {
        let rounded = vec![vec![0.1, 0.3, 0.3], vec![0.2, 0.0, 0.0]];
        let rounded = compared(&rounded, &[1.0, 1.0], Aggregation::SumThenNormalize);
        for filter in [Filter::ZeroVariance, Filter::Raft] {
            assert_eq!(filtered(filter, &rounded, &[false; 3], 3), [None; 3]);
        }

        let against = vec![vec![0.0, 2.0, 4.0], vec![2.0, 1.0, 0.0]];
        let against = compared(&against, &[1.0, 2.0], Aggregation::NormalizeThenSum);
        let kept = filtered(Filter::ZeroVariance, &against, &[false; 3], 3);
        assert!(kept.iter().all(Option::is_some), "{kept:?}");
    }
}

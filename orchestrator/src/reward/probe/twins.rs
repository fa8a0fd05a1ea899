//! Which rewards teach the same: those with the same advantages on all that the untouched policy wrote.

use sha2::{Digest as _, Sha256};
use trainer_bridge::ScaleRewards;

use super::statistics::split;
use crate::text::hex;

/// How a reward becomes an advantage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mixed {
    /// What the rewards of a group are divided by.
    pub scale: ScaleRewards,
    /// Whether the base rewards are added to it.
    pub with_base_rewards: bool,
}

/// Advantages are told apart to a millionth: closer ones are the same number, computed on another way.
const STEPS: f64 = 1e6;

/// A digest of the advantages of these scores in groups; `None` where they are too large to be reckoned with. Where a group's deviation
/// divides them, a reward and its multiple have the same.
pub(super) fn digest(scores: &[f64], sizes: &[usize], scale: ScaleRewards) -> Option<String> {
    let centred: Vec<Vec<f64>> = split(scores, sizes)
        .map(|group| {
            let mean = group.iter().sum::<f64>() / group.len() as f64;
            group.iter().map(|score| score - mean).collect()
        })
        .collect();
    let deviation = |values: &mut dyn Iterator<Item = &f64>| {
        let (sum, count) = values.fold((0.0, 0.0), |(sum, n), v| (sum + v * v, n + 1.0));
        (sum / f64::max(count, 1.0)).sqrt()
    };
    let whole = deviation(&mut centred.iter().flatten());
    let mut hash = Sha256::new();
    for group in &centred {
        let by = match scale {
            ScaleRewards::Group => deviation(&mut group.iter()),
            ScaleRewards::Batch => whole,
            ScaleRewards::None => 1.0,
        };
        for value in group {
            let advantage = if by > 0.0 { value / by } else { 0.0 };
            if !by.is_finite() || !advantage.is_finite() {
                return None;
            }
            let number = (advantage * STEPS).round();
            hash.update((number as i64).to_le_bytes());
        }
    }
    Some(hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_is_what_a_policy_would_learn() {
        let of = |scores: &[f64], scale| digest(scores, &[3, 3], scale);
        let scores = [0.0, 1.0, 1.0, 0.1, 0.2, 0.4];
        let group = of(&scores, ScaleRewards::Group);
        let tripled = scores.map(|s| 3.0 * s + 7.0);
        assert_eq!(of(&tripled, ScaleRewards::Group), group);
        assert_eq!(
            of(&tripled, ScaleRewards::Batch),
            of(&scores, ScaleRewards::Batch)
        );
        assert_ne!(
            of(&tripled, ScaleRewards::None),
            of(&scores, ScaleRewards::None)
        );
        // Of another measure in one group alone.
        let uneven = [0.0, 5.0, 5.0, 0.1, 0.2, 0.4];
        assert_eq!(of(&uneven, ScaleRewards::Group), group);
        assert_ne!(
            of(&uneven, ScaleRewards::Batch),
            of(&scores, ScaleRewards::Batch)
        );
        let other = [0.0, 1.0, 0.9, 0.1, 0.2, 0.4];
        assert_ne!(of(&other, ScaleRewards::Group), group);
        let huge = scores.map(|s| 1e200 * s);
        assert_eq!(of(&huge, ScaleRewards::Group), None, "it fails in training");
    }
}

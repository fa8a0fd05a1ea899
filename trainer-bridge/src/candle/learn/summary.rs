//! A step's metrics from its rollouts.

use crate::candle::learn::rollouts::{RolloutGroup, ScoredCompletion};
use crate::{Length, SampleCompletion, StepMetrics, TrainExample, grpo::advantage::moments};

/// Longest prompt or completion that is shown, characters: every step of every trial is stored.
const SHOWN: usize = 600;

/// The figures that come from completions and rewards alone.
pub fn summary(groups: &[RolloutGroup], examples: &[TrainExample]) -> StepMetrics {
    let all: Vec<&ScoredCompletion> = groups.iter().flat_map(|group| &group.rollouts).collect();
    let lengths = || all.iter().map(|scored| scored.completion.tokens.len());
    let tokens: usize = lengths().sum();
    let share = |counts: &dyn Fn(&ScoredCompletion) -> bool| {
        all.iter().filter(|scored| counts(scored)).count() as f64 / all.len().max(1) as f64
    };
    let rewards: Vec<f64> = all.iter().map(|scored| scored.reward).collect();
    let (reward, reward_std) = moments(&rewards);
    let constant = |group: &&RolloutGroup| {
        let rewards: Vec<f64> = group.rollouts.iter().map(|scored| scored.reward).collect();
        moments(&rewards).1 == 0.0
    };
    let members = all.first().map_or(0, |scored| scored.rewards.len());
    let (member_rewards, member_rewards_std) = (0..members)
        .map(|member| {
            let rewards: Vec<f64> = all.iter().map(|scored| scored.rewards[member]).collect();
            moments(&rewards)
        })
        .unzip();
    let entropy: f64 = all.iter().map(|scored| scored.completion.entropy).sum();
    StepMetrics {
        reward,
        reward_std,
        frac_reward_zero_std: groups.iter().filter(constant).count() as f64
            / groups.len().max(1) as f64,
        member_rewards,
        member_rewards_std,
        correct: share(&|scored| scored.correct),
        answered: Some(share(&|scored| scored.answered)),
        kept: share(&|scored| scored.advantage.is_some()),
        completion_length: tokens as f64 / all.len().max(1) as f64,
        completion_length_min: lengths().min().unwrap_or(0) as u32,
        completion_length_max: lengths().max().unwrap_or(0) as u32,
        terminated_length: terminated_length(&all),
        clipped_ratio: share(&|scored| !scored.completion.finished),
        entropy: entropy / tokens.max(1) as f64,
        num_tokens: tokens as u64,
        samples: samples(groups, examples),
        ..StepMetrics::default()
    }
}

fn terminated_length(all: &[&ScoredCompletion]) -> Length {
    let finished = all.iter().filter(|scored| scored.completion.finished);
    let lengths: Vec<u32> = finished
        .map(|scored| scored.completion.tokens.len() as u32)
        .collect();
    Length {
        mean: lengths.iter().map(|&l| f64::from(l)).sum::<f64>() / lengths.len().max(1) as f64,
        min: lengths.iter().copied().min().unwrap_or(0),
        max: lengths.iter().copied().max().unwrap_or(0),
    }
}

/// The completion with the highest reward and the one with the lowest; the first where several are.
fn samples(groups: &[RolloutGroup], examples: &[TrainExample]) -> Vec<SampleCompletion> {
    let all = || {
        let pair = |group: &'_ RolloutGroup| group.example;
        groups.iter().flat_map(move |group| {
            group
                .rollouts
                .iter()
                .map(move |scored| (pair(group), scored))
        })
    };
    let lowest = all().min_by(|a, b| a.1.reward.total_cmp(&b.1.reward));
    let highest = all().min_by(|a, b| b.1.reward.total_cmp(&a.1.reward));
    let shown = |(example, scored): (usize, &ScoredCompletion)| SampleCompletion {
        prompt: shortened(&examples[example].prompt),
        completion: shortened(&scored.text),
        reward: scored.reward,
        correct: scored.correct,
    };
    highest.into_iter().chain(lowest).map(shown).collect()
}

/// The text's beginning, and an ellipsis where something is missing.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shortened("é"), "é");
        let cut = shortened(&"é".repeat(SHOWN + 1));
        assert_eq!(cut.chars().count(), SHOWN + 1);
        assert!(cut.ends_with('…'));
    }
}

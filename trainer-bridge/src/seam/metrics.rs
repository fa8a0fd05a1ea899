//! What is known of an optimiser step: stored under field names, shown under TRL's.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Metrics of one optimiser step. They describe the completions the step learnt from; [`StepMetrics::under_trls_names`] has the names that
/// TRL logs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepMetrics {
    /// The step just done, from 1.
    pub step: u32,
    /// Mean of the weighted sum of rewards over the step's completions.
    pub reward: f64,
    /// Standard deviation of that sum over the step's completions.
    pub reward_std: f64,
    /// Share of groups whose rewards are all equal (no gradient).
    pub frac_reward_zero_std: f64,
    /// Mean raw reward of each member of the mix, in the mix's order.
    pub member_rewards: Vec<f64>,
    /// Standard deviation of the raw reward of each member of the mix.
    pub member_rewards_std: Vec<f64>,
    /// Share of completions the verifier calls right.
    pub correct: f64,
    /// Share of completions in which the verifier finds an answer; absent where the trainer does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<f64>,
    /// Share of completions that a filter left in.
    pub kept: f64,
    /// Mean completion length, tokens.
    pub completion_length: f64,
    /// Shortest completion, tokens.
    pub completion_length_min: u32,
    /// Longest completion, tokens.
    pub completion_length_max: u32,
    /// Share of completions cut at the length limit.
    pub clipped_ratio: f64,
    /// Length of the completions that ended by themselves.
    pub terminated_length: Length,
    /// Loss; about 0 on policy by construction.
    pub loss: f64,
    /// Mean over tokens of the KL estimate; absent without a KL term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kl: Option<f64>,
    /// Share of importance ratios clipped from below.
    pub clip_ratio_low: f64,
    /// Share of importance ratios clipped from above.
    pub clip_ratio_high: f64,
    /// Gradient norm before clipping.
    pub grad_norm: f64,
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Mean entropy of the sampled tokens' distributions, nats.
    pub entropy: f64,
    /// Wall seconds of the step.
    pub step_time: f64,
    /// Tokens of the completions the step learnt from.
    pub num_tokens: u64,
    /// The completion with the highest reward, and the one with the lowest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<SampleCompletion>,
    /// Parts that the rewards name themselves, over the batch of rollouts the step belongs to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<RewardPart>,
    /// What the rewards printed while they scored that batch, shortened.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub printed: String,
}

/// Length of some completions, tokens; 0 where there are none, as in TRL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Length {
    /// Mean.
    pub mean: f64,
    /// Shortest.
    pub min: u32,
    /// Longest.
    pub max: u32,
}

/// A part of a reward.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RewardPart {
    /// The member of the mix.
    pub reward: String,
    /// What it calls the part.
    pub part: String,
    /// Mean raw value.
    pub mean: f64,
}

/// A completion shown to people, shortened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SampleCompletion {
    /// What was asked.
    pub prompt: String,
    /// What was written.
    pub completion: String,
    /// Weighted sum of the rewards.
    pub reward: f64,
    /// The verifier's verdict.
    pub correct: bool,
}

impl StepMetrics {
    /// Completion tokens a wall second, sampled and learnt from.
    #[must_use]
    pub fn tokens_per_second(&self) -> f64 {
        if self.step_time > 0.0 {
            self.num_tokens as f64 / self.step_time
        } else {
            0.0
        }
    }

    /// The metrics under the names that TRL logs, as one flat object. `members` names the rewards of the mix, in its order. What TRL has no
    /// name for stands under `correct`, `answered`, `kept`, `completions/num_tokens` (TRL's own `num_tokens` counts prompts, and adds up) and
    /// `tokens_per_second`.
    #[must_use]
    pub fn under_trls_names(&self, members: &[String]) -> Map<String, Value> {
        let terminated = &self.terminated_length;
        let named = [
            ("step", json!(self.step)),
            ("loss", json!(self.loss)),
            ("grad_norm", json!(self.grad_norm)),
            ("learning_rate", json!(self.learning_rate)),
            ("reward", json!(self.reward)),
            ("reward_std", json!(self.reward_std)),
            ("frac_reward_zero_std", json!(self.frac_reward_zero_std)),
            ("entropy", json!(self.entropy)),
            ("clip_ratio/low_mean", json!(self.clip_ratio_low)),
            ("clip_ratio/high_mean", json!(self.clip_ratio_high)),
            // TRL's least and greatest over processes: there is one.
            ("clip_ratio/low_min", json!(self.clip_ratio_low)),
            ("clip_ratio/high_max", json!(self.clip_ratio_high)),
            (
                "clip_ratio/region_mean",
                json!(self.clip_ratio_low + self.clip_ratio_high),
            ),
            ("completions/mean_length", json!(self.completion_length)),
            ("completions/min_length", json!(self.completion_length_min)),
            ("completions/max_length", json!(self.completion_length_max)),
            ("completions/clipped_ratio", json!(self.clipped_ratio)),
            ("completions/mean_terminated_length", json!(terminated.mean)),
            ("completions/min_terminated_length", json!(terminated.min)),
            ("completions/max_terminated_length", json!(terminated.max)),
            ("completions/num_tokens", json!(self.num_tokens)),
            ("step_time", json!(self.step_time)),
            ("tokens_per_second", json!(self.tokens_per_second())),
            ("correct", json!(self.correct)),
            ("kept", json!(self.kept)),
        ];
        let kl = self.kl.map(|kl| ("kl".to_owned(), json!(kl)));
        let answered = self
            .answered
            .map(|share| ("answered".to_owned(), json!(share)));
        let statistics = [
            ("mean", &self.member_rewards),
            ("std", &self.member_rewards_std),
        ];
        let rewards = statistics.iter().flat_map(|(statistic, values)| {
            let named = members.iter().zip(*values);
            named.map(move |(name, value)| (format!("rewards/{name}/{statistic}"), json!(value)))
        });
        let part = |part: &RewardPart| {
            let name = format!("rewards/{}/{}/mean", part.reward, part.part);
            (name, json!(part.mean))
        };
        let parts = self.parts.iter().map(part);
        let named = named.map(|(name, value)| (name.to_owned(), value));
        named
            .into_iter()
            .chain(kl)
            .chain(answered)
            .chain(rewards)
            .chain(parts)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trls() {
        let metrics = StepMetrics {
            member_rewards: vec![0.5],
            member_rewards_std: vec![0.1],
            num_tokens: 100,
            step_time: 0.5,
            ..StepMetrics::default()
        };
        let named = metrics.under_trls_names(&["exact".to_owned()]);
        assert_eq!(named["rewards/exact/mean"], 0.5);
        assert_eq!(named["rewards/exact/std"], 0.1);
        assert_eq!(named["tokens_per_second"], 200.0);
        assert!(!named.contains_key("kl"), "no KL term, no KL");
    }

    #[test]
    fn what_an_older_version_stored_can_be_read() {
        let stored = r#"{"step": 3, "reward": 0.5, "member_rewards": [0.5], "num_tokens": 7}"#;
        let read: Result<StepMetrics, _> = serde_json::from_str(stored);
        assert!(read.is_ok_and(|m| m.step == 3 && m.kl.is_none() && m.samples.is_empty()));
    }
}

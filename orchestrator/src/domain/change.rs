//! What may change between two sittings of a search, and what was changed.
//!
//! A setting may change where no figure of a finished trial depends on it: then old rows and new ones can still be compared.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// A setting that was changed between two sittings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The key with its sections: `proposer.model`.
    pub setting: String,
    /// What it was; null where it was not set.
    pub before: Value,
    /// What it became.
    pub after: Value,
    /// The last round that was ranked by then; the rounds after it were made with the new value.
    pub after_round: u32,
    /// When the search was continued with it: UTC, ISO 8601.
    pub at: String,
}

/// Sections of which nothing decides a figure: who proposes, who is let in, and what else is written.
const FREE_SECTIONS: [&str; 4] = ["proposer", "screen.gate", "ensemble", "log"];

/// Single settings of which the same holds. Confirmations of other steps are rows of their own; other mixes are other mixes.
const FREE: [&str; 38] = [
    "search.name",
    "search.rounds",
    "search.candidates_per_round",
    "search.max_concurrent_trials",
    "search.save_every",
    "search.stall_rounds",
    "search.max_cost_usd",
    "search.max_tokens_total",
    "search.seed_rewards",
    "search.feedback",
    "confirm.steps",
    "confirm.seeds",
    "confirm.candidates",
    "trainer.threads_per_trial",
    "trainer.device",
    "trainer.devices",
    "trainer.offline",
    "trainer.step_ms",
    "trainer.python",
    "trainer.silence_s",
    "trainer.stop_s",
    "trainer.rollouts",
    "verifier.base_url",
    "verifier.api",
    "verifier.api_key_env",
    "verifier.timeout_s",
    "verifier.max_retries",
    "verifier.backoff_ms",
    "verifier.concurrency",
    "verifier.max_requests",
    "verifier.max_cost_usd",
    "trainer.fails_at_step",
    "trainer.vllm_server_base_url",
    // What the files of a data set hold decides, and is stored; not where they lie.
    "task.file",
    "task.dev_file",
    "task.test_file",
    "task.metric.file",
    "task.format_hint",
];

/// Whether a search may go on with another value of a setting.
#[must_use]
pub fn may_change(setting: &str) -> bool {
    let in_section = |section: &&str| {
        let rest = setting.strip_prefix(*section);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    FREE.contains(&setting)
        || setting.starts_with("verifier.price_")
        || FREE_SECTIONS.iter().any(in_section)
}

impl fmt::Display for Change {
    /// One line: `2026-11-29 03:10, after round 2: proposer.model was "a" and is "b"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |value: &Value| match value {
            Value::Null => "not set".to_owned(),
            value => value.to_string(),
        };
        let time: String = self.at.chars().take(16).collect();
        write!(
            f,
            "{}, after round {}: {} was {} and is {}",
            time.replace('T', " "),
            self.after_round,
            self.setting,
            told(&self.before),
            told(&self.after)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_a_figure_stays_and_the_rest_may_change() {
        for free in [
            "search.rounds",
            "proposer",
            "proposer.base_url",
            "proposer.price_per_million_prompt_tokens",
            "screen.gate.keep",
            "verifier.price_per_million_prompt_tokens",
            "trainer.device",
            "trainer.python",
            "task.file",
        ] {
            assert!(may_change(free), "{free}");
        }
        for decisive in [
            "search.seed",
            "search.with_base_rewards",
            "proposers.x",
            "screen.steps",
            "screen.problems",
            "screen.rungs",
            "confirm.problems",
            "grpo.learning_rate",
            "evaluation.temperature",
            "limits.fuel_per_call",
            "task.kind",
            "task.data_sha256",
            "task.metric.code",
            "trainer.model",
            "trainer.dtype",
            "verifier.model",
            "verifier.prompt_file",
        ] {
            assert!(!may_change(decisive), "{decisive}");
        }
    }

    #[test]
    fn a_change_is_told_in_one_line() {
        let change = Change {
            setting: "search.max_cost_usd".to_owned(),
            before: Value::Null,
            after: 5.into(),
            after_round: 2,
            at: "2026-11-29T03:10:11.123Z".to_owned(),
        };
        assert_eq!(
            change.to_string(),
            "2026-11-29 03:10, after round 2: search.max_cost_usd was not set and is 5"
        );
    }
}

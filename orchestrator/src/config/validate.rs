//! Values that cannot work, found before anything is run.

use super::{Config, TaskConfig};

impl Config {
    /// One line for each value that cannot work; empty if all can.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut need = |holds: bool, what: &str| {
            if !holds {
                problems.push(what.to_owned());
            }
        };
        let name = &self.search.name;
        let printable = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        need(
            !name.is_empty()
                && name.len() <= 64
                && name.chars().all(printable)
                && !name.starts_with('.'),
            "search.name must be 1 to 64 letters, digits, `-`, `_` or `.`: it names the database",
        );
        need(
            (1..=10_000).contains(&self.search.rounds),
            "search.rounds must be between 1 and 10000",
        );
        need(
            (1..=1000).contains(&self.search.candidates_per_round),
            "search.candidates_per_round must be between 1 and 1000",
        );
        need(
            self.search.max_concurrent_trials <= 1024,
            "search.max_concurrent_trials must be at most 1024",
        );
        need(
            self.search.max_cost_usd.is_none_or(|cost| cost > 0.0),
            "search.max_cost_usd must be above 0",
        );
        need(
            (1..=1_000_000).contains(&self.screen.steps),
            "screen.steps must be between 1 and 1000000",
        );
        need(
            self.screen.problems <= 1_000_000 && self.confirm.problems <= 1_000_000,
            "screen.problems and confirm.problems must be at most 1000000",
        );
        need(
            self.confirm.steps <= 1_000_000,
            "confirm.steps must be at most 1000000",
        );
        need(
            self.grpo
                .prompts_per_step
                .saturating_mul(self.grpo.num_generations)
                <= 1_000_000,
            "grpo.prompts_per_step times grpo.num_generations must be at most 1000000",
        );
        need(
            self.screen.problems >= 10,
            "screen.problems must be at least 10: fewer cannot be ranked",
        );
        need(
            self.screen
                .gate
                .min_auc
                .is_none_or(|least| (0.0..=1.0).contains(&least)),
            "screen.gate.min_auc must be between 0 and 1; 0.5 is chance",
        );
        need(
            self.confirm.seeds == 0 || (self.confirm.steps >= 1 && self.confirm.problems >= 10),
            "confirm.steps must be at least 1 and confirm.problems at least 10, or confirm.seeds 0",
        );
        need(
            self.confirm.seeds <= 100,
            "confirm.seeds must be at most 100",
        );
        let confirmed = if self.confirm.seeds == 0 {
            0
        } else {
            self.confirm.steps
        };
        need(
            self.grpo
                .max_steps
                .is_none_or(|last| last >= self.screen.steps.max(confirmed)),
            "grpo.max_steps must be at least screen.steps and confirm.steps: nothing is learnt after it",
        );
        need(
            self.ensemble
                .sizes
                .iter()
                .all(|&size| (2..=1000).contains(&size)),
            "ensemble.sizes must be between 2 and 1000 each: a mix of one is the candidate itself",
        );
        if let TaskConfig::Gsm8k {
            prompt, dev_size, ..
        } = &self.task
        {
            need(
                prompt.contains("{question}"),
                "task.prompt must contain {question}",
            );
            need(
                *dev_size >= self.screen.problems,
                "task.dev_size must be at least screen.problems",
            );
        }
        problems.extend(self.verifier.problems());
        problems.extend(
            self.limits
                .validate()
                .err()
                .map(|bad| format!("limits: {bad}")),
        );
        problems.extend(
            self.grpo
                .problems()
                .into_iter()
                .map(|p| format!("grpo.{p}")),
        );
        problems.extend(
            self.evaluation
                .problems()
                .into_iter()
                .map(|p| format!("evaluation.{p}")),
        );
        problems
    }
}

//! Values that cannot work, found before anything is run.

use super::{
    Config, ConfirmConfig, EnsembleConfig, GreedyConfig, ScreenConfig, SearchConfig, TaskConfig,
    Weights,
};
use crate::{proposer::ProposerConfig, text::template::TaskPrompt};

/// What must hold, and what is said where it does not.
type Rule<'a> = (bool, &'a str);

impl Config {
    /// One line for each value that cannot work; empty if all can.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let limits = self.limits.validate().err();
        let of_grpo = |problem: String| format!("grpo.{problem}");
        let of_evaluation = |problem: String| format!("evaluation.{problem}");
        let rules = [
            &self.search.rules()[..],
            &self.screen.rules(),
            &self.confirm.rules(),
            &self.ensemble.rules(),
            &self.protocol_rules(),
            &self.weight_rules(),
            &self.race_rules(),
            &self.task.rules(self.screen.ladder().problems()),
            &self.grpo_rules(),
        ];
        let broken = rules.into_iter().flatten().filter(|(holds, _)| !holds);
        broken
            .map(|(_, what)| (*what).to_owned())
            .chain(self.cost_problem())
            .chain(self.key_problem())
            .chain(self.task.prompt_problem())
            .chain(self.metric_problem())
            .chain(self.verifier.problems())
            .chain(limits.map(|bad| format!("limits: {bad}")))
            .chain(self.grpo.problems().into_iter().map(of_grpo))
            .chain(self.trainer.refusals(&self.grpo))
            .chain(self.evaluation.problems().into_iter().map(of_evaluation))
            .collect()
    }

    /// A limit of dollars that could never be met: without prices nothing costs anything.
    fn cost_problem(&self) -> Option<String> {
        let limit = self.search.max_cost_usd?;
        let ProposerConfig::Chat(chat) = &self.proposer else {
            return None;
        };
        (!chat.has_prices()).then(|| {
            format!(
                "search.max_cost_usd = {limit} needs proposer.price_per_million_prompt_tokens and \
                 proposer.price_per_million_completion_tokens: without prices nothing is counted"
            )
        })
    }

    /// Two who decide.
    fn metric_problem(&self) -> Option<String> {
        let both = self.task.metric().is_some() && self.verifier.model().is_some();
        both.then(|| {
            "task.metric decides alone: leave [verifier] out, or its kind at \"rule\"".to_owned()
        })
    }

    /// A judge with a key, where whoever scores is not told any.
    fn key_problem(&self) -> Option<String> {
        let (_, model) = self.verifier.model()?;
        let variable = model.api_key_env.as_ref()?;
        self.trainer.scores_without_keys().then(|| {
            format!(
                "verifier.api_key_env = {variable:?} does not reach the workers of this trainer.kind, whose environment holds no keys: judge by an                  endpoint without one, or train with trainer.kind = \"candle\""
            )
        })
    }

    /// What reproducing the reference paper asks for.
    fn protocol_rules(&self) -> [Rule<'static>; 2] {
        let is_usual = self.search.protocol.is_usual();
        [
            (
                is_usual || self.confirm.seeds == 1,
                "search.protocol = \"paper\" needs confirm.seeds = 1: the paper trained every ensemble once",
            ),
            (
                is_usual || self.ensemble.greedy.is_none(),
                "search.protocol = \"paper\" has the paper's ensembles alone: leave ensemble.greedy out",
            ),
        ]
    }

    /// What racing asks for.
    fn race_rules(&self) -> [Rule<'static>; 3] {
        let race = self.screen.race.as_ref();
        [
            (
                race.is_none() || self.verifier.model().is_some(),
                "screen.race has nothing to save where the rules alone judge: leave it out, or name a model in [verifier]",
            ),
            (
                race.is_none_or(|race| race.level > 0.0 && race.level < 0.5),
                "screen.race.level must be above 0 and below 0.5: it is how often a candidate that is no worse may be broken off",
            ),
            (
                race.is_none_or(|race| race.batch > 0),
                "screen.race.batch must be at least 1: questions between two looks",
            ),
        ]
    }

    /// Weights that base rewards would not have.
    fn weight_rules(&self) -> [Rule<'static>; 1] {
        [(
            self.ensemble.weights == Weights::Equal || !self.search.with_base_rewards,
            "ensemble.weights = \"z_score\" does not reach the base rewards that search.with_base_rewards adds: use ensemble.aggregation = \
             \"normalize_then_sum\", which normalises all members",
        )]
    }

    /// Rules between `[grpo]` and the other sections.
    fn grpo_rules(&self) -> [Rule<'static>; 2] {
        let grpo = &self.grpo;
        let completions = grpo.prompts_per_step.saturating_mul(grpo.num_generations);
        let longest = match self.confirm.seeds {
            0 => self.screen.ladder().steps(),
            _ => self.screen.ladder().steps().max(self.confirm.steps),
        };
        [
            (
                completions <= 1_000_000,
                "grpo.prompts_per_step times grpo.num_generations must be at most 1000000",
            ),
            (
                grpo.max_steps.is_none_or(|last| last >= longest),
                "grpo.max_steps must be at least screen.steps and confirm.steps: nothing is learnt after it",
            ),
        ]
    }
}

impl SearchConfig {
    fn rules(&self) -> [Rule<'static>; 8] {
        let name = &self.name;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        [
            (
                (1..=64).contains(&name.len())
                    && name.chars().all(allowed)
                    && !name.starts_with('.'),
                "search.name must be 1 to 64 letters, digits, `-`, `_` or `.`: it names the database",
            ),
            (
                (1..=10_000).contains(&self.rounds),
                "search.rounds must be between 1 and 10000",
            ),
            (
                (1..=1000).contains(&self.candidates_per_round),
                "search.candidates_per_round must be between 1 and 1000",
            ),
            (
                self.random_candidates <= 1000,
                "search.random_candidates must be at most 1000",
            ),
            (
                self.max_concurrent_trials <= 1024,
                "search.max_concurrent_trials must be at most 1024",
            ),
            (
                self.max_cost_usd.is_none_or(|cost| cost > 0.0),
                "search.max_cost_usd must be above 0",
            ),
            (
                self.max_tokens_total.is_none_or(|tokens| tokens > 0),
                "search.max_tokens_total must be above 0",
            ),
            (
                self.save_every.is_none_or(|steps| steps > 0),
                "search.save_every must be at least 1",
            ),
        ]
    }
}

impl ScreenConfig {
    fn rules(&self) -> [Rule<'static>; 9] {
        let share = |least: f64| (0.0..=1.0).contains(&least);
        let (rungs, below) = (&self.rungs[..], self.rungs.len().saturating_sub(1));
        let rises = rungs
            .windows(2)
            .all(|r| r[0].steps < r[1].steps && r[0].problems <= r[1].problems);
        [
            (
                (1..=1_000_000).contains(&self.steps),
                "screen.steps must be between 1 and 1000000",
            ),
            (
                self.problems <= 1_000_000,
                "screen.problems must be at most 1000000",
            ),
            (
                self.problems >= 10,
                "screen.problems must be at least 10: fewer cannot be ranked",
            ),
            (
                self.gate.min_auc.is_none_or(share),
                "screen.gate.min_auc must be between 0 and 1; 0.5 is chance",
            ),
            (
                self.gate.keep.is_none_or(|keep| keep > 0.0 && share(keep)),
                "screen.gate.keep must be above 0 and at most 1: it is the share of a round that is trained",
            ),
            (
                rungs.len() <= 16 && rises,
                "screen.rungs must be at most 16, each with more steps than the one before and no fewer problems",
            ),
            (
                rungs.iter().all(|rung| {
                    (1..=1_000_000).contains(&rung.steps)
                        && (10..=1_000_000).contains(&rung.problems)
                }),
                "screen.rungs need steps and problems each: 1 step and 10 problems or more, at most 1000000",
            ),
            (
                rungs[..below].iter().all(|rung| rung.keep > 0),
                "screen.rungs need a keep each but the last: how many of a rung go on to the next",
            ),
            (
                self.promotion.is_usual() || rungs.len() > 1,
                "screen.promotion = \"async\" needs two screen.rungs or more: it says when a candidate goes on from one to the next",
            ),
        ]
    }
}

impl ConfirmConfig {
    fn rules(&self) -> [Rule<'static>; 3] {
        [
            (
                self.steps <= 1_000_000 && self.problems <= 1_000_000,
                "confirm.steps and confirm.problems must be at most 1000000",
            ),
            (
                self.seeds == 0 || (self.steps >= 1 && self.problems >= 10),
                "confirm.steps must be at least 1 and confirm.problems at least 10, or confirm.seeds 0",
            ),
            (self.seeds <= 100, "confirm.seeds must be at most 100"),
        ]
    }
}

impl EnsembleConfig {
    fn rules(&self) -> [Rule<'static>; 4] {
        let mut sizes = self.sizes.iter();
        let greedy = self.greedy.as_ref();
        let of_greedy = |holds: fn(&GreedyConfig) -> bool| greedy.is_none_or(holds);
        [
            (
                sizes.all(|size| (2..=1000).contains(size)),
                "ensemble.sizes must be between 2 and 1000 each: a mix of one is the candidate itself",
            ),
            (
                of_greedy(|greedy| (1..=1000).contains(&greedy.trials)),
                "ensemble.greedy.trials must be between 1 and 1000: it is how many trainings the search for a mix may take",
            ),
            (
                of_greedy(|greedy| {
                    (2..=100).contains(&greedy.shortlist) && (2..=100).contains(&greedy.size)
                }),
                "ensemble.greedy.shortlist and size must be between 2 and 100",
            ),
            (
                of_greedy(|greedy| (0.0..1.0).contains(&greedy.min_gain)),
                "ensemble.greedy.min_gain must be 0 or more and below 1: it is a difference in F1",
            ),
        ]
    }
}

impl TaskConfig {
    fn prompt_problem(&self) -> Option<String> {
        match self {
            // A template of columns can be read when these are known.
            Self::Toy(_) | Self::Jsonl(_) => None,
            Self::Gsm8k(config) => {
                let why = TaskPrompt::new(&config.prompt).err()?;
                Some(format!("task.prompt: {why}"))
            }
        }
    }

    fn rules(&self, screened: usize) -> Vec<Rule<'static>> {
        match self {
            Self::Toy(_) => Vec::new(),
            Self::Gsm8k(config) => vec![(
                config.dev_size >= screened,
                "task.dev_size must be at least screen.problems",
            )],
            Self::Jsonl(config) => vec![
                (
                    config.dev_size.is_none_or(|size| size >= screened),
                    "task.dev_size must be at least screen.problems",
                ),
                (
                    config.test_size != Some(0),
                    "task.test_size must be at least 1: confirm.seeds = 0 leaves confirmation out",
                ),
                (
                    config.split.is_none()
                        || config.dev_file.is_none() && config.test_file.is_none(),
                    "task.split names a column that says which split a row belongs to: leave task.dev_file and task.test_file out",
                ),
                (
                    config.dev_file.is_none() || config.dev_size.is_none(),
                    "task.dev_size has no effect beside task.dev_file: leave one of them out",
                ),
                (
                    config.test_file.is_none() || config.test_size.is_none(),
                    "task.test_size has no effect beside task.test_file: leave one of them out",
                ),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_trl_cannot_honour_is_refused_by_name() {
        let problems = |rest: &str| {
            let text = format!(
                "search = {{name = 'x'}}\ntask = {{kind = 'toy'}}\ntrainer = {{kind = 'trl'}}\n{rest}"
            );
            toml::from_str::<Config>(&text).unwrap().problems()
        };
        assert_eq!(problems(""), Vec::<String>::new());
        let raft = problems("grpo = {filter = 'raft'}").join("; ");
        assert!(raft.starts_with("grpo.filter: TRL"), "{raft}");
        let judge = "verifier = {kind = 'tinyv', base_url = 'http://h/v1', model = 'm'";
        assert_eq!(problems(&format!("{judge}}}")), Vec::<String>::new());
        let key = problems(&format!("{judge}, api_key_env = 'JUDGE'}}")).join("; ");
        assert!(key.starts_with("verifier.api_key_env = \"JUDGE\""), "{key}");
    }

    #[test]
    fn a_limit_of_dollars_needs_both_prices() {
        let problems = |prices: &str| {
            let text = format!(
                "search = {{name = 'x', max_cost_usd = 5.0}}\ntask = {{kind = 'toy'}}\n\
                 proposer = {{kind = 'chat', base_url = 'http://h/v1', model = 'm'{prices}}}"
            );
            toml::from_str::<Config>(&text).unwrap().problems()
        };
        let prompt = ", price_per_million_prompt_tokens = 1.0";
        for lacking in ["", prompt] {
            let told = problems(lacking).join("; ");
            assert!(
                told.contains("needs proposer.price_per_million_prompt_tokens"),
                "{told}"
            );
        }
        let both = format!("{prompt}, price_per_million_completion_tokens = 0.0");
        assert_eq!(problems(&both), Vec::<String>::new());
    }
}

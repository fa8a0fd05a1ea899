//! What a user asks for: one TOML file, every key with a default but `[search] name` and `[task]`.
//!
//! Each crate owns its own part (`[trainer]`, `[grpo]`, `[limits]`); this module puts them together, refuses what cannot work before
//! anything is run, and says where.

mod complaint;
mod ensemble;
mod gate;
mod ladder;
mod load;
mod log;
mod paths;
mod race;
mod validate;

use evaluator::{Split, toy::World};
use sandbox::Limits;
use serde::{Deserialize, Serialize};
use trainer_bridge::{GrpoConfig, SamplingConfig, TrainerConfig};

pub use ensemble::{EnsembleConfig, GreedyConfig, MixKind, MixSet, Weights};
pub use gate::GateConfig;
pub use ladder::{Ladder, Promotion, Rung};
pub use load::{ConfigError, load_verifier};
pub use log::LogConfig;
pub use race::RaceConfig;

pub use crate::data::config::TaskConfig;
use crate::{
    data::task::{Task, TaskError},
    domain::protocol::Protocol,
    judge::{JudgeConfig, VerifierConfig, endpoint::key_name},
    proposer::ProposerConfig,
};

/// A whole search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The loop.
    pub search: SearchConfig,
    /// What the policy is trained and judged on.
    pub task: TaskConfig,
    /// Who suggests rewards.
    #[serde(default)]
    pub proposer: ProposerConfig,
    /// Who decides whether an answer is right.
    #[serde(default, skip_serializing_if = "VerifierConfig::is_usual")]
    pub verifier: VerifierConfig,
    /// Who trains.
    #[serde(default)]
    pub trainer: TrainerConfig,
    /// Settings of GRPO, under TRL's names.
    #[serde(default)]
    pub grpo: GrpoConfig,
    /// How evaluation completions are drawn.
    #[serde(default)]
    pub evaluation: SamplingConfig,
    /// The short run that ranks a candidate.
    #[serde(default)]
    pub screen: ScreenConfig,
    /// Mixes of the best candidates.
    #[serde(default)]
    pub ensemble: EnsembleConfig,
    /// The longer runs of the finalists.
    #[serde(default)]
    pub confirm: ConfirmConfig,
    /// What a reward function may use up.
    #[serde(default)]
    pub limits: Limits,
    /// What else is written beside the database.
    #[serde(default, skip_serializing_if = "LogConfig::is_usual")]
    pub log: LogConfig,
}

/// `[search]`: the loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchConfig {
    /// Names the search, and its database if no other is given.
    pub name: String,
    /// Every random draw descends from it.
    #[serde(default = "one")]
    pub seed: u64,
    /// Propose-screen-rank cycles.
    #[serde(default = "default_rounds")]
    pub rounds: u32,
    /// Drafts asked for in a round.
    #[serde(default = "default_candidates")]
    pub candidates_per_round: usize,
    /// Trials that run side by side; 0 means one for each processor core.
    #[serde(default)]
    pub max_concurrent_trials: usize,
    /// Trials that are cut off go on from a checkpoint; one is kept after every so many optimiser steps. Absent means 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_every: Option<u32>,
    /// Stop after this many rounds in a row without a better candidate; 0 never does.
    #[serde(default)]
    pub stall_rounds: u32,
    /// Stop asking a language model once this many dollars are spent; needs both prices of `[proposer]`. What a server does not count is
    /// estimated from the length of the texts. Looked at before every request; absent means no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
    /// The same for tokens, of prompts and replies together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens_total: Option<u64>,
    /// Select and report as the reference paper does, to reproduce its figures with their bias: see docs/audit.md.
    #[serde(default, skip_serializing_if = "Protocol::is_usual")]
    pub protocol: Protocol,
    /// Rows to compare with beside the untouched model and the base rewards alone. They are on every rung, whatever they come to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<Control>,
    /// So many rewards drawn by the built-in grammar, without any feedback, are trained beside the search; the best of them is a row.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub random_candidates: usize,
    /// Tell the proposer what earlier rounds came to; false makes this the no-feedback arm of an experiment.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub feedback: bool,
    /// Add the three base rewards to what every candidate is trained on, as the reference paper does, instead of training on the
    /// candidate alone.
    #[serde(default)]
    pub with_base_rewards: bool,
    /// Files whose rewards enter the first round before what is proposed: `mine.rs`, `rewards.py`, `rewards.py::name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seed_rewards: Vec<String>,
}

/// `[screen]`: the short run that ranks a candidate on Dev.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScreenConfig {
    /// Optimiser steps.
    pub steps: u32,
    /// Dev questions.
    pub problems: usize,
    /// Budgets from the least, in place of `steps` and `problems`: `[{ steps = 10, problems = 200, keep = 4 }, { steps = 25, problems = 500 }]`.
    /// The best `keep` of a rung go on to the next, from the training they have had; all of a round where fewer than eight questions tell them apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rungs: Vec<Rung>,
    /// `"round"`: candidates go on once all of their round has ended on a rung. `"async"`: as soon as one is among the best so far, for
    /// clusters where trials take unlike times.
    #[serde(skip_serializing_if = "Promotion::is_usual")]
    pub promotion: Promotion,
    /// Break the judging of losers off, where a model judges. Absent: every question of every candidate is judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub race: Option<RaceConfig>,
    /// Which candidates are refused before any training.
    #[serde(skip_serializing_if = "GateConfig::is_usual")]
    pub gate: GateConfig,
}

impl ScreenConfig {
    /// The budgets of the screening: where no rungs are named, one for every candidate.
    #[must_use]
    pub fn ladder(&self) -> Ladder {
        match &self.rungs[..] {
            [] => Ladder::flat(self.steps, self.problems),
            rungs => Ladder {
                rungs: rungs.to_vec(),
                promotion: self.promotion,
            },
        }
    }
}

impl Default for ScreenConfig {
    fn default() -> Self {
        Self {
            steps: 25,
            problems: 500,
            rungs: Vec::new(),
            promotion: Promotion::default(),
            race: None,
            gate: GateConfig::default(),
        }
    }
}

/// `[confirm]`: longer runs of the finalists, judged on Test with several seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfirmConfig {
    /// Optimiser steps.
    pub steps: u32,
    /// Test questions.
    pub problems: usize,
    /// Seeds a finalist is trained with; 0 leaves confirmation out.
    pub seeds: u32,
    /// Single candidates that are confirmed beside the ensembles and the base rewards.
    pub candidates: usize,
}

impl Default for ConfirmConfig {
    fn default() -> Self {
        Self {
            steps: 60,
            problems: 500,
            seeds: 3,
            candidates: 2,
        }
    }
}

/// A reward to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// The form of an answer, right or wrong.
    FormatOnly,
    /// A number that has nothing to do with the completion.
    RandomReward,
}

fn yes() -> bool {
    true
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

fn one() -> u64 {
    1
}

fn default_rounds() -> u32 {
    5
}

fn default_candidates() -> usize {
    10
}

impl SearchConfig {
    /// Optimiser steps between two checkpoints of a trial.
    #[must_use]
    pub fn save_every(&self) -> u32 {
        self.save_every.unwrap_or(10)
    }

    /// How many trials run side by side.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        match self.max_concurrent_trials {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        }
    }
}

impl Config {
    /// Where answers are looked for, and who judges them.
    #[must_use]
    pub fn judge(&self) -> JudgeConfig {
        JudgeConfig {
            extraction: self.task.extraction(),
            verifier: self.verifier.clone(),
            metric: self.task.metric().cloned(),
        }
    }

    /// What a person should know before anything is run.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.verifier.warnings();
        warnings.extend(self.foreign_base());
        warnings
    }

    /// A base that answers in another world's manner than the task is there to mend.
    fn foreign_base(&self) -> Option<String> {
        let world = self.task.world()?;
        let model = self.trainer.model()?;
        let other = World::of_model(model).filter(|other| *other != world)?;
        Some(format!(
            "`model` in [trainer] is \"{model}\", which answers in the manner of the world `{other}`, and `world` in [task] is `{world}`: \
             leave `model` out to train that world's own base, \"{}\"",
            world.spec().model
        ))
    }

    /// Holds that a data set of one's own has the questions that this asks for.
    ///
    /// # Errors
    /// Which setting asks for more than there are.
    pub fn insist_on_problems(&self, task: &Task) -> Result<(), TaskError> {
        if !matches!(self.task, TaskConfig::Jsonl(_)) {
            return Ok(());
        }
        task.insist(
            Split::Dev,
            self.screen.ladder().problems(),
            "screen.problems",
        )?;
        if self.confirm.seeds == 0 {
            return Ok(());
        }
        task.insist(Split::Test, self.confirm.problems, "confirm.problems")
    }

    /// Whether what teaches the same as a known candidate is left out.
    #[must_use]
    pub fn replaces_twins(&self) -> bool {
        let by_the_grammar = matches!(self.proposer, ProposerConfig::Grammar(_));
        self.screen.gate.replace_twins.unwrap_or(!by_the_grammar)
    }

    /// The configuration as it is stored with the search and compared when that is continued: a verifier's prompt and the data by what they
    /// say, and nothing that may be a key.
    #[must_use]
    pub fn resolved(&self) -> serde_json::Value {
        let mut resolved = self.clone();
        resolved.verifier = self.verifier.with_prompt_by_content();
        resolved.task = self.with_data_by_content();
        if let Some((_, model)) = resolved.verifier.model_mut() {
            model.api_key_env = model.api_key_env.as_deref().map(key_name);
        }
        if let ProposerConfig::Chat(chat) = &mut resolved.proposer {
            chat.api_key_env = chat.api_key_env.as_deref().map(key_name);
            for model in &mut chat.models {
                model.api_key_env = model.api_key_env.as_deref().map(key_name);
            }
        }
        serde_json::to_value(resolved).expect("a configuration is plain data")
    }
}

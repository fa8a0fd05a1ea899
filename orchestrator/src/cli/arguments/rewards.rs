//! Arguments of the commands that use a reward: to score, to train, to be looked into.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use evaluator::toy::World;
use trainer_bridge::Aggregation;

use super::{DatabaseArg, Format, JudgeArgs, ShowFormat};

/// What each of several rewards counts.
#[derive(Debug, Args)]
pub struct WeightsArg {
    /// One weight for each reward, separated by commas; if absent 1, or what an exported folder's manifest says.
    #[arg(
        long,
        value_name = "W,…",
        value_delimiter = ',',
        allow_negative_numbers = true
    )]
    pub weights: Vec<f64>,
}

/// Arguments of `score`.
#[derive(Debug, Args)]
pub struct ScoreArgs {
    /// Files (`mine.rs`, `rewards.py`, `rewards.py::name`, `rewards.py::make(weight=2)`, `notebook.ipynb`, `x.wasm`), exported folders, or
    /// names of candidates in the database. The score of several is their weighted sum.
    #[arg(required_unless_present = "job", value_name = "REWARD")]
    pub rewards: Vec<String>,
    /// Score as a training job in this file does: its rewards, weights, limits and judge.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["rewards", "weights", "verifier"]
    )]
    pub job: Option<PathBuf>,
    /// JSON lines `{"prompt": "…", "completion": "…", "answer": "…"}`; `-` reads standard input.
    #[arg(long, value_name = "FILE", required_unless_present = "stdio")]
    pub samples: Option<PathBuf>,
    /// Answer requests on standard input until it ends (see docs/stdio.md).
    #[arg(long, conflicts_with = "samples")]
    pub stdio: bool,
    /// Say on standard error how each Python reward was understood: its signature, what of its file is not run, what is not as elsewhere.
    #[arg(long)]
    pub explain: bool,
    /// What each reward counts.
    #[command(flatten)]
    pub weights: WeightsArg,
    /// Who judges the samples.
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
}

/// Arguments of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// The configuration: its task, verifier, trainer, grpo, evaluation, screen, limits and `with_base_rewards` count, as in a search.
    pub config: PathBuf,
    /// What to reward: a file (`mine.rs`, `rewards.py`, `rewards.py::name`, `x.wasm`), an exported folder, `base/exact_format`,
    /// `base/approximate_format` or `base/answer_check`, or the name of a candidate in the database. Several make a mix.
    #[arg(long = "reward", value_name = "R", required = true)]
    pub rewards: Vec<String>,
    /// What each reward counts.
    #[command(flatten)]
    pub weights: WeightsArg,
    /// How the rewards become one advantage. If absent: `sum_then_normalize` for one reward, the manifest's for an exported folder,
    /// else `ensemble.aggregation`.
    #[arg(long, value_enum)]
    pub aggregation: Option<AggregationArg>,
    /// Optimiser steps; overrides `screen.steps`.
    #[arg(long, value_name = "N")]
    pub steps: Option<u32>,
    /// Dev questions to judge on; overrides `screen.problems`.
    #[arg(long, value_name = "N")]
    pub problems: Option<usize>,
    /// Every random draw descends from it; overrides `search.seed`.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The folder to keep the run in, or to continue it from.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Steps between two checkpoints in that folder.
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..))]
    pub save_every: u32,
    /// The database that candidates are named in.
    #[command(flatten)]
    pub database: DatabaseArg,
    /// How to print the result.
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

/// How several rewards become one advantage, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum AggregationArg {
    /// Weighted sum, then group normalisation (GRPO).
    SumThenNormalize,
    /// Group normalisation of each reward, weighted sum, then batch normalisation (GDPO).
    NormalizeThenSum,
}

impl From<AggregationArg> for Aggregation {
    fn from(typed: AggregationArg) -> Self {
        match typed {
            AggregationArg::SumThenNormalize => Self::SumThenNormalize,
            AggregationArg::NormalizeThenSum => Self::NormalizeThenSum,
        }
    }
}

/// How `probe` prints: its figures make no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProbeFormat {
    /// For people.
    Table,
    /// For programs; the keys are stable.
    Json,
    /// Findings for code scanning (SARIF 2.1.0).
    Sarif,
    /// Findings for a page or a pull request.
    Markdown,
}

/// Arguments of `audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Names of candidates or mixes in the database, or rewards that were not trained: files (`mine.rs`, `rewards.py`, `rewards.py::name`,
    /// `x.wasm`) and exported folders.
    #[arg(required = true, value_name = "REWARD|CANDIDATE")]
    pub rewards: Vec<String>,
    /// Recorded completions in groups, as `probe` takes them, for rewards that were not trained.
    #[arg(long, value_name = "FILE")]
    pub pool: Option<PathBuf>,
    /// The world of the built-in word problems whose completions are made up where there is no `--pool` (docs/worlds.md).
    #[arg(long, value_name = "NAME", default_value_t, conflicts_with = "pool")]
    pub world: World,
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub format: ShowFormat,
}

/// Arguments of `probe`.
#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// Files (`mine.rs`, `rewards.py`, `rewards.py::name`, `x.wasm`), exported folders, or names of candidates in the database.
    #[arg(required = true, value_name = "REWARD")]
    pub rewards: Vec<String>,
    /// Recorded completions: groups as JSON lines `{"prompt": "…", "answer": "…", "completions": ["…", …]}`, GSM8K's
    /// example_model_solutions.jsonl as it is, or one completion a row as trainers write them (TRL's completions as JSON lines or CSV,
    /// verl's rollout dumps, traces of verifiers); by default completions made up for the built-in word problems.
    #[arg(long, value_name = "FILE")]
    pub pool: Option<PathBuf>,
    /// The world in whose manner completions are made up where there is no `--pool` (docs/worlds.md).
    #[arg(long, value_name = "NAME", default_value_t, conflicts_with = "pool")]
    pub world: World,
    /// Further hacks to try, JSON lines `{"question": "…", "reference": "…", "response": "…", "pattern": "…"}`.
    #[arg(long, value_name = "FILE")]
    pub hacks: Option<PathBuf>,
    /// Take the rewards for one sum, and say which of them carries its variance.
    #[command(flatten)]
    pub weights: WeightsArg,
    /// End with exit code 4 where something of this severity or worse is found (error, warning, note), or where this rule finds
    /// something (docs/probe.md has the rules); several are separated by commas.
    #[arg(long, value_name = "SEVERITY|RULE,…", value_delimiter = ',')]
    pub fail_on: Vec<String>,
    /// Findings that are known: they are shown as such and fail nothing.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write all findings to a file for --baseline.
    #[arg(long, value_name = "FILE")]
    pub write_baseline: Option<PathBuf>,
    /// Change the source of each reward in one place after the other, and say which changes no completion of the pool shows: of these places the
    /// other figures say nothing. A reward in Rust is compiled for each.
    #[arg(long)]
    pub mutants: bool,
    /// Show every figure, and every shortcut that was tried.
    #[arg(long)]
    pub full: bool,
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub format: ProbeFormat,
}

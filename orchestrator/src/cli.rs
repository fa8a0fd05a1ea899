//! The command line: what can be typed, and what `--help` says of it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Find the reward function to train with.
///
/// reward-search proposes reward functions for GRPO, locks each in a WebAssembly sandbox, screens it with a short training run of a
/// fixed base model, ranks them by F1 with confidence intervals and paired tests, and feeds the ranking into the next round.
#[derive(Debug, Parser)]
#[command(name = "reward-search", version, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a search, or continue the one in the database.
    ///
    /// Prints the plan first. Ctrl-C stops at once and loses at most the trials under way; the same command continues.
    Run(RunArgs),
    /// Show the ranking of a search, also while it runs in another terminal.
    Leaderboard(LeaderboardArgs),
    /// Show all there is to know about one candidate: source, rationale, parents, figures, learning curve, or why it was refused.
    Show(ShowArgs),
    /// Compare two candidates (or `untouched`, `base-rewards-only`, `top-3`) question by question.
    Compare(CompareArgs),
    /// Judge completions made elsewhere: accuracy and F1 with intervals, and all pairwise tests.
    Evaluate(EvaluateArgs),
    /// Write the best rewards to a folder: the WebAssembly that was screened, the sources, and a manifest with weights and figures.
    Export(ExportArgs),
    /// Score completions with reward functions, in the sandbox: from a file, or as a service for a trainer in another process.
    Score(ScoreArgs),
    /// Say what a reward is worth before any training: cost, how well it tells right answers, what hacks it pays for.
    Probe(ProbeArgs),
    /// Train the tiny built-in base model again from its seed.
    Pretrain(PretrainArgs),
}

/// Where the search is stored.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArg {
    /// The search's database; by default the only `.db` file in this folder.
    #[arg(long, short, value_name = "FILE", env = "REWARD_SEARCH_DATABASE")]
    pub database: Option<PathBuf>,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs; the keys are stable and documented in the README.
    Json,
    /// For spreadsheets.
    Csv,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The configuration, for instance configs/quickstart.toml.
    pub config: PathBuf,
    /// Where to store the search; by default NAME.db in this folder.
    #[arg(long, short, value_name = "FILE", env = "REWARD_SEARCH_DATABASE")]
    pub database: Option<PathBuf>,
    /// Every random draw descends from it; overrides `search.seed`.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Print the plan with its estimated time, and stop.
    #[arg(long)]
    pub plan: bool,
}

/// Arguments of `leaderboard`.
#[derive(Debug, Args)]
pub struct LeaderboardArgs {
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
    /// Only candidates of this round.
    #[arg(long, value_name = "N")]
    pub round: Option<u32>,
    /// Only the best K.
    #[arg(long, value_name = "K")]
    pub top: Option<usize>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Its name, as in the leaderboard.
    pub candidate: String,
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// A name, as in the leaderboard.
    pub a: String,
    /// Another one.
    pub b: String,
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

/// Arguments of `evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// JSON lines: `{"answer": "18", "completions": {"model-a": "…", "model-b": "…"}}` or `{"answer": "18", "completion": "…"}`; also
    /// GSM8K's example_model_solutions.jsonl as it is.
    #[arg(long, value_name = "FILE")]
    pub predictions: PathBuf,
    /// Seed of the bootstrap.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// How many of the best candidates make up the ensemble.
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub top: usize,
    /// The folder to make; must not exist or be empty.
    pub dir: PathBuf,
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
}

/// Arguments of `score`.
#[derive(Debug, Args)]
pub struct ScoreArgs {
    /// Files (`mine.rs`, `rewards.py`, `rewards.py::name`, `x.wasm`), exported folders, or names of candidates in the database. The
    /// score of several is their weighted sum.
    #[arg(required = true, value_name = "REWARD")]
    pub rewards: Vec<String>,
    /// JSON lines `{"prompt": "…", "completion": "…", "answer": "…"}`; `-` reads standard input.
    #[arg(long, value_name = "FILE", required_unless_present = "stdio")]
    pub samples: Option<PathBuf>,
    /// Answer requests on standard input until it ends (see docs/stdio.md).
    #[arg(long, conflicts_with = "samples")]
    pub stdio: bool,
    /// One weight for each reward; 1 by default, or what an exported manifest says.
    #[arg(
        long,
        value_name = "W",
        value_delimiter = ',',
        allow_negative_numbers = true
    )]
    pub weights: Vec<f64>,
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
}

/// How `probe` prints: its figures make no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProbeFormat {
    /// For people.
    Table,
    /// For programs; the keys are stable.
    Json,
}

/// Arguments of `probe`.
#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// Files (`mine.rs`, `rewards.py`, `rewards.py::name`, `x.wasm`), exported folders, or names of candidates in the database.
    #[arg(required = true, value_name = "REWARD")]
    pub rewards: Vec<String>,
    /// Recorded completions in groups, JSON lines `{"prompt": "…", "answer": "…", "completions": ["…", …]}`, or GSM8K's
    /// example_model_solutions.jsonl as it is; by default completions made up for the built-in word problems.
    #[arg(long, value_name = "FILE")]
    pub pool: Option<PathBuf>,
    /// Further hacks to try, JSON lines `{"question": "…", "reference": "…", "response": "…", "pattern": "…"}`.
    #[arg(long, value_name = "FILE")]
    pub hacks: Option<PathBuf>,
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub format: ProbeFormat,
}

/// Arguments of `pretrain`.
#[derive(Debug, Args)]
pub struct PretrainArgs {
    /// The folder to write config.json, model.safetensors and tokenizer.json to; must not hold a model yet.
    pub dir: PathBuf,
    /// Seed of the weights and of the corpus.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Optimiser steps in all; the shipped model had the default.
    #[arg(long, value_name = "N", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub steps: u32,
}

//! The command line: what can be typed, and what `--help` says of it.

mod judging;
mod reading;
mod rewards;
mod sharing;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use evaluator::toy::World;

pub use judging::{EvaluateArgs, JudgeArgs, ServedArgs, VerifyArgs};
pub use reading::{
    CompareArgs, CompletionsArgs, LeaderboardArgs, ManArgs, PlotArgs, PlotKind, ReportArgs,
    ReportFormat, SearchesArgs, ServeArgs, ShowArgs, ShowFormat,
};
pub use rewards::{
    AggregationArg, AuditArgs, ProbeArgs, ProbeFormat, ScoreArgs, TrainArgs, WeightsArg,
};
pub use sharing::{ExportArgs, ImportArgs, Records, RecordsArgs, TargetArg};

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
    /// Say nothing but the result, and errors.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// How log lines are written to standard error. REWARD_SEARCH_LOG or RUST_LOG says which; warnings by default.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub log_format: LogFormat,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line, with its time.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a search, or continue the one in the database.
    ///
    /// Prints the plan first. Ctrl-C stops at once and loses at most the steps since the last checkpoint of each trial under way; the same command continues.
    Run(RunArgs),
    /// Show the ranking of a search, also while it runs in another terminal.
    Leaderboard(LeaderboardArgs),
    /// Show all there is to know about one candidate: source, rationale, parents, figures, learning curve, or why it was refused.
    Show(ShowArgs),
    /// Compare candidates (or `untouched`, `base-rewards-only`, `top-3`) question by question: any number of them.
    Compare(CompareArgs),
    /// Show searches in a browser, also while they run: read-only, for this machine alone unless a token is set.
    Serve(ServeArgs),
    /// List the searches of a database.
    Searches(SearchesArgs),
    /// Write a search as one page that stands by itself, or as Markdown or JSON.
    Report(ReportArgs),
    /// Draw a chart of a search as SVG.
    Plot(PlotArgs),
    /// Judge completions made elsewhere, or ask a served model for them: figures with intervals, and all pairwise tests.
    Evaluate(Box<EvaluateArgs>),
    /// Decide whether an answer is right, and explain why, step by step.
    Verify(VerifyArgs),
    /// Write the best rewards to a folder: the WebAssembly that was screened, the sources, a manifest with weights and figures, and for TRL,
    /// verl and verifiers a Python package that runs them without this program (see docs/exporting.md).
    Export(ExportArgs),
    /// Check an exported folder, and say how its rewards become seeds of another search.
    Import(ImportArgs),
    /// Print what a database holds as JSON lines: candidates, trials, curves, outcomes or completions.
    Records(RecordsArgs),
    /// Score completions with reward functions, in the sandbox: from a file, or as a service for a trainer in another process.
    Score(ScoreArgs),
    /// Build the interpreter that Python rewards run in, or see whether it is built.
    ///
    /// It is CPython as a WebAssembly component, made on this machine from a pinned package and kept in the user's cache. Without
    /// this command the first Python reward builds it.
    Guest(GuestArgs),
    /// Install what `trainer.kind = "trl"` runs on, or see whether it is installed.
    ///
    /// It is a Python environment with TRL, below the user's cache: about six gigabytes. An interpreter of your own that has TRL can be
    /// named in `trainer.python` instead.
    Worker(WorkerArgs),
    /// Train a policy with one reward or a mix of several, without a search, and judge it on Dev.
    ///
    /// Prints a line a step. With --out the run is kept: metrics, samples, checkpoints, result; the same command continues it.
    Train(TrainArgs),
    /// Say what a reward is worth before any training: cost, how well it tells right answers, what hacks it pays for.
    Probe(ProbeArgs),
    /// Look for signs that a reward was hacked: in its trainings, where a search has trained it, and in what it pays for.
    ///
    /// Flags are signs, not proofs; docs/audit.md says what each means and how often it is wrong.
    Audit(AuditArgs),
    /// Say what this machine has of all that a search needs, and what to type to add the rest.
    ///
    /// With a configuration it looks at what that one needs, too: its data, its model, its devices, and whether the variables that hold
    /// keys are set (their values are not looked at). Exit code 1 if something needed is missing.
    Doctor(DoctorArgs),
    /// Train the tiny built-in base model of a world again from its seed.
    Pretrain(PretrainArgs),
    /// Print what a shell needs to complete this program's arguments, for instance into ~/.local/share/bash-completion/completions/reward-search.
    Completions(CompletionsArgs),
    /// Print the manual page, or write those of all commands to a folder.
    Man(ManArgs),
    /// Fetch data sets.
    #[command(subcommand)]
    Data(DataCommand),
}

/// What can be done about data sets.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Download a data set to where `[task]` finds it; checked by its SHA-256, continued after an interruption.
    Fetch(FetchArgs),
}

/// Arguments of `data fetch`.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// Which.
    pub data_set: DataSet,
    /// Where to; by default a folder in your cache, where `[task] kind = "gsm8k"` without a `path` looks.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Another server with the same files.
    #[arg(long, value_name = "URL")]
    pub from: Option<String>,
}

/// Data sets there is code for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DataSet {
    /// Grade-school maths: 7,473 training and 1,319 test questions.
    Gsm8k,
}

/// Where the search is stored.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArg {
    /// The search's database; by default the only `.db` file in this folder.
    #[arg(long, short, value_name = "FILE", env = "REWARD_SEARCH_DATABASE")]
    pub database: Option<PathBuf>,
    /// Which of its searches, by name or by number (`reward-search searches`); by default the latest.
    #[arg(long = "search", value_name = "NAME|N")]
    pub search: Option<String>,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs; the keys are stable and documented in docs/output.md.
    Json,
    /// For spreadsheets.
    Csv,
    /// For pages.
    Markdown,
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
    /// Take over an earlier search: its rounds are proposed again without asking anybody, and of its finished trials those that this
    /// configuration asks for in just the same way. For a new database.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Print the plan with its model, data, requests, estimated time and cost, and stop. Nobody is asked.
    #[arg(long)]
    pub plan: bool,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// A configuration whose needs are looked at, too.
    pub config: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Arguments of `guest`.
#[derive(Debug, Args)]
pub struct GuestArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: GuestCommand,
}

/// What can be done with the Python guest.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum GuestCommand {
    /// Build it unless it is there: about a minute, with Python 3.9 or newer and its package index. Needed once.
    Build,
    /// Say whether it is built, and where it is kept.
    Status,
}

/// Arguments of `worker`.
#[derive(Debug, Args)]
pub struct WorkerArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: WorkerCommand,
}

/// What can be done with the environment of TRL's worker.
#[derive(Debug, Clone, Subcommand)]
pub enum WorkerCommand {
    /// Install it unless it is there; what an interrupted call has downloaded is not downloaded again.
    Install {
        /// The Python to make it with, 3.11 or newer; absent, the one on the path.
        #[arg(long, value_name = "PYTHON")]
        python: Option<PathBuf>,
        /// Arguments for pip, for instance `-- --index-url URL`.
        #[arg(last = true, value_name = "PIP")]
        pip: Vec<String>,
    },
    /// Say whether it is installed, and where it is kept.
    Status,
}

/// Arguments of `pretrain`.
#[derive(Debug, Args)]
pub struct PretrainArgs {
    /// The folder to write config.json, model.safetensors and tokenizer.json to; must not hold a model yet.
    pub dir: PathBuf,
    /// The world in whose manner it learns to answer: docs/worlds.md.
    #[arg(long, value_name = "NAME", default_value_t)]
    pub world: World,
    /// Seed of the corpus, and of the weights where they are not another base's.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Optimiser steps in all; absent, as many as the shipped model had.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub steps: Option<u32>,
}

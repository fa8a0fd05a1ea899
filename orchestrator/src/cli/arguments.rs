//! The command line: what can be typed, and what `--help` says of it.

mod reading;
mod sharing;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use trainer_bridge::Aggregation;

pub use reading::{
    CompareArgs, CompletionsArgs, LeaderboardArgs, ManArgs, PlotArgs, PlotKind, ReportArgs,
    ReportFormat, SearchesArgs, ServeArgs, ShowArgs, ShowFormat,
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
    /// Say what this machine has of all that a search needs, and what to type to add the rest.
    ///
    /// With a configuration it looks at what that one needs, too: its data, its model, its devices, and whether the variables that hold
    /// keys are set (their values are not looked at). Exit code 1 if something needed is missing.
    Doctor(DoctorArgs),
    /// Train the tiny built-in base model again from its seed.
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
    /// For programs; the keys are stable and documented in the README.
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

/// Who judges answers, where a command judges any.
#[derive(Debug, Clone, Args)]
pub struct JudgeArgs {
    /// A configuration whose `[verifier]` section says who judges; the rules alone if absent.
    #[arg(long, value_name = "CONFIG")]
    pub verifier: Option<PathBuf>,
    /// A database in which a judging model's verdicts are kept, so that nothing is asked twice.
    #[arg(long, value_name = "FILE", requires = "verifier")]
    pub cache: Option<PathBuf>,
}

/// Arguments of `evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// JSON lines: `{"answer": "18", "completions": {"model-a": "…", "model-b": "…"}}` or `{"answer": "18", "completion": "…"}`; also
    /// GSM8K's example_model_solutions.jsonl, and what --endpoint wrote. Several files are compared with each other.
    #[arg(long, value_name = "FILE", num_args = 1.., required_unless_present = "endpoint")]
    pub predictions: Vec<PathBuf>,
    /// The served model to ask.
    #[command(flatten)]
    pub served: ServedArgs,
    /// Who judges.
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// Seed of the bootstrap.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

/// A served model, and what it is asked.
#[derive(Debug, Clone, Args)]
pub struct ServedArgs {
    /// An OpenAI-compatible endpoint up to and with its version, for instance http://localhost:8000/v1.
    #[arg(long, value_name = "URL", requires_all = ["model", "problems"])]
    pub endpoint: Option<String>,
    /// The model's name as the endpoint knows it.
    #[arg(long, value_name = "NAME", requires = "endpoint")]
    pub model: Option<String>,
    /// The questions: JSON lines `{"question": "…", "answer": "…"}`, for instance GSM8K's test.jsonl.
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    pub problems: Option<PathBuf>,
    /// Only the first N questions.
    #[arg(long, value_name = "N", requires = "endpoint")]
    pub limit: Option<usize>,
    /// Where the completions are kept as they come, MODEL.jsonl by default; run again, only what is missing there is asked.
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    pub out: Option<PathBuf>,
    /// What the model is told, with {question} where the question goes.
    #[arg(long, value_name = "TEXT", default_value = "{question}")]
    pub prompt: String,
    /// The system message; none by default.
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    /// NAME of the environment variable that holds the key.
    #[arg(long, value_name = "NAME")]
    pub api_key_env: Option<String>,
    /// Sampling temperature.
    #[arg(long, value_name = "T", default_value_t = 0.0)]
    pub temperature: f64,
    /// Tokens a completion may have at most.
    #[arg(long, value_name = "N", default_value_t = 1024)]
    pub max_tokens: u32,
    /// Requests under way at a time.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
    /// Seconds until a request is given up (and tried again).
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub timeout_s: u64,
    /// Further tries after a failed request.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub max_retries: u32,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The reference answer.
    #[arg(
        long,
        value_name = "TEXT",
        required_unless_present = "pairs",
        allow_hyphen_values = true
    )]
    pub reference: Option<String>,
    /// The answer to be judged, without text around it.
    #[arg(
        long,
        value_name = "TEXT",
        conflicts_with = "completion",
        allow_hyphen_values = true
    )]
    pub answer: Option<String>,
    /// A completion in which the answer is to be found.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub completion: Option<String>,
    /// The question, for a model that judges.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub question: String,
    /// JSON lines `{"reference": "…", "answer": "…"}` (or `response`, `completion`), with `"label": true` or `false` where it is known.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["reference", "answer", "completion"])]
    pub pairs: Option<PathBuf>,
    /// Take `answer` and `reference` in --pairs for texts in which the answer is to be found.
    #[arg(long, requires = "pairs")]
    pub in_text: bool,
    /// Where answers are looked for in a completion: strict, flexible, tags_only, or names of strategies joined by commas.
    #[arg(long, value_name = "NAMES", default_value = "flexible")]
    pub extraction: String,
    /// Who judges.
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
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
    /// One weight for each reward; 1 by default, or what an exported manifest says.
    #[arg(
        long,
        value_name = "W",
        value_delimiter = ',',
        allow_negative_numbers = true
    )]
    pub weights: Vec<f64>,
    /// Who judges the samples.
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
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

/// Arguments of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// The configuration: its task, verifier, trainer, grpo, evaluation, screen, limits and `with_base_rewards` count, as in a search.
    pub config: PathBuf,
    /// What to reward: a file (`mine.rs`, `rewards.py`, `rewards.py::name`, `x.wasm`), an exported folder, `base/exact_format`,
    /// `base/approximate_format` or `base/answer_check`, or the name of a candidate in the database. Several make a mix.
    #[arg(long = "reward", value_name = "R", required = true)]
    pub rewards: Vec<String>,
    /// One weight for each reward, separated by commas; 1 for all if absent.
    #[arg(
        long,
        value_name = "W,…",
        value_delimiter = ',',
        allow_negative_numbers = true
    )]
    pub weights: Vec<f64>,
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

//! Arguments of the commands by which rewards and records leave a search, and come back.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{DatabaseArg, WeightsArg};
use crate::reward::export::Target;

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The folder to make; must not exist or be empty. Before it, rewards to export in place of a search's best: files (`mine.rs`,
    /// `rewards.py`, `rewards.py::name`, `x.wasm`), exported folders, or names of candidates in the database.
    #[arg(required = true, num_args = 1.., value_name = "[REWARD]... DIR")]
    pub paths: Vec<String>,
    /// How many of the best candidates make up the ensemble; 1 by default.
    #[arg(long, value_name = "K", conflicts_with = "ensemble")]
    pub top: Option<usize>,
    /// A mix that the search has made, by its name, for instance top-3.
    #[arg(long, value_name = "NAME")]
    pub ensemble: Option<String>,
    /// Whom it is for; several are separated by commas. All but `wasm` make the folder a Python package that needs nothing but the
    /// package wasmtime, and its name a Python name.
    #[arg(
        long,
        value_enum,
        value_name = "TARGET",
        value_delimiter = ',',
        default_value = "wasm"
    )]
    pub to: Vec<TargetArg>,
    /// What each reward counts.
    #[command(flatten)]
    pub weights: WeightsArg,
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
}

/// Whom an export is for, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TargetArg {
    /// TRL: one reward function a member, their weights and aggregation, and a combined one.
    Trl,
    /// verl: `compute_score`.
    Verl,
    /// verifiers: one async function a member.
    Verifiers,
    /// No trainer: WebAssembly, sources and manifest alone.
    Wasm,
}

impl TargetArg {
    /// The trainer, if it is one.
    #[must_use]
    pub fn target(self) -> Option<Target> {
        match self {
            Self::Trl => Some(Target::Trl),
            Self::Verl => Some(Target::Verl),
            Self::Verifiers => Some(Target::Verifiers),
            Self::Wasm => None,
        }
    }
}

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The exported folder.
    pub dir: PathBuf,
}

/// Arguments of `records`.
#[derive(Debug, Args)]
pub struct RecordsArgs {
    /// Which records.
    #[arg(value_enum)]
    pub what: Records,
    /// Only those of the candidate, mix or reference of this name.
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
}

/// What records there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Records {
    /// Every candidate there ever was, with its source.
    Candidates,
    /// Every training run.
    Trials,
    /// The metrics of every optimiser step.
    Curves,
    /// The outcome of every question.
    Outcomes,
    /// What the trained policies wrote.
    Completions,
}

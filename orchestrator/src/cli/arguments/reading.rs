//! The arguments of commands that read searches and show them.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
};

use clap::{Args, ValueEnum};

use super::{DatabaseArg, Format};

/// Arguments of `leaderboard`.
#[derive(Debug, Args)]
pub struct LeaderboardArgs {
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
    /// Only candidates of this round.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub round: Option<u32>,
    /// Only the best K.
    #[arg(long, value_name = "K", value_parser = at_least_one)]
    pub top: Option<usize>,
    /// All rows: a table has the first 40, and the last 40 rounds. The other formats have all of them always.
    #[arg(long)]
    pub all: bool,
    /// All columns, however wide the terminal is.
    #[arg(long)]
    pub wide: bool,
    /// How to print; csv has every figure of every row, unrounded.
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

fn at_least_one(typed: &str) -> Result<usize, String> {
    match typed.parse() {
        Ok(0) => Err("at least 1".to_owned()),
        Ok(n) => Ok(n),
        Err(_) => Err("a whole number, at least 1".to_owned()),
    }
}

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Its name, as in the leaderboard.
    pub candidate: String,
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
    /// Print the source and nothing else, to be put into a file.
    #[arg(long, conflicts_with = "format")]
    pub source: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub format: ShowFormat,
}

/// How `show` and `audit` print: what they show makes no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShowFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Names, as in the leaderboard.
    #[arg(required = true, num_args = 2.., value_name = "NAME")]
    pub names: Vec<String>,
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The databases to show; by default every `.db` file in this folder.
    #[arg(value_name = "FILE")]
    pub databases: Vec<PathBuf>,
    /// The port to listen at; 0 takes a free one.
    #[arg(long, value_name = "N", default_value_t = 7878)]
    pub port: u16,
    /// The address to listen at. Any but this machine's own (127.0.0.1, ::1) needs a token.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub host: IpAddr,
    /// What everybody must show who looks; asked for once in a browser. What crosses the network is not encrypted: put a proxy with TLS in
    /// front, or use an SSH tunnel.
    #[arg(
        long,
        value_name = "TEXT",
        env = "REWARD_SEARCH_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
    /// A further name that this machine may be asked by, beside localhost and its addresses in numbers.
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
}

/// Arguments of `searches`.
#[derive(Debug, Args)]
pub struct SearchesArgs {
    /// The database to read; by default the only `.db` file in this folder.
    #[arg(long, short, value_name = "FILE", env = "REWARD_SEARCH_DATABASE")]
    pub database: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
    /// The file to write; by default standard output.
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// What to write; by default what the file's name ends with (`.md`, `.json`), else HTML.
    #[arg(long, value_enum)]
    pub format: Option<ReportFormat>,
}

/// What `report` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// One page that stands by itself: charts, ranking, finalists, the best sources, the configuration.
    Html,
    /// The tables for a page.
    Markdown,
    /// As `leaderboard --format json`.
    Json,
}

/// Arguments of `plot`.
#[derive(Debug, Args)]
pub struct PlotArgs {
    /// Which chart.
    #[arg(value_enum)]
    pub what: PlotKind,
    /// Whose training, where that is asked for.
    #[arg(value_name = "NAME")]
    pub candidate: Option<String>,
    /// The database to read.
    #[command(flatten)]
    pub database: DatabaseArg,
    /// The file to write; by default standard output.
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// The charts there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlotKind {
    /// F1 by round.
    Rounds,
    /// The finalists on Test.
    Finalists,
    /// The course of one training: of a candidate, a reference row or a mix.
    Training,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// For which shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The folder to write one page a command to; by default the main page goes to standard output.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

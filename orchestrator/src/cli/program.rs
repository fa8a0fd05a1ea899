//! The program `reward-search`: reads the command line, carries it out, and says what went wrong in one line.
//!
//! It is run here and not in `main.rs`, because all that is asynchronous is compiled where it is awaited: once, in the library.
#![allow(
    clippy::print_stderr,
    reason = "errors go to standard error, here and nowhere else"
)]

use std::{process::ExitCode, time::Duration};

use clap::{
    Parser as _,
    error::{ContextKind, ContextValue},
};
use console::Style;
use tracing_subscriber::EnvFilter;

use super::{
    arguments::{Cli, LogFormat},
    commands,
};

/// How long what runs on other threads may take to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs the program.
pub fn main() -> ExitCode {
    if let Some(answered) = sandbox::make_machine_code_if_asked() {
        return answered;
    }
    let cli = Cli::try_parse().unwrap_or_else(|error| with_the_option(error).exit());
    log(&cli);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(commands::dispatch(cli));
    // Training threads notice between two steps that nobody waits for them; the process need not. A compilation is ended, and given
    // the time to remove its folder.
    sandbox::end_compilations();
    runtime.shutdown_timeout(PATIENCE);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if commands::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let error_word = Style::new().for_stderr().red().bold().apply_to("error:");
            eprintln!("{error_word} {}", one_line(&error));
            ExitCode::from(commands::exit_code(&error))
        }
    }
}

/// A database that was typed where none is taken is told how it is named.
fn with_the_option(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg)
        && typed.ends_with(".db")
    {
        let tip = format!("a database is named with '--database {typed}'");
        let tips = ContextValue::StyledStrs(vec![tip.into()]);
        error.insert(ContextKind::Suggested, tips);
    }
    error
}

/// Sets up what is told of the inside of things: warnings, or what the environment asks for.
fn log(cli: &Cli) {
    let usual = if cli.quiet { "error" } else { "warn" };
    let filter = ["REWARD_SEARCH_LOG", "RUST_LOG"]
        .into_iter()
        .find_map(|variable| EnvFilter::try_from_env(variable).ok());
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|| EnvFilter::new(usual)))
        .with_writer(std::io::stderr);
    match cli.log_format {
        LogFormat::Json => lines.json().init(),
        LogFormat::Text => lines
            .without_time()
            .with_target(false)
            .with_ansi(console::colors_enabled_stderr())
            .init(),
    }
}

/// An error and its causes, each said once, and nothing in it (it may quote foreign text) steers the terminal.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if line.contains(&cause) {
            continue;
        }
        if !line.is_empty() {
            line.push_str(": ");
        }
        line.push_str(&cause);
    }
    line.replace(|c| !sandbox::may_be_shown(c), " ")
}

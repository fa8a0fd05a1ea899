//! The program `reward-search`: reads the command line, carries it out, and says what went wrong in one line.
//!
//! It is run here and not in `main.rs`, because all that is asynchronous is compiled where it is awaited: once, in the library.
#![allow(
    clippy::print_stderr,
    reason = "errors go to standard error, here and nowhere else"
)]

use std::{io::IsTerminal as _, process::ExitCode, time::Duration};

use super::{arguments::Cli, commands};
use clap::Parser as _;
use tracing_subscriber::EnvFilter;

/// How long what runs on other threads may take to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs the program.
pub fn main() -> ExitCode {
    if let Some(answered) = sandbox::make_machine_code_if_asked() {
        return answered;
    }
    let cli = Cli::parse();
    let filter =
        EnvFilter::try_from_env("REWARD_SEARCH_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .without_time()
        .with_target(false)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
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
            eprintln!("error: {}", one_line(&error));
            ExitCode::from(commands::exit_code(&error))
        }
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

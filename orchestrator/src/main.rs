//! The program `reward-search`: reads the command line, carries it out, and says what went wrong in one line.
#![allow(
    clippy::print_stderr,
    reason = "errors go to standard error, here and nowhere else"
)]

use std::process::ExitCode;

use clap::Parser as _;
use orchestrator::{cli::Cli, commands};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter =
        EnvFilter::try_from_env("REWARD_SEARCH_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
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
    // Training threads notice between two steps that nobody waits for them; the process need not.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if commands::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, and nothing in it (it may quote foreign text) steers the terminal.
            let message = format!("{error:#}").replace(char::is_control, " ");
            eprintln!("error: {message}");
            ExitCode::from(commands::exit_code(&error))
        }
    }
}

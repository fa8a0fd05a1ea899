//! The program `reward-search`, all of which is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    orchestrator::cli::program::main()
}

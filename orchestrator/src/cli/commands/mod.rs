//! One file a command. They write their result to standard output, and nothing else does.

pub mod audit;
mod blame;
pub mod compare;
pub mod data;
pub mod doctor;
pub mod evaluate;
pub mod export;
pub mod guest;
pub mod import;
pub mod leaderboard;
pub mod pretrain;
pub mod probe;
pub mod records;
pub mod report;
mod rewards;
pub mod run;
pub mod score;
pub mod searches;
pub mod serve;
pub mod shell;
pub mod show;
pub mod train;
mod understood;
pub mod verify;
pub mod worker;

use self::blame::{Blame, blame};
use crate::cli::arguments::{Cli, Command};

/// Carries out what was typed.
///
/// # Errors
/// Whatever the command cannot do, in one line that says what was wrong, where, and what to do.
pub async fn dispatch(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Run(args) => run::run(args, cli.quiet).await,
        Command::Leaderboard(args) => leaderboard::run(args).await,
        Command::Show(args) => show::run(args).await,
        Command::Compare(args) => compare::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Searches(args) => searches::run(args).await,
        Command::Report(args) => report::run(args).await,
        Command::Plot(args) => report::draw(args).await,
        Command::Evaluate(args) => evaluate::run(*args).await,
        Command::Verify(args) => verify::run(args).await,
        Command::Export(args) => export::run(args).await,
        Command::Import(args) => import::run(&args),
        Command::Records(args) => records::run(args).await,
        Command::Score(args) => score::run(args).await,
        Command::Guest(args) => guest::run(args).await,
        Command::Worker(args) => worker::run(args).await,
        Command::Train(args) => train::run(args).await,
        Command::Audit(args) => audit::run(args).await,
        Command::Probe(args) => probe::run(args).await,
        Command::Doctor(args) => doctor::run(args),
        Command::Pretrain(args) => pretrain::run(&args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
        Command::Data(command) => data::run(command).await,
    }
}

/// Stopped by Ctrl-C, as shells number it.
const INTERRUPTED: u8 = 130;

/// A search ended and has nothing to show.
const NOTHING_FOUND: u8 = 3;

/// A probe found what `--fail-on` names.
const FOUND: u8 = 4;

/// 2 for what the user can mend in the input, 1 for trouble of the world (an endpoint, the host), 3 for a search that ended and found
/// nothing, 4 for a probe that found what it was told to fail on, 130 after Ctrl-C.
#[must_use]
pub fn exit_code(error: &anyhow::Error) -> u8 {
    match blame(error) {
        Blame::World => 1,
        Blame::Input => 2,
        Blame::Fruitless => NOTHING_FOUND,
        Blame::Found => FOUND,
        Blame::Interruption => INTERRUPTED,
    }
}

/// Whether the reader of our output went away, which is no error of ours.
#[must_use]
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}

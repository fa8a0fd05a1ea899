//! One file a command. They write their result to standard output, and nothing else does.

pub mod compare;
pub mod data;
pub mod evaluate;
pub mod export;
pub mod guest;
pub mod leaderboard;
pub mod pretrain;
pub mod probe;
mod rewards;
pub mod run;
pub mod score;
pub mod show;
pub mod train;
pub mod verify;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use sandbox::HostError;
use trainer_bridge::TrainError;

use crate::{
    cli::{Cli, Command, DatabaseArg, JudgeArgs},
    config::load_verifier,
    data::DataError,
    hub::HubError,
    proposer::ProposeError,
    search::SearchError,
    store::{Store, StoreError, WriterLock},
    verifier::{Verifier, VerifierError},
};

/// Carries out what was typed.
///
/// # Errors
/// Whatever the command cannot do, in one line that says what was wrong, where, and what to do.
pub async fn dispatch(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Run(args) => run::run(args).await,
        Command::Leaderboard(args) => leaderboard::run(args).await,
        Command::Show(args) => show::run(args).await,
        Command::Compare(args) => compare::run(args).await,
        Command::Evaluate(args) => evaluate::run(*args).await,
        Command::Verify(args) => verify::run(args).await,
        Command::Export(args) => export::run(args).await,
        Command::Score(args) => score::run(args).await,
        Command::Guest(args) => guest::run(args).await,
        Command::Train(args) => train::run(args).await,
        Command::Probe(args) => probe::run(args).await,
        Command::Pretrain(args) => pretrain::run(&args),
        Command::Data(command) => data::run(command).await,
    }
}

/// The database a reading command means.
fn database(arg: DatabaseArg) -> anyhow::Result<PathBuf> {
    if let Some(path) = arg.database {
        return Ok(path);
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir(".")
        .context("cannot read the current folder")?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "db"))
        .map(|path| path.strip_prefix(".").map(PathBuf::from).unwrap_or(path))
        .collect();
    found.sort();
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => bail!(
            "no .db file in this folder: name one with --database FILE, or start a search with `reward-search run CONFIG`"
        ),
        [first, ..] => bail!(
            "{} .db files in this folder: say which with --database, for instance --database {}",
            found.len(),
            first.display()
        ),
    }
}

async fn open(arg: DatabaseArg) -> anyhow::Result<Store> {
    Ok(Store::read(&database(arg)?).await?)
}

/// The verifier a command judges with, and the lock on the database of its verdicts.
async fn verifier(
    args: &JudgeArgs,
    rule: evaluator::RuleVerifier,
) -> anyhow::Result<(Verifier, Option<WriterLock>)> {
    let Some(path) = &args.verifier else {
        return Ok((Verifier::by_rule(rule), None));
    };
    let config = load_verifier(path)?;
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let verifier = Verifier::new(&config, rule)?;
    let Some(cache) = &args.cache else {
        return Ok((verifier, None));
    };
    let (store, lock) = Store::create_or_open(cache).await?;
    Ok((verifier.remembering(store).await?, Some(lock)))
}

/// Stopped by Ctrl-C, as shells number it.
const INTERRUPTED: u8 = 130;

/// Stopped by Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("stopped; {}", if *can_go_on { "the same command continues where it was" } else { "nothing was kept, because no --out names a folder" })]
struct Interrupted {
    /// What was done is kept.
    can_go_on: bool,
}

/// 2 for what the user can mend in the input, 1 for trouble of the world (an endpoint, the host), 130 after Ctrl-C.
#[must_use]
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<Interrupted>() {
        return INTERRUPTED;
    }
    let of_the_world = error.chain().any(is_trouble_of_storage)
        || error.is::<HostError>()
        || matches!(error.downcast_ref(), Some(HubError::Unreachable { .. }))
        || matches!(
            error.downcast_ref(),
            Some(DataError::Unreachable { .. } | DataError::Write { .. })
        )
        || matches!(error.downcast_ref(), Some(TrainError::Host(_)))
        || matches!(
            error.downcast_ref(),
            Some(
                SearchError::Propose(ProposeError::Unavailable { .. })
                    | SearchError::Train(TrainError::Host(_))
                    | SearchError::Host(_)
                    | SearchError::Verify(VerifierError::Unavailable(_))
            )
        )
        || matches!(error.downcast_ref(), Some(VerifierError::Unavailable(_)));
    if of_the_world { 1 } else { 2 }
}

/// A full or failing disk, or a database that SQLite cannot use for another reason than what is in it.
fn is_trouble_of_storage(cause: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::ErrorKind;
    let io: Option<&std::io::Error> = cause.downcast_ref();
    let full = [
        ErrorKind::StorageFull,
        ErrorKind::QuotaExceeded,
        ErrorKind::FileTooLarge,
        ErrorKind::ReadOnlyFilesystem,
    ];
    io.is_some_and(|io| full.contains(&io.kind()))
        || matches!(cause.downcast_ref(), Some(StoreError::Sql { .. }))
        || matches!(
            cause.downcast_ref(),
            Some(SearchError::Store(StoreError::Sql { .. }))
        )
}

/// Whether the reader of our output went away, which is no error of ours.
#[must_use]
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}

//! What commands open: the database that is meant, and the judge that was asked for.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use evaluator::ExtractionConfig;

use super::arguments::{DatabaseArg, JudgeArgs};
use crate::{
    config::load_verifier,
    judge::{Judge, JudgeConfig},
    store::{Store, WriterLock},
};

/// The database a reading command means.
pub(super) fn database(arg: DatabaseArg) -> anyhow::Result<PathBuf> {
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

/// Opens it for reading.
pub(super) async fn open(arg: DatabaseArg) -> anyhow::Result<Store> {
    Ok(Store::read(&database(arg)?).await?)
}

/// The judge a command judges with, and the lock on the database of its verdicts.
pub(super) async fn judge(
    args: &JudgeArgs,
    extraction: ExtractionConfig,
) -> anyhow::Result<(Judge, Option<WriterLock>)> {
    let mut config = JudgeConfig::by_rule(extraction);
    if let Some(path) = &args.verifier {
        config.verifier = load_verifier(path)?;
    }
    for warning in config.verifier.warnings() {
        tracing::warn!("{warning}");
    }
    let judge = config.open()?;
    let Some(cache) = &args.cache else {
        return Ok((judge, None));
    };
    let (store, lock) = Store::create_or_open(cache).await?;
    Ok((judge.remembering(store).await?, Some(lock)))
}

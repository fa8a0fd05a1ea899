//! What commands open: the database that is meant, and the judge that was asked for.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use evaluator::ExtractionConfig;

use super::arguments::{DatabaseArg, JudgeArgs};
use crate::{
    config::load_verifier,
    judge::{Judge, JudgeConfig},
    store::{Store, WriterLock},
};

/// The database a reading command means.
pub(super) fn database_of(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    if let Some(path) = named {
        return Ok(path);
    }
    match databases_here()?.as_slice() {
        [only] => Ok(only.clone()),
        [first, .., _] => {
            let found = databases_here()?.len();
            bail!(
                "{found} .db files in this folder: say which with --database, for instance --database {}",
                first.display()
            )
        }
        [] => bail!("{NONE_HERE}"),
    }
}

const NONE_HERE: &str = "no .db file in this folder: name one with --database FILE, or start a search with `reward-search run CONFIG`";

/// The `.db` files in this folder; at least one.
pub(super) fn databases_here() -> anyhow::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(".")
        .context("cannot read the current folder")?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "db"))
        .map(|path| path.strip_prefix(".").map(PathBuf::from).unwrap_or(path))
        .collect();
    found.sort();
    if found.is_empty() {
        bail!("{NONE_HERE}");
    }
    Ok(found)
}

/// Opens a database for reading.
pub(super) async fn open_file(path: &Path) -> anyhow::Result<Store> {
    Ok(Store::read(path).await?)
}

/// Opens the search that is meant for reading.
pub(super) async fn open(arg: DatabaseArg) -> anyhow::Result<Store> {
    let store = open_file(&database_of(arg.database)?).await?;
    match arg.search {
        Some(wanted) => Ok(store.choose(&wanted).await?),
        None => Ok(store),
    }
}

/// The judge a command judges with, and the lock on the database of its verdicts.
pub(super) async fn judge(
    args: &JudgeArgs,
    extraction: ExtractionConfig,
) -> anyhow::Result<(Judge, Option<WriterLock>)> {
    let mut config = JudgeConfig::by_rule(extraction);
    if let Some(path) = &args.verifier {
        (config.verifier, config.metric) = load_verifier(path)?;
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

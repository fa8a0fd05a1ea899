//! From the leaderboard to files: the bytes that were screened, their sources, and a manifest with weights and figures.

mod manifest;

use std::{
    fs,
    path::{Component, Path},
};

use anyhow::{Context as _, bail, ensure};
use sandbox::Language;
use trainer_bridge::Aggregation;

use crate::{
    board::leaderboard::Leaderboard,
    config::Config,
    domain::{
        candidate::{Candidate, Origin},
        figures::Figures,
    },
    store::{SearchRecord, Store},
};

pub use manifest::{Exported, ExportedMember};
use manifest::{MANIFEST_VERSION, Manifest, Member};

/// A file to be written: its name from the folder on, and what it holds.
type File = (String, Vec<u8>);

/// Writes the best `top` distinct candidates to `dir` and returns the file names, guests first.
///
/// # Errors
/// If there are not that many, the folder is in use, or a file cannot be written.
pub async fn ensemble(
    store: &Store,
    board: &Leaderboard,
    top: usize,
    dir: &Path,
) -> anyhow::Result<Vec<String>> {
    let ranked = board.distinct().count();
    if top == 0 || top > ranked {
        bail!(
            "{} has {ranked} distinct ranked candidates; --top must be between 1 and {ranked}",
            store.path().display()
        );
    }
    ensure_unused(dir)?;
    let search = store.search().await?;
    let config: Config = serde_json::from_str(&search.config).with_context(|| {
        format!(
            "the configuration stored in {} cannot be read",
            store.path().display()
        )
    })?;

    let mut files = Vec::new();
    let mut sources = Vec::new();
    let mut members = Vec::new();
    for (candidate, figures) in chosen(store, &search, board, top, &config).await? {
        let wasm = store.wasm(candidate.id).await?;
        let wasm = wasm.context("a ranked candidate has its bytes")?;
        let (guest, source) = files_of(&candidate, wasm, store.path())?;
        members.push(member(candidate, figures, &guest, source.as_ref()));
        files.push(guest);
        sources.extend(source);
    }
    files.append(&mut sources);
    let manifest = manifest(board, top, &config, members);
    files.push((
        manifest::FILE.to_owned(),
        serde_json::to_vec_pretty(&manifest)?,
    ));
    write(dir, &files)?;
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

fn ensure_unused(dir: &Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot read {}", dir.display());
    let is_used = dir.exists()
        && fs::read_dir(dir)
            .with_context(cannot)?
            .next()
            .transpose()
            .with_context(cannot)?
            .is_some();
    ensure!(
        !is_used,
        "{} is not empty; export to a new folder, nothing was overwritten",
        dir.display()
    );
    Ok(())
}

/// The members in order: the base rewards where every candidate was trained beside them, then the best candidates with
/// their figures on Dev.
async fn chosen(
    store: &Store,
    search: &SearchRecord,
    board: &Leaderboard,
    top: usize,
    config: &Config,
) -> anyhow::Result<Vec<(Candidate, Option<Figures>)>> {
    let mut chosen = Vec::new();
    if config.search.with_base_rewards {
        let base = store.candidates(search.id).await?;
        let base = base
            .into_iter()
            .filter(|candidate| candidate.origin == Origin::Base);
        chosen.extend(base.map(|candidate| (candidate, None)));
    }
    for row in board.distinct().take(top) {
        let candidate = store.candidate(search.id, &row.name).await?;
        chosen.push((candidate, row.figures.clone()));
    }
    Ok(chosen)
}

/// The guest's file, and that of its source where this is another. A base reward has a folder in its name and in its
/// files', so that no candidate's file is called the same.
fn files_of(
    candidate: &Candidate,
    guest: Vec<u8>,
    database: &Path,
) -> anyhow::Result<(File, Option<File>)> {
    let name = &candidate.draft.name;
    ensure!(
        !name.is_empty()
            && Path::new(name)
                .components()
                .all(|part| matches!(part, Component::Normal(_))),
        "`{name}` in {} cannot be a file name; nothing was written",
        database.display()
    );
    Ok(match candidate.draft.source.language {
        Language::Rust => {
            let code = candidate.draft.source.code.clone().into_bytes();
            (
                (format!("{name}.wasm"), guest),
                Some((format!("{name}.rs"), code)),
            )
        }
        // A module in Python is its own source.
        Language::Python => ((format!("{name}.py"), guest), None),
    })
}

fn member(
    candidate: Candidate,
    dev: Option<Figures>,
    guest: &File,
    source: Option<&File>,
) -> Member {
    let (wasm, bytes) = guest;
    Member {
        name: candidate.draft.name,
        weight: 1.0,
        wasm: wasm.clone(),
        wasm_sha256: manifest::digest(bytes),
        source: source.map_or(wasm, |(name, _)| name).clone(),
        language: candidate.draft.source.language,
        rationale: candidate.draft.rationale,
        round: candidate.origin.round().unwrap_or_default(),
        dev,
    }
}

fn manifest<'a>(
    board: &'a Leaderboard,
    top: usize,
    config: &Config,
    members: Vec<Member>,
) -> Manifest<'a> {
    let names: Vec<&str> = board
        .distinct()
        .take(top)
        .map(|row| row.name.as_str())
        .collect();
    Manifest {
        manifest_version: MANIFEST_VERSION,
        reward_search_version: env!("CARGO_PKG_VERSION"),
        search: &board.search,
        seed: board.seed,
        aggregation: if top == 1 {
            Aggregation::default()
        } else {
            config.ensemble.aggregation
        },
        with_base_rewards: config.search.with_base_rewards,
        limits: config.limits.clone(),
        extraction: config.task.extraction(),
        confirmed: board
            .confirmed
            .iter()
            .find(|finalist| finalist.members == names),
        members,
    }
}

fn write(dir: &Path, files: &[File]) -> anyhow::Result<()> {
    for (name, bytes) in files {
        let path = dir.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

//! From the leaderboard to files: the bytes that were screened, their sources, and a manifest with weights and figures.

mod manifest;

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use sandbox::Language;
use trainer_bridge::Aggregation;

use crate::{
    board::leaderboard::Leaderboard,
    config::Config,
    domain::{
        candidate::{Candidate, Origin},
        figures::Figures,
    },
    store::{SearchRecord, Store, StoreError},
};

pub use manifest::{Exported, ExportedMember};
use manifest::{MANIFEST_VERSION, Manifest, Member};

/// Why nothing, or not everything, was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There are not that many.
    #[error(
        "{database} has {ranked} distinct ranked candidates; --top must be between 1 and {ranked}"
    )]
    TooMany {
        /// The database.
        database: PathBuf,
        /// How many there are.
        ranked: usize,
    },
    /// The folder holds something.
    #[error("{0} is not empty; export to a new folder, nothing was overwritten")]
    InUse(PathBuf),
    /// The folder cannot be looked into.
    #[error("cannot read {path}")]
    Read {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A name that would lie elsewhere.
    #[error("`{name}` in {database} cannot be a file name; nothing was written")]
    Name {
        /// The candidate's name.
        name: String,
        /// The database.
        database: PathBuf,
    },
    /// The configuration stored with the search is another program's.
    #[error("the configuration stored in {database} cannot be read")]
    Config {
        /// The database.
        database: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A folder cannot be made.
    #[error("cannot make the folder {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The database.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// A file to be written: its name from the folder on, and what it holds.
type File = (String, Vec<u8>);

/// Writes the best `top` distinct candidates to `dir` and returns the file names, guests first.
///
/// # Errors
/// See [`ExportError`].
pub async fn ensemble(
    store: &Store,
    board: &Leaderboard,
    top: usize,
    dir: &Path,
) -> Result<Vec<String>, ExportError> {
    let ranked = board.distinct().count();
    if top == 0 || top > ranked {
        return Err(ExportError::TooMany {
            database: store.path().to_owned(),
            ranked,
        });
    }
    ensure_unused(dir)?;
    let search = store.search().await?;
    let config: Config =
        serde_json::from_str(&search.config).map_err(|source| ExportError::Config {
            database: store.path().to_owned(),
            source,
        })?;

    let mut files = Vec::new();
    let mut sources = Vec::new();
    let mut members = Vec::new();
    for (candidate, figures) in chosen(store, &search, board, top, &config).await? {
        let wasm = store.wasm(candidate.id).await?;
        let wasm = wasm.expect("a ranked candidate is stored with its module");
        let (guest, source) = files_of(&candidate, wasm, store.path())?;
        members.push(member(candidate, figures, &guest, source.as_ref()));
        files.push(guest);
        sources.extend(source);
    }
    files.append(&mut sources);
    let manifest = manifest(board, top, &config, members);
    files.push((
        manifest::FILE.to_owned(),
        serde_json::to_vec_pretty(&manifest).expect("a manifest is plain data"),
    ));
    write(dir, &files)?;
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

fn ensure_unused(dir: &Path) -> Result<(), ExportError> {
    if !dir.exists() {
        return Ok(());
    }
    let first = fs::read_dir(dir).and_then(|mut entries| entries.next().transpose());
    match first {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(ExportError::InUse(dir.to_owned())),
        Err(source) => Err(ExportError::Read {
            path: dir.to_owned(),
            source,
        }),
    }
}

/// The members in order: the base rewards where every candidate was trained beside them, then the best candidates with
/// their figures on Dev.
async fn chosen(
    store: &Store,
    search: &SearchRecord,
    board: &Leaderboard,
    top: usize,
    config: &Config,
) -> Result<Vec<(Candidate, Option<Figures>)>, StoreError> {
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
) -> Result<(File, Option<File>), ExportError> {
    let name = &candidate.draft.name;
    let mut parts = Path::new(name).components();
    if name.is_empty() || !parts.all(|part| matches!(part, Component::Normal(_))) {
        return Err(ExportError::Name {
            name: name.clone(),
            database: database.to_owned(),
        });
    }
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

fn write(dir: &Path, files: &[File]) -> Result<(), ExportError> {
    for (name, bytes) in files {
        let path = dir.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| ExportError::Folder {
                path: folder.to_owned(),
                source,
            })?;
        }
        fs::write(&path, bytes).map_err(|source| ExportError::Write { path, source })?;
    }
    Ok(())
}

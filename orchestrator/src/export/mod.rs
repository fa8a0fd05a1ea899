//! From the leaderboard to files: the bytes that were screened, their sources, and a manifest with weights and figures.

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use evaluator::ExtractionConfig;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use trainer_bridge::Aggregation;

use crate::{
    candidate::hex,
    config::Config,
    leaderboard::{Confirmed, Leaderboard},
    statistics::Figures,
    store::Store,
};

/// The manifest's own version; raised when a key changes its meaning.
const MANIFEST_VERSION: u32 = 1;

/// `manifest.json`.
#[derive(Debug, Serialize)]
struct Manifest<'a> {
    manifest_version: u32,
    reward_search_version: &'static str,
    search: &'a str,
    seed: u64,
    /// How the members become one advantage; names as in TRL's `multi_objective_aggregation`.
    aggregation: Aggregation,
    /// Whether the base rewards are among the members because every candidate was trained beside them.
    with_base_rewards: bool,
    limits: sandbox::Limits,
    /// Where answers were looked for, for the verdict that travels with a sample.
    extraction: ExtractionConfig,
    members: Vec<Member>,
    /// Figures of this very ensemble on Test, if it was among the finalists.
    confirmed: Option<&'a Confirmed>,
}

#[derive(Debug, Serialize)]
struct Member {
    name: String,
    weight: f64,
    /// The file that ran: WebAssembly, or the Python file itself.
    wasm: String,
    wasm_sha256: String,
    source: String,
    language: sandbox::Language,
    rationale: String,
    round: u32,
    /// Figures on Dev, on which it was selected.
    dev: Option<Figures>,
}

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
    if dir.exists()
        && fs::read_dir(dir)
            .with_context(|| format!("cannot read {}", dir.display()))?
            .next()
            .is_some()
    {
        bail!(
            "{} is not empty; export to a new folder, nothing was overwritten",
            dir.display()
        );
    }
    let search = store.search().await?;
    let config: Config = serde_json::from_str(&search.config).with_context(|| {
        format!(
            "the configuration stored in {} cannot be read",
            store.path().display()
        )
    })?;

    let mut chosen: Vec<(String, Option<Figures>)> = Vec::new();
    if config.search.with_base_rewards {
        let base = store
            .candidates(search.id)
            .await?
            .into_iter()
            .filter(|c| c.round == 0);
        chosen.extend(base.map(|c| (c.name, None)));
    }
    let names: Vec<&str> = board
        .distinct()
        .take(top)
        .map(|row| row.name.as_str())
        .collect();
    chosen.extend(
        board
            .distinct()
            .take(top)
            .map(|row| (row.name.clone(), row.figures.clone())),
    );

    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut sources: Vec<(String, Vec<u8>)> = Vec::new();
    let mut members = Vec::new();
    for (name, figures) in chosen {
        let stem = name.replace('/', "_");
        if Path::new(&stem).file_name() != Some(stem.as_ref()) {
            bail!(
                "`{name}` in {} cannot be a file name; nothing was written",
                store.path().display()
            );
        }
        let candidate = store.candidate(search.id, &name).await?;
        let wasm = candidate
            .status
            .wasm()
            .context("a ranked candidate has its bytes")?
            .to_vec();
        // A module in Python is its own source.
        let (wasm_file, source_file) = match candidate.source.language {
            sandbox::Language::Rust => (format!("{stem}.wasm"), format!("{stem}.rs")),
            sandbox::Language::Python => (format!("{stem}.py"), format!("{stem}.py")),
        };
        members.push(Member {
            name: candidate.name,
            weight: 1.0,
            wasm: wasm_file.clone(),
            wasm_sha256: hex(&Sha256::digest(&wasm)),
            source: source_file.clone(),
            language: candidate.source.language,
            rationale: candidate.rationale,
            round: candidate.round,
            dev: figures,
        });
        if source_file != wasm_file {
            sources.push((source_file, candidate.source.code.into_bytes()));
        }
        files.push((wasm_file, wasm));
    }
    files.append(&mut sources);

    let manifest = Manifest {
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
    };
    files.push((
        "manifest.json".to_owned(),
        serde_json::to_vec_pretty(&manifest)?,
    ));

    fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    for (name, bytes) in &files {
        let path = dir.join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

/// An export as it is read back: what is needed to run its rewards as they were run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Exported {
    /// What a call may use up.
    pub limits: sandbox::Limits,
    /// Where answers were looked for.
    pub extraction: ExtractionConfig,
    /// The rewards.
    pub members: Vec<ExportedMember>,
}

/// One reward of an export.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ExportedMember {
    /// Its name.
    pub name: String,
    /// Its weight.
    pub weight: f64,
    /// The file that holds the guest.
    pub wasm: String,
}

impl Exported {
    /// The export whose manifest lies beside `file`; `None` if there is none.
    ///
    /// # Errors
    /// What is wrong with the manifest.
    pub fn beside(file: &Path) -> Result<Option<Self>, String> {
        let path = file.with_file_name("manifest.json");
        if !path.is_file() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("manifest.json cannot be read: {error}"))?;
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| format!("manifest.json is no manifest of an export: {error}"))
    }
}

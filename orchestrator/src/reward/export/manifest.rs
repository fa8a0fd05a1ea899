//! `manifest.json`: what an export holds, as it is written and as it is read back.

use std::{fs, path::Path};

use evaluator::{Conventions, ExtractionConfig};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use trainer_bridge::Aggregation;

use crate::{
    board::confirmed::Confirmed, config::Config, domain::figures::Figures, reward::bounded,
    text::hex,
};

/// The manifest's own version; raised when a key changes its meaning.
pub(super) const MANIFEST_VERSION: u32 = 1;
/// Its file.
pub(super) const FILE: &str = "manifest.json";

/// A manifest to be written.
#[derive(Debug, Serialize)]
pub(super) struct Manifest<'a> {
    pub(super) manifest_version: u32,
    pub(super) reward_search_version: &'static str,
    pub(super) search: Option<&'a str>,
    pub(super) seed: Option<u64>,
    pub(super) model: Option<Model>,
    /// How the members become one advantage; names as in TRL's `multi_objective_aggregation`.
    pub(super) aggregation: Aggregation,
    /// Whether the base rewards are among the members because every candidate was trained beside them.
    pub(super) with_base_rewards: bool,
    pub(super) limits: sandbox::Limits,
    /// Where answers were looked for, for the verdict that travels with a sample.
    pub(super) extraction: ExtractionConfig,
    /// The same, and how notations are read, as the verdict module takes it.
    pub(super) judge: JudgeSettings,
    pub(super) members: Vec<Member>,
    /// Figures of this very ensemble on Test, if it was among the finalists.
    pub(super) confirmed: Option<&'a Confirmed>,
    /// What the Python package needs beside the rewards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) modules: Option<Modules>,
    /// The samples that every reward is tried on when it is loaded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) typical: Vec<sandbox::TypicalSample>,
    pub(super) license: &'static str,
    /// The search's configuration, complete.
    pub(super) config: Option<&'a Config>,
}

impl Manifest<'_> {
    /// Whether the Python package runs some of it as plain Python.
    pub(super) fn is_partly_plain(&self) -> bool {
        self.members.iter().any(|member| !member.sandboxed)
    }
}

/// The judge's settings, as the verdict module takes them.
#[derive(Debug, Serialize)]
pub(super) struct JudgeSettings {
    pub(super) extraction: ExtractionConfig,
    pub(super) conventions: Conventions,
    /// Whether it is all of the search's judge, and no model had a word beside it.
    #[serde(skip)]
    pub(super) is_the_search_s: bool,
}

/// The base model of the search.
#[derive(Debug, Serialize)]
pub(super) struct Model {
    /// Its id on the Hugging Face hub.
    pub(super) hub: Option<String>,
    /// The digest of its weights.
    pub(super) weights: String,
}

/// Modules of the sandbox's own.
#[derive(Debug, Serialize)]
pub(super) struct Modules {
    pub(super) verdict: OwnModule,
    pub(super) regex: OwnModule,
}

/// One of them.
#[derive(Debug, Serialize)]
pub(super) struct OwnModule {
    pub(super) file: &'static str,
    pub(super) sha256: String,
}

/// One reward of it.
#[derive(Debug, Serialize)]
pub(super) struct Member {
    pub(super) name: String,
    /// Its name in Python.
    pub(super) function: String,
    pub(super) weight: f64,
    /// The file that ran: WebAssembly, or the Python file itself.
    pub(super) wasm: String,
    pub(super) wasm_sha256: String,
    pub(super) source: String,
    pub(super) source_sha256: String,
    pub(super) language: sandbox::Language,
    /// Whether the Python package runs it in WebAssembly; else as plain Python.
    pub(super) sandboxed: bool,
    /// Whether it scores the completions of a prompt together; looked at for trainers alone.
    pub(super) of_groups: bool,
    /// Whether it may look at the prompt.
    pub(super) reads_prompt: bool,
    /// How it is called, where it is in Python; looked at for trainers alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) call: Option<Call>,
    pub(super) rationale: String,
    pub(super) round: u32,
    /// Figures on Dev, on which it was selected.
    pub(super) dev: Option<Figures>,
}

/// How a reward in Python was understood, so that whoever runs it as plain Python need not find out again.
#[derive(Debug, Serialize)]
pub(super) struct Call {
    /// The function, or the call that makes it.
    pub(super) function: String,
    /// Whose signature it has, by its name.
    pub(super) signature: String,
    /// Whether completions are lists of messages to it.
    pub(super) conversational: bool,
}

/// An export as it is read back: what is needed to run its rewards as they were run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Exported {
    manifest_version: u32,
    /// How the members become one advantage.
    pub aggregation: Aggregation,
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
    /// The file that holds the guest, from the folder on.
    pub wasm: String,
    wasm_sha256: String,
    source: String,
    /// Absent in exports of older programs.
    #[serde(default)]
    source_sha256: Option<String>,
}

impl Exported {
    /// The export in a folder; `None` if it has no manifest.
    ///
    /// # Errors
    /// What is wrong with the manifest.
    pub fn read(folder: &Path) -> Result<Option<Self>, String> {
        if fs::symlink_metadata(folder.join(FILE)).is_err() {
            return Ok(None);
        }
        let text = bounded::read_inside(folder, FILE, bounded::MANIFEST_BYTES)?;
        let exported: Self = serde_json::from_slice(&text)
            .map_err(|error| format!("{FILE} is no manifest of an export: {error}"))?;
        if exported.manifest_version != MANIFEST_VERSION {
            return Err(format!(
                "{FILE} has version {}, this program reads version {MANIFEST_VERSION}: export again with this program, or use the one that wrote it",
                exported.manifest_version
            ));
        }
        exported
            .limits
            .validate()
            .map_err(|bad| format!("{FILE}: limits: {bad}"))?;
        if exported.members.is_empty() {
            return Err(format!("{FILE} lists no rewards: `members` is empty"));
        }
        if let Some(member) = exported.members.iter().find(|m| !m.weight.is_finite()) {
            return Err(format!(
                "{FILE}: the weight of `{}` is no number",
                member.name
            ));
        }
        Ok(Some(exported))
    }

    /// The export that a file with these contents is part of; `None` if it is part of none.
    ///
    /// # Errors
    /// If the file should be what ran in the search and is not, or the manifest beside it is of another version.
    pub fn around(file: &Path, contents: &[u8]) -> Result<Option<Self>, String> {
        // A base reward lies one folder deeper.
        for folder in file.ancestors().skip(1).take(2) {
            // What is not listed has nothing to do with whatever is called a manifest there.
            let text =
                bounded::read_inside(folder, FILE, bounded::MANIFEST_BYTES).unwrap_or_default();
            if serde_json::from_slice::<Self>(&text).is_err() {
                continue;
            }
            let inside = file.strip_prefix(folder).unwrap_or(file);
            let is_here = |name: &str| Path::new(name) == inside;
            let Some(exported) = Self::read(folder)? else {
                continue;
            };
            let members = || exported.members.iter();
            if let Some(member) = members().find(|member| is_here(&member.wasm)) {
                member.check(contents)?;
                return Ok(Some(exported));
            }
            if members().any(|member| is_here(&member.source)) {
                return Ok(Some(exported));
            }
        }
        Ok(None)
    }
}

impl ExportedMember {
    /// The file of its source, which is the guest itself for Python, or where there is none.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The language of its source.
    pub(super) fn language(&self) -> sandbox::Language {
        if self.source.ends_with(".py") {
            sandbox::Language::Python
        } else {
            sandbox::Language::Rust
        }
    }

    /// Whether this is the source that was exported, as far as the manifest says.
    ///
    /// # Errors
    /// If not.
    pub(super) fn check_source(&self, contents: &[u8]) -> Result<(), String> {
        match &self.source_sha256 {
            Some(expected) if digest(contents) != *expected => Err(format!(
                "`{}` is not what was exported, its SHA-256 is another than in {FILE}: name the file itself to use it as a reward of your own",
                self.source
            )),
            _ => Ok(()),
        }
    }

    /// Whether these are the bytes that were screened.
    ///
    /// # Errors
    /// If not.
    pub fn check(&self, contents: &[u8]) -> Result<(), String> {
        if digest(contents) == self.wasm_sha256 {
            return Ok(());
        }
        Err(format!(
            "`{}` is not what was exported, its SHA-256 is another than in {FILE}: export again, or take the changed file out of this folder to use it as a reward of your own",
            self.wasm
        ))
    }
}

/// SHA-256 in hexadecimal digits.
pub(super) fn digest(contents: &[u8]) -> String {
    hex(&Sha256::digest(contents))
}

//! An export brought back: its sources, checked, as seeds of another search.

use std::path::Path;

use sandbox::{Bench, CompileError, Language, Source};

use super::manifest::{self, Exported, ExportedMember};
use crate::{domain::candidate::BASE_PREFIX, reward::bounded};

/// What became of a member of an export.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Its name.
    pub name: String,
    /// What its author wrote, where the export has it.
    pub source: Option<Source>,
    /// The digest of what was screened.
    pub sha256: String,
    /// The digest of what this program makes of the source.
    pub compiled: Option<String>,
}

impl Imported {
    /// Whether a search would run the very bytes that were screened.
    #[must_use]
    pub fn is_the_same(&self) -> bool {
        self.compiled.as_ref() == Some(&self.sha256)
    }
}

/// The members of an export that can be seeds: all but the base rewards, which every search has. Each is checked against the manifest and
/// compiled again.
///
/// # Errors
/// What is wrong with the folder, or with a source.
pub fn import(folder: &Path, bench: &Bench) -> Result<Vec<Imported>, ImportError> {
    let mut imported = Vec::new();
    for member in members(folder)? {
        let guest = bounded::read_inside(folder, &member.wasm, bounded::REWARD_BYTES)?;
        member.check(&guest)?;
        let source = source(folder, &member)?;
        let compiled = match &source {
            Some(source) => Some(bench.compile(source)?.sha256()),
            None => None,
        };
        imported.push(Imported {
            name: member.name,
            source,
            sha256: manifest::digest(&guest),
            compiled,
        });
    }
    Ok(imported)
}

/// Why an export cannot be brought back.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The folder is not what was exported.
    #[error("{0}")]
    Folder(String),
    /// A source is refused, or the machine cannot compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
}

impl From<String> for ImportError {
    fn from(what: String) -> Self {
        Self::Folder(what)
    }
}

/// The sources in an export, by name.
///
/// # Errors
/// In words, what is wrong with it, or which member has no source there.
pub fn sources(folder: &Path) -> Result<Vec<(String, Source)>, String> {
    let sources = members(folder)?.into_iter().map(|member| {
        let source = source(folder, &member)?;
        let source =
            source.ok_or_else(|| format!("`{}` was exported without a source", member.name))?;
        Ok((member.name, source))
    });
    sources.collect()
}

fn members(folder: &Path) -> Result<Vec<ExportedMember>, String> {
    let exported =
        Exported::read(folder)?.ok_or("a folder without the manifest.json of an export")?;
    let members = exported.members.into_iter();
    let members = members.filter(|member| !member.name.starts_with(BASE_PREFIX));
    Ok(members.collect())
}

/// The source of a member, unless its module alone was exported.
fn source(folder: &Path, member: &ExportedMember) -> Result<Option<Source>, String> {
    if member.source().ends_with(".wasm") {
        return Ok(None);
    }
    let text = bounded::read_inside(folder, member.source(), bounded::REWARD_BYTES)?;
    member.check_source(&text)?;
    let code =
        String::from_utf8(text).map_err(|_| format!("`{}` is not UTF-8", member.source()))?;
    Ok(Some(match member.language() {
        Language::Rust => Source::rust(code),
        Language::Python => Source::python(code),
    }))
}

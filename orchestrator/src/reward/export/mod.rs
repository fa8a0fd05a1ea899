//! From a search, or from rewards at hand, to a folder: the bytes that were screened, their sources, a manifest with weights and figures, and
//! for trainers a Python package that runs them without this program.

mod error;
mod gather;
mod imported;
mod manifest;
mod package;
mod target;

use std::{
    collections::HashSet,
    fs, io,
    path::{Component, Path},
};

use sandbox::{
    Bench, CompileError, Language, Module, REGEX_MODULE, RewardFn, VERDICT_MODULE, typical_samples,
};

pub use error::ExportError;
pub use gather::{Gatherable, Gathered, OfSearch, Which, of_search};
pub use imported::{ImportError, Imported, import, sources};
use manifest::{Call, JudgeSettings, Manifest, Member, Model, Modules, OwnModule};
pub use manifest::{Exported, ExportedMember};
use target::File;
pub use target::Target;

/// Writes rewards to `dir`, with a Python package for the targets if there are any, and returns the file names, guests first.
///
/// # Errors
/// See [`ExportError`].
pub fn write(
    gathered: &Gathered,
    targets: &[Target],
    dir: &Path,
    bench: &Bench,
) -> Result<Vec<String>, ExportError> {
    ensure_unused(dir)?;
    let package = package_name(dir, targets)?;
    let (mut files, mut sources, mut members) = (Vec::new(), Vec::new(), Vec::new());
    let mut taken = HashSet::new();
    for reward in &gathered.members {
        let (guest, source) = files_of(reward)?;
        let mut member = member(reward, &guest, source.as_ref());
        member.function = package::function_name(&reward.name, &mut taken);
        if !targets.is_empty() {
            look_at(&mut member, reward, &loaded(reward, gathered, bench)?);
        }
        refuse_groups(&member, targets)?;
        members.push(member);
        files.push(guest);
        sources.extend(source);
    }
    files.append(&mut sources);
    if !targets.is_empty() {
        files.push(("verdict.wasm".to_owned(), VERDICT_MODULE.to_vec()));
        files.push(("regex.wasm".to_owned(), REGEX_MODULE.to_vec()));
    }
    let manifest = manifest(gathered, targets, members);
    files.extend(package::files(&manifest, &package, targets));
    files.push((
        manifest::FILE.to_owned(),
        serde_json::to_vec_pretty(&manifest).expect("a manifest is plain data"),
    ));
    write_files(dir, &files)?;
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

/// The folder's name, which is that of the package where it is to be one.
fn package_name(dir: &Path, targets: &[Target]) -> Result<String, ExportError> {
    let whole = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let name = whole.file_name().unwrap_or_default().to_string_lossy();
    if targets.is_empty() || package::is_importable(&name) {
        return Ok(name.into_owned());
    }
    let mut example = package::function_name(&name, &mut HashSet::new());
    if !package::is_importable(&example) {
        "exported_rewards".clone_into(&mut example);
    }
    Err(ExportError::Package {
        name: name.into_owned(),
        example,
    })
}

/// The guest's file, and that of its source where this is another. A base reward has a folder in its name and in its
/// files', so that no candidate's file is called the same.
fn files_of(reward: &Gatherable) -> Result<(File, Option<File>), ExportError> {
    let name = &reward.name;
    let mut parts = Path::new(name).components();
    if name.is_empty() || !parts.all(|part| matches!(part, Component::Normal(_))) {
        return Err(ExportError::Name { name: name.clone() });
    }
    let guest = reward.module.bytes().to_vec();
    let file = package::file_stem(name);
    Ok(match reward.module.language() {
        Language::Rust => {
            let source = reward.source.as_ref();
            let source = source.map(|source| (format!("{file}.rs"), source.code.clone().into()));
            ((format!("{file}.wasm"), guest), source)
        }
        // A module in Python is its own source. It is run from its text and never imported, so that its name is no matter.
        Language::Python => ((format!("{file}.py"), guest), None),
    })
}

fn member(reward: &Gatherable, guest: &File, source: Option<&File>) -> Member {
    let (wasm, bytes) = guest;
    let (source, text) = source.unwrap_or(guest);
    let language = reward.module.language();
    let is_known = language == Language::Python || reward.source.is_some();
    // A reward gets at the prompt by a name in its source; without a source it may.
    let reads_prompt = !is_known || String::from_utf8_lossy(text).contains("prompt");
    Member {
        name: reward.name.clone(),
        function: String::new(),
        weight: reward.weight,
        wasm: wasm.clone(),
        wasm_sha256: manifest::digest(bytes),
        source: source.clone(),
        source_sha256: manifest::digest(text),
        language,
        sandboxed: language == Language::Rust,
        of_groups: false,
        reads_prompt,
        call: None,
        rationale: reward.rationale.clone(),
        round: reward.round,
        dev: reward.dev.clone(),
    }
}

/// A reward, loaded as the search did. One in Python is asked of today's guest, which is the one that calls it from now on.
fn loaded(
    reward: &Gatherable,
    gathered: &Gathered,
    bench: &Bench,
) -> Result<RewardFn, ExportError> {
    let module = match reward.module.language() {
        Language::Rust => reward.module.clone(),
        Language::Python => Module::python(&String::from_utf8_lossy(reward.module.bytes())),
    };
    bench
        .load(&module, &gathered.limits)
        .map_err(|error| match error {
            CompileError::Host(error) => error.into(),
            CompileError::Rejected(why) => ExportError::Rejected {
                reward: reward.name.clone(),
                why,
            },
        })
}

/// Notes what is only known of a member when it is loaded: how it is called.
fn look_at(member: &mut Member, reward: &Gatherable, loaded: &RewardFn) {
    /// What prompts are called in signatures that have a name for them.
    const PROMPTS: [&str; 5] = ["prompt", "question", "query", "problem", "instruction"];
    member.of_groups = loaded.is_of_groups();
    if let Some(about) = loaded.about() {
        let text = String::from_utf8_lossy(reward.module.bytes());
        member.reads_prompt = match about.signature.as_str() {
            "trl" => member.reads_prompt,
            // These have no prompt, and OpenRLHF's queries begin with it.
            "verl" | "verl_batch" | "easyr1" => false,
            "openrlhf" => true,
            _ => PROMPTS.iter().any(|name| text.contains(name)),
        };
        member.call = Some(Call {
            function: about.function.clone(),
            signature: about.signature.clone(),
            conversational: about.conversational,
        });
    }
}

fn refuse_groups(member: &Member, targets: &[Target]) -> Result<(), ExportError> {
    match targets.iter().find(|target| **target != Target::Trl) {
        Some(target) if member.of_groups => Err(ExportError::OfGroups {
            reward: member.name.clone(),
            target: target.name(),
        }),
        _ => Ok(()),
    }
}

fn manifest<'a>(gathered: &'a Gathered, targets: &[Target], members: Vec<Member>) -> Manifest<'a> {
    let search = gathered.search.as_ref();
    let own = |file, bytes: &[u8]| OwnModule {
        file,
        sha256: manifest::digest(bytes),
    };
    Manifest {
        manifest_version: manifest::MANIFEST_VERSION,
        reward_search_version: env!("CARGO_PKG_VERSION"),
        search: search.map(|of| of.record.name.as_str()),
        seed: search.map(|of| of.record.seed),
        model: search.map(|of| Model {
            hub: of.config.trainer.hub_model().map(|hub| hub.id),
            weights: of.record.base_model.clone(),
        }),
        aggregation: gathered.aggregation,
        with_base_rewards: search.is_some_and(|of| of.config.search.with_base_rewards),
        limits: gathered.limits.clone(),
        extraction: gathered.extraction.clone(),
        judge: JudgeSettings {
            extraction: gathered.extraction.clone(),
            conventions: gathered.conventions.clone(),
            is_the_search_s: search.is_none_or(|of| of.config.verifier.model().is_none()),
        },
        confirmed: search.and_then(|of| of.confirmed.as_ref()),
        members,
        modules: (!targets.is_empty()).then(|| Modules {
            verdict: own("verdict.wasm", VERDICT_MODULE),
            regex: own("regex.wasm", REGEX_MODULE),
        }),
        typical: if targets.is_empty() {
            Vec::new()
        } else {
            typical_samples()
        },
        license: "Python files, verdict.wasm and regex.wasm: MIT OR Apache-2.0; the rewards: whoever wrote them",
        config: search.map(|of| &of.config),
    }
}

/// Writes them all. A folder that was made for them is taken away again where one cannot be written: half a package is none, and would be in
/// the way of the next try.
fn write_files(dir: &Path, files: &[File]) -> Result<(), ExportError> {
    let was_there = dir.exists();
    let written = files.iter().try_for_each(|file| write_file(dir, file));
    if written.is_err() && !was_there {
        // Why it could not be written is what the user has to hear.
        let _ = fs::remove_dir_all(dir);
    }
    written
}

fn write_file(dir: &Path, (name, bytes): &File) -> Result<(), ExportError> {
    let path = dir.join(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|source| ExportError::Folder {
            path: folder.to_owned(),
            source,
        })?;
    }
    fs::write(&path, bytes).map_err(|source: io::Error| ExportError::Write { path, source })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn half_a_package_is_not_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let (new, old) = (folder.path().join("new"), folder.path().join("old"));
        fs::create_dir(&old).unwrap();
        // A file cannot be a folder, too.
        let files: Vec<File> = ["a", "a/b"]
            .map(|name| (name.to_owned(), Vec::new()))
            .into();
        assert!(write_files(&new, &files).is_err() && !new.exists());
        assert!(write_files(&old, &files).is_err() && old.exists());
        assert!(write_files(&new, &files[..1]).is_ok() && new.join("a").exists());
    }
}

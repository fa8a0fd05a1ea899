//! Rewards in files: `.rs`, `.py` (one function of it, or all), `.wasm`, and the folder of an export. Nothing is compiled here.

mod outline;

use std::path::{Path, PathBuf};

use evaluator::ExtractionConfig;
use sandbox::{Limits, Module, Source};
use trainer_bridge::Aggregation;

use crate::reward::{
    bounded,
    export::{self, Exported},
};

/// A reward as its file holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct FileReward {
    /// The file's stem, or the function's name.
    pub name: String,
    /// What the file holds.
    pub guest: Guest,
    /// Its weight among the others; 1 unless a manifest says otherwise.
    pub weight: f64,
    /// How it was run, if a manifest or a database says so.
    pub ran: Option<Ran>,
}

/// How a reward was run in its search.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// What a call may use up.
    pub limits: Limits,
    /// Where answers were looked for.
    pub extraction: ExtractionConfig,
    /// How it and the others of its export became one advantage, if all of them are meant.
    pub aggregation: Option<Aggregation>,
    /// Whether it is the user's own database that says so, and not a manifest, which may be a stranger's.
    pub is_own: bool,
}

/// A reward before it is loaded.
#[derive(Debug, Clone, PartialEq)]
pub enum Guest {
    /// To be compiled.
    Source(Source),
    /// Compiled already.
    Module(Module),
}

/// Why a file holds no reward.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}")]
pub struct NoReward {
    path: String,
    what: String,
}

/// The rewards that `spec` names: a file, `FILE.py::FUNCTION`, or an exported folder. `None` if it names no file at all.
///
/// # Errors
/// If the file cannot be read, is of no known kind, or has no such function.
pub fn read(spec: &str) -> Result<Option<Vec<FileReward>>, NoReward> {
    let (file, function) = match spec.rsplit_once("::") {
        Some((file, function)) => (file, Some(function)),
        None => (spec, None),
    };
    let path = Path::new(file);
    let extension = path.extension().and_then(|e| e.to_str());
    match (extension, function) {
        (Some("py"), _) => python(path, function).map(Some),
        (_, Some(_)) => Err(no_reward(
            path,
            "`::FUNCTION` names a function of a .py file",
        )),
        (Some("rs"), None) => rust(path).map(|found| Some(vec![found])),
        (Some("wasm"), None) => wasm(path).map(|found| Some(vec![found])),
        _ if path.is_dir() => exported(path).map(Some),
        _ if path.exists() => Err(no_reward(
            path,
            "no reward: expected a .rs, .py or .wasm file, or an exported folder",
        )),
        _ => Ok(None),
    }
}

/// The rewards of `spec` as source, named by their file, or those of an exported folder; for those who keep what a reward's author wrote.
///
/// # Errors
/// As [`read`], and if there is no such file or it holds no source.
pub fn sources(spec: &str) -> Result<Vec<(String, Source)>, NoReward> {
    let missing = || no_reward(Path::new(spec), "no such file");
    if Path::new(spec).is_dir() {
        return export::sources(Path::new(spec)).map_err(|what| no_reward(Path::new(spec), what));
    }
    let found = read(spec)?.ok_or_else(missing)?;
    found
        .into_iter()
        .map(|reward| match reward.guest {
            Guest::Source(source) => Ok((reward.name, source)),
            Guest::Module(_) => Err(no_reward(
                Path::new(spec),
                "holds no source: expected a .rs or .py file",
            )),
        })
        .collect()
}

fn rust(path: &Path) -> Result<FileReward, NoReward> {
    let code = text(path)?;
    Ok(FileReward {
        ran: ran(path, code.as_bytes())?,
        ..of_source(stem(path), Source::rust(code))
    })
}

fn wasm(path: &Path) -> Result<FileReward, NoReward> {
    let contents = bytes(path)?;
    Ok(FileReward {
        name: stem(path),
        ran: ran(path, &contents)?,
        guest: Guest::Module(Module::from_bytes(contents)),
        weight: 1.0,
    })
}

/// How the reward in a file was run, where the file is part of an export.
fn ran(path: &Path, contents: &[u8]) -> Result<Option<Ran>, NoReward> {
    let exported = Exported::around(path, contents).map_err(|what| no_reward(path, what))?;
    Ok(exported.map(|exported| Ran {
        limits: exported.limits,
        extraction: exported.extraction,
        aggregation: None,
        is_own: false,
    }))
}

fn exported(folder: &Path) -> Result<Vec<FileReward>, NoReward> {
    let exported = Exported::read(folder)
        .map_err(|what| no_reward(folder, what))?
        .ok_or_else(|| no_reward(folder, "a folder without the manifest.json of an export"))?;
    let ran = Ran {
        limits: exported.limits,
        extraction: exported.extraction,
        aggregation: Some(exported.aggregation),
        is_own: false,
    };
    exported
        .members
        .into_iter()
        .map(|member| {
            let contents = bounded::read_inside(folder, &member.wasm, bounded::REWARD_BYTES)
                .map_err(|what| no_reward(folder, what))?;
            member
                .check(&contents)
                .map_err(|what| no_reward(folder, what))?;
            Ok(FileReward {
                guest: Guest::Module(Module::from_bytes(contents)),
                name: member.name,
                weight: member.weight,
                ran: Some(ran.clone()),
            })
        })
        .collect()
}

/// One function of a Python file, or all that take completions.
fn python(path: &Path, function: Option<&str>) -> Result<Vec<FileReward>, NoReward> {
    let code = text(path)?;
    let functions = outline::reward_functions(&code);
    let wanted: Vec<&str> = match function {
        // It may be an instance, a partial or a lambda: the guest, which runs the file, has the last word.
        Some(one) if functions.contains(&one) || outline::names(&code, one) => vec![one],
        None if !functions.is_empty() => functions,
        _ => {
            let there = if functions.is_empty() {
                "none at all".to_owned()
            } else {
                functions.join(", ")
            };
            let what = match function {
                Some(one) => format!("no reward function `{one}`; there is {there}"),
                None => "no reward function: expected `def NAME(completions, …)`".to_owned(),
            };
            return Err(no_reward(path, what));
        }
    };
    let ran = ran(path, code.as_bytes())?;
    let reward = |name: &str| FileReward {
        ran: ran.clone(),
        ..of_source(
            name.to_owned(),
            Source::python(code.as_str()).with_function(name),
        )
    };
    Ok(wanted.into_iter().map(reward).collect())
}

fn of_source(name: String, source: Source) -> FileReward {
    FileReward {
        name,
        guest: Guest::Source(source),
        weight: 1.0,
        ran: None,
    }
}

fn text(path: &Path) -> Result<String, NoReward> {
    String::from_utf8(bytes(path)?).map_err(|_| no_reward(path, "cannot be read: it is not UTF-8"))
}

fn bytes(path: &Path) -> Result<Vec<u8>, NoReward> {
    bounded::read(path, bounded::REWARD_BYTES).map_err(|what| no_reward(path, what))
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().map(PathBuf::from).unwrap_or_default();
    stem.display().to_string()
}

fn no_reward(path: &Path, what: impl Into<String>) -> NoReward {
    NoReward {
        path: path.display().to_string(),
        what: what.into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    const TRL: &str = "import re\n\ndef helper(text):\n    def inner(completions): pass\n    return text\n\n\
                       def _private(completions): pass\n\
                       def correctness(prompts, completions, answer, **kwargs) -> list[float]:\n    return []\n\n\
                       def brevity(\n    completions: list[str],\n    **kwargs,\n):\n    return []\n";

    #[test]
    fn a_file_of_trl_rewards_is_taken_as_it_is() {
        assert_eq!(outline::reward_functions(TRL), ["correctness", "brevity"]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rewards.py");
        fs::write(&path, TRL).unwrap();
        let names = |spec: &str| -> Vec<String> {
            let found = read(spec).unwrap().unwrap();
            found.into_iter().map(|reward| reward.name).collect()
        };
        let spec = path.display().to_string();
        assert_eq!(names(&spec), ["correctness", "brevity"]);
        assert_eq!(names(&format!("{spec}::brevity")), ["brevity"]);
        let error = read(&format!("{spec}::length")).unwrap_err().to_string();
        assert!(
            error.contains("rewards.py") && error.contains("correctness, brevity"),
            "{error}"
        );
        assert_eq!(names(&format!("{spec}::helper")), ["helper"]);
        let (_, source) = sources(&format!("{spec}::brevity")).unwrap().remove(0);
        assert!(
            source
                .code
                .ends_with("return []\n# reward-search: function=brevity\n")
        );
    }

    #[test]
    fn what_is_no_reward_is_told_from_what_is_no_file() {
        assert_eq!(read("a-candidate"), Ok(None));
        assert_eq!(read("base/exact_format"), Ok(None));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        for (spec, says) in [
            (path.clone(), "manifest.json"),
            (format!("{path}/none.rs"), "cannot be read"),
            (format!("{path}/none.py"), "cannot be read"),
            (format!("{path}/x.rs::f"), "::FUNCTION"),
        ] {
            let error = read(&spec).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert!(
            sources("nowhere")
                .unwrap_err()
                .to_string()
                .contains("no such file")
        );
    }
}

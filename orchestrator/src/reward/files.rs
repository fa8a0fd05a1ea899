//! Rewards in files: `.rs`, `.py` and `.ipynb` (one function of it, or all), `.wasm`, and the folder of an export. Nothing is compiled here.

mod notebook;

use std::path::{Path, PathBuf};

use evaluator::ExtractionConfig;
use sandbox::{Bench, CompileError, Limits, Module, Source};
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

/// The rewards that `spec` names: a file, `FILE.py::FUNCTION` (or a call that makes one, `FILE.py::make(weight=2)`), a notebook, or an
/// exported folder. `None` if it names no file at all. The bench's Python guest looks for the functions where none is named.
///
/// # Errors
/// If the file cannot be read, is of no known kind, or holds no reward.
pub fn read(spec: &str, bench: &Bench) -> Result<Option<Vec<FileReward>>, NoReward> {
    let (file, function) = match spec.split_once("::") {
        Some((file, function)) => (file, Some(function)),
        None => (spec, None),
    };
    let path = Path::new(file);
    let extension = path.extension().and_then(|e| e.to_str());
    match (extension, function) {
        (Some("py" | "ipynb"), _) => python(path, function, bench).map(Some),
        (_, Some(_)) => Err(no_reward(
            path,
            "`::FUNCTION` names a function of a .py file or a notebook",
        )),
        (Some("rs"), None) => rust(path).map(|found| Some(vec![found])),
        (Some("wasm"), None) => wasm(path).map(|found| Some(vec![found])),
        _ if path.is_dir() => exported(path).map(Some),
        _ if path.exists() => Err(no_reward(
            path,
            "no reward: expected a .rs, .py, .ipynb or .wasm file, or an exported folder",
        )),
        _ => Ok(None),
    }
}

/// Whether `spec` names a file or an exported folder, not what somebody called something else.
///
/// # Errors
/// As [`read`]: a file that is none of a reward's kinds.
pub fn is_named(spec: &str) -> Result<bool, NoReward> {
    let file = spec.split_once("::").map_or(spec, |(file, _)| file);
    match Path::new(file).extension().and_then(|e| e.to_str()) {
        Some("py" | "ipynb") => Ok(true),
        _ => read(spec, &Bench::default()).map(|found| found.is_some()),
    }
}

/// The rewards of `spec` as source, named by their file, or those of an exported folder; for those who keep what a reward's author wrote.
///
/// # Errors
/// As [`read`], and if there is no such file or it holds no source.
pub fn sources(spec: &str, bench: &Bench) -> Result<Vec<(String, Source)>, NoReward> {
    let missing = || no_reward(Path::new(spec), "no such file");
    if Path::new(spec).is_dir() {
        return export::sources(Path::new(spec)).map_err(|what| no_reward(Path::new(spec), what));
    }
    let found = read(spec, bench)?.ok_or_else(missing)?;
    found
        .into_iter()
        .map(|reward| match reward.guest {
            Guest::Source(source) => Ok((reward.name, source)),
            Guest::Module(_) => Err(no_reward(
                Path::new(spec),
                "holds no source: expected a .rs, .py or .ipynb file",
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

/// One function of a Python file or a notebook, or all that look like rewards.
fn python(path: &Path, function: Option<&str>, bench: &Bench) -> Result<Vec<FileReward>, NoReward> {
    let (code, ran) = if path.extension().is_some_and(|e| e == "ipynb") {
        let code = notebook::python(&text(path)?).map_err(|what| no_reward(path, what))?;
        (code, None)
    } else {
        let code = text(path)?;
        let ran = ran(path, code.as_bytes())?;
        (code, ran)
    };
    let source = Source::python(code);
    let wanted = match function {
        // Whether it is there, the guest says, which reads the file.
        Some(one) => vec![one.to_owned()],
        None => bench.functions(&source.code).map_err(|error| match error {
            CompileError::Rejected(rejection) => no_reward(path, rejection.to_string()),
            CompileError::Host(error) => no_reward(path, error.to_string()),
        })?,
    };
    if wanted.is_empty() {
        let what = "no reward function: expected `def NAME(completions, …)`, or the signature of another trainer; name one as FILE::NAME";
        return Err(no_reward(path, what));
    }
    let reward = |function: &String| FileReward {
        ran: ran.clone(),
        ..of_source(name(path, function), source.clone().with_function(function))
    };
    Ok(wanted.iter().map(reward).collect())
}

/// Names of functions that say nothing of what they reward.
const GENERIC: [&str; 7] = [
    "reward",
    "rewards",
    "reward_func",
    "reward_fn",
    "compute_score",
    "compute_rewards",
    "score",
];

/// The name of a reward in a file: its function's, without arguments; the file's, where every file calls it the same.
fn name(path: &Path, function: &str) -> String {
    let bare = function.split('(').next().unwrap_or(function).trim();
    let stem = stem(path);
    if GENERIC.contains(&bare) && !GENERIC.contains(&stem.as_str()) {
        return stem;
    }
    bare.to_owned()
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

    #[test]
    fn a_named_function_is_taken_on_trust_and_names_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("brevity.py");
        fs::write(&path, "def reward(completions):\n    return []\n").unwrap();
        let spec = path.display().to_string();
        let named = |function: &str| {
            let found = read(&format!("{spec}::{function}"), &Bench::default());
            found.unwrap().unwrap().remove(0).name
        };
        assert_eq!(named("reward"), "brevity");
        assert_eq!(named("make_reward(weight='a::b')"), "make_reward");
        assert_eq!(named("length"), "length");
        let (_, source) = sources(&format!("{spec}::f(2)"), &Bench::default())
            .unwrap()
            .remove(0);
        assert!(
            source
                .code
                .ends_with("return []\n# reward-search: function=f(2)\n")
        );
    }

    #[test]
    fn what_is_no_reward_is_told_from_what_is_no_file() {
        assert_eq!(read("a-candidate", &Bench::default()), Ok(None));
        assert_eq!(read("base/exact_format", &Bench::default()), Ok(None));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        for (spec, says) in [
            (path.clone(), "manifest.json"),
            (format!("{path}/none.rs"), "cannot be read"),
            (format!("{path}/none.py"), "cannot be read"),
            (format!("{path}/x.rs::f"), "::FUNCTION"),
        ] {
            let error = read(&spec, &Bench::default()).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert!(
            sources("nowhere", &Bench::default())
                .unwrap_err()
                .to_string()
                .contains("no such file")
        );
    }
}

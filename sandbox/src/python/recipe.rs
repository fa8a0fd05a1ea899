//! How the interpreter is made: a private Python environment with the pinned componentize-py, our application, one command.
//!
//! Nothing of CPython is distributed with this program: the package with it is installed from the user's package index,
//! checked against the hashes in `requirements.txt`, used once and removed.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::Progress;
use crate::digest;
use crate::error::HostError;

/// The guest application and what builds it.
const FILES: [(&str, &str); 28] = [
    ("build.py", include_str!("../../guest-python/build.py")),
    (
        "calling/__init__.py",
        include_str!("../../guest-python/calling/__init__.py"),
    ),
    (
        "calling/batch.py",
        include_str!("../../guest-python/calling/batch.py"),
    ),
    (
        "calling/candidate.py",
        include_str!("../../guest-python/calling/candidate.py"),
    ),
    (
        "calling/found.py",
        include_str!("../../guest-python/calling/found.py"),
    ),
    (
        "calling/modules.py",
        include_str!("../../guest-python/calling/modules.py"),
    ),
    (
        "calling/refused.py",
        include_str!("../../guest-python/calling/refused.py"),
    ),
    (
        "calling/scopes.py",
        include_str!("../../guest-python/calling/scopes.py"),
    ),
    (
        "calling/seeded.py",
        include_str!("../../guest-python/calling/seeded.py"),
    ),
    (
        "calling/shapes.py",
        include_str!("../../guest-python/calling/shapes.py"),
    ),
    (
        "calling/slices.py",
        include_str!("../../guest-python/calling/slices.py"),
    ),
    (
        "calling/standins/__init__.py",
        include_str!("../../guest-python/calling/standins/__init__.py"),
    ),
    (
        "calling/standins/array_functions.py",
        include_str!("../../guest-python/calling/standins/array_functions.py"),
    ),
    (
        "calling/standins/arrays.py",
        include_str!("../../guest-python/calling/standins/arrays.py"),
    ),
    (
        "calling/standins/frameworks.py",
        include_str!("../../guest-python/calling/standins/frameworks.py"),
    ),
    (
        "calling/standins/system.py",
        include_str!("../../guest-python/calling/standins/system.py"),
    ),
    (
        "calling/standins/tensors.py",
        include_str!("../../guest-python/calling/standins/tensors.py"),
    ),
    (
        "calling/standins/verification.py",
        include_str!("../../guest-python/calling/standins/verification.py"),
    ),
    (
        "calling/standins/waiting.py",
        include_str!("../../guest-python/calling/standins/waiting.py"),
    ),
    (
        "calling/steady.py",
        include_str!("../../guest-python/calling/steady.py"),
    ),
    (
        "calling/stub_logging.py",
        include_str!("../../guest-python/calling/stub_logging.py"),
    ),
    ("guest.py", include_str!("../../guest-python/guest.py")),
    (
        "headstart.py",
        include_str!("../../guest-python/headstart.py"),
    ),
    ("mutants.py", include_str!("../../guest-python/mutants.py")),
    ("printed.py", include_str!("../../guest-python/printed.py")),
    (
        "requirements.txt",
        include_str!("../../guest-python/requirements.txt"),
    ),
    ("walls.py", include_str!("../../guest-python/walls.py")),
    (
        "wit/reward.wit",
        include_str!("../../guest-python/wit/reward.wit"),
    ),
];
/// The folder of those modules that find, check and call a reward, wherever Python runs it.
const CALLING: &str = "calling/";
/// Names a Python to build with instead of the one on the path.
const OVERRIDE: &str = "REWARD_SEARCH_PYTHON";
/// Oldest Python that the pinned package installs on.
const OLDEST: (u32, u32) = (3, 9);
/// Variables the children get: where programs and certificates are, and how the package index is reached.
const PASSED_ON: [&str; 18] = [
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "APPDATA",
    "LOCALAPPDATA",
    "USERPROFILE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Names the guest by its contents: the sources and the pinned package.
pub(crate) fn id() -> &'static String {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| digest::name_of(FILES.into_iter().flat_map(|(name, text)| [name, text])))
}

/// The package `calling` of the guest application, which finds a Python reward in its file and calls it: file names from the folder above it
/// on, and what they hold. Whoever runs rewards as plain Python ships it, so that they are called there as in the sandbox.
pub fn calling_package() -> impl Iterator<Item = (&'static str, &'static str)> {
    let files = FILES.into_iter();
    files.filter(|(name, _)| name.starts_with(CALLING))
}

/// Builds the component in a throw-away folder below `folder`.
pub(super) fn build(folder: &Path, progress: &Progress) -> Result<Vec<u8>, HostError> {
    let work = tempfile::Builder::new()
        .prefix(".build-")
        .tempdir_in(folder)
        .map_err(HostError::io(format!(
            "make a folder in {}",
            folder.display()
        )))?;
    // Python is run in a folder of our own, which is empty: it would import what lies in the caller's.
    let empty = work.path().join("empty");
    fs::create_dir(&empty).map_err(HostError::io(format!("make {}", empty.display())))?;
    let python = find_python(&empty)?;
    let (app, environment) = (work.path().join("app"), work.path().join("environment"));
    write_app(&app)?;

    progress(&format!(
        "Python guest: installing componentize-py with {}",
        python.display()
    ));
    step(
        "make a Python environment",
        isolated(&python, &empty)
            .args(["-m", "venv"])
            .arg(&environment),
    )?;
    let python = environment.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "--no-deps",
        "--only-binary=:all:",
        "--no-input",
    ];
    step(
        "install componentize-py (this step needs the package index)",
        isolated(&python, &empty)
            .args(install)
            .arg("-r")
            .arg(app.join("requirements.txt")),
    )?;

    progress("Python guest: building the interpreter, about half a minute");
    let output = work.path().join("guest.wasm");
    let said = step(
        "build the interpreter",
        isolated(&python, &app).arg("build.py").arg(&output),
    )?;
    if !said.contains("seed: fixed") {
        tracing::warn!(
            "the Python guest's hash seed cannot be fixed on this system: rewards that depend on the order of sets may score differently elsewhere"
        );
    }
    fs::read(&output).map_err(HostError::io(format!("read {}", output.display())))
}

fn write_app(app: &Path) -> Result<(), HostError> {
    for (name, text) in FILES {
        let file = app.join(name);
        file.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&file, text))
            .map_err(HostError::io(format!("write {}", file.display())))?;
    }
    Ok(())
}

/// A Python that is new enough and can make environments.
fn find_python(folder: &Path) -> Result<PathBuf, HostError> {
    let named = env::var_os(OVERRIDE)
        .filter(|name| !name.is_empty())
        .map(PathBuf::from)
        .map(|name| absolute_if_path(&name));
    let names = named.map_or_else(
        || vec!["python3".into(), "python".into()],
        |name| vec![name],
    );
    let mut reasons = Vec::new();
    for name in names {
        match ask_version(&name, folder) {
            Ok(version) if version >= OLDEST => return Ok(name),
            Ok((major, minor)) => {
                reasons.push(format!("`{}` is Python {major}.{minor}", name.display()))
            }
            Err(reason) => reasons.push(format!("`{}` {reason}", name.display())),
        }
    }
    Err(HostError::NoPython {
        oldest: format!("{}.{}", OLDEST.0, OLDEST.1),
        reason: reasons.join("; "),
    })
}

/// A program named by a relative path is meant to lie in the caller's folder; one without a folder is looked for on the path.
fn absolute_if_path(program: &Path) -> PathBuf {
    match program.components().count() {
        1 => program.to_owned(),
        _ => std::path::absolute(program).unwrap_or_else(|_| program.to_owned()),
    }
}

fn ask_version(python: &Path, folder: &Path) -> Result<(u32, u32), String> {
    const QUESTION: &str = "import sys, venv, ensurepip; print(*sys.version_info[:2])";
    let output = isolated(python, folder)
        .args(["-c", QUESTION])
        .output()
        .map_err(|error| format!("cannot be run ({error})"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "fails ({})",
            stderr.lines().last().unwrap_or("no message")
        ));
    }
    let answer = String::from_utf8_lossy(&output.stdout);
    let mut numbers = answer.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
        _ => Err("does not tell its version".to_owned()),
    }
}

/// Python in isolated mode: it imports nothing from the folder it is run in, nor from the user's own, and heeds no `PYTHON…`
/// variables. Its environment is cleared but for [`PASSED_ON`] and pip's own settings.
fn isolated(python: &Path, folder: &Path) -> Command {
    let mut command = Command::new(python);
    command
        .args(["-I", "-B"])
        .current_dir(folder)
        .env_clear()
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    for (name, value) in env::vars_os() {
        let is_pips = name.to_str().is_some_and(|name| name.starts_with("PIP_"));
        if is_pips || PASSED_ON.iter().any(|passed| name == *passed) {
            command.env(name, value);
        }
    }
    command
}

/// Runs a step of the build and returns what it wrote to standard output.
fn step(what: &str, command: &mut Command) -> Result<String, HostError> {
    let output = command.output().map_err(HostError::io(what))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = stderr
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    Err(HostError::GuestBuild {
        step: what.to_owned(),
        output: lines[lines.len().saturating_sub(5)..].join(" / "),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_file_of_the_guest_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest-python");
        let mut there = Vec::new();
        for folder in ["", "calling", "calling/standins", "wit"] {
            for entry in fs::read_dir(root.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                // The reference is for authors; it is no part of the guest.
                if path.is_file() && !path.ends_with("REFERENCE.md") {
                    there.push(
                        path.strip_prefix(&root)
                            .unwrap()
                            .to_str()
                            .unwrap()
                            .replace('\\', "/"),
                    );
                }
            }
        }
        there.sort();
        assert_eq!(there, FILES.map(|(name, _)| name));
    }

    #[test]
    fn nothing_of_the_folder_it_is_run_in_is_imported() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        for name in [
            "sys",
            "venv",
            "ensurepip",
            "logging",
            "pip",
            "os",
            "sitecustomize",
        ] {
            let code = format!("open({:?}, 'w')\nraise SystemExit(3)\n", mark.display());
            fs::write(folder.path().join(name).with_extension("py"), code).unwrap();
        }
        // Also where the folder is named by a variable of the caller's; those do not get there.
        let version = ask_version(Path::new("python3"), folder.path());
        assert!(!mark.exists());
        assert!(
            version.is_ok_and(|version| version >= OLDEST) || find_python(folder.path()).is_err()
        );
    }

    #[test]
    fn a_python_that_is_none_is_named() {
        let reason = ask_version(Path::new("/nowhere/python3"), Path::new("/")).unwrap_err();
        assert!(reason.starts_with("cannot be run"), "{reason}");
    }
}

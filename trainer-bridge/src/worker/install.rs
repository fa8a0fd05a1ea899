//! `reward-search worker install`: a Python environment for the worker, below the user's cache, with the versions that were run.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use sha2::{Digest as _, Sha256};

use super::{interpreter::Interpreter, package, process};
use crate::TrainError;

/// Written when everything is there.
const READY: &str = "ready";
/// Written when there is an interpreter with pip.
const MADE: &str = "made";
/// What is tried where no Python is named, the newest one that was run first.
const USUAL: [&str; 4] = ["python3.11", "python3.12", "python3.13", "python3"];

/// What `install` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The interpreter of the environment.
    pub python: PathBuf,
    /// Whether it was there already.
    pub was_there: bool,
}

/// The folder of the environment. Another set of versions has another one.
///
/// # Errors
/// `Setup` if there is no folder for the cache.
pub fn install_folder() -> Result<PathBuf, TrainError> {
    let cache = sandbox::cache_folder().map_err(|error| TrainError::Setup(error.to_string()))?;
    let digest = Sha256::digest(package::REQUIREMENTS);
    let short: String = digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(cache.join(format!("trl-worker-{short}")))
}

/// The interpreter that was installed.
///
/// # Errors
/// `Setup` if none was, or there is no folder for the cache.
pub fn interpreter() -> Result<PathBuf, TrainError> {
    let folder = install_folder()?;
    if folder.join(READY).is_file() {
        return Ok(python_in(&folder));
    }
    Err(TrainError::Setup(
        "there is no Python with TRL yet: run `reward-search worker install`, or name one that has it in `trainer.python`".to_owned(),
    ))
}

/// Makes the environment unless it is there: about six gigabytes. What an interrupted call has downloaded is not downloaded again.
/// `more` goes to pip, for instance another index of packages.
///
/// # Errors
/// `Setup` if there is no Python for it, `Host` if pip fails.
pub fn install(
    python: Option<&Path>,
    more: &[String],
    progress: &dyn Fn(&str),
) -> Result<Installed, TrainError> {
    let folder = install_folder()?;
    let trouble = |what: &str, error: std::io::Error| {
        TrainError::Host(format!("cannot {what} {}: {error}", folder.display()))
    };
    fs::create_dir_all(&folder).map_err(|error| trouble("make", error))?;
    let lock = File::create(folder.join("lock")).map_err(|error| trouble("write into", error))?;
    if lock.try_lock().is_err() {
        progress("another process installs it; waiting");
        lock.lock().map_err(|error| trouble("lock", error))?;
    }
    let inside = python_in(&folder);
    if folder.join(READY).is_file() {
        return Ok(Installed {
            python: inside,
            was_there: true,
        });
    }
    // An interpreter may be there and pip not yet, where making it was interrupted.
    let made = folder.join(MADE);
    if !made.is_file() || Interpreter::look(&inside).is_err() {
        let base = base(python)?;
        progress(&format!(
            "making {} with Python {}",
            folder.display(),
            base.python
        ));
        let mut venv = Command::new(&base.executable);
        venv.args(["-m", "venv", "--clear"])
            .arg(folder.join("venv"));
        run(venv, progress)?;
        fs::write(&made, base.python).map_err(|error| trouble("write into", error))?;
    }
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, package::REQUIREMENTS)
        .map_err(|error| trouble("write into", error))?;
    let mut pip = Command::new(&inside);
    pip.args([
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
    ])
    .args(["--progress-bar", "off", "--requirement"])
    .arg(&requirements)
    .args(more);
    run(pip, progress)?;
    Interpreter::find(Some(&inside), false)?;
    let mut ready =
        File::create(folder.join(READY)).map_err(|error| trouble("write into", error))?;
    ready
        .write_all(package::REQUIREMENTS.as_bytes())
        .map_err(|error| trouble("write into", error))?;
    Ok(Installed {
        python: inside,
        was_there: false,
    })
}

fn python_in(folder: &Path) -> PathBuf {
    folder.join("venv/bin/python")
}

/// The Python that the environment is made with.
fn base(named: Option<&Path>) -> Result<Interpreter, TrainError> {
    if let Some(named) = named {
        let found = Interpreter::look(named)?;
        return if found.is_new_enough() {
            Ok(found)
        } else {
            let (at, version) = (found.executable.display(), found.python);
            Err(TrainError::Setup(format!(
                "{at} is Python {version}, and TRL 1.16 needs 3.11 or newer: name another one with --python"
            )))
        };
    }
    let found = USUAL
        .iter()
        .filter_map(|name| Interpreter::look(Path::new(name)).ok());
    let mut fitting = found.filter(Interpreter::is_new_enough);
    fitting.next().ok_or_else(|| {
        TrainError::Setup(format!(
            "there is no Python 3.11 or newer among {}: install one, or name it with --python",
            USUAL.join(", ")
        ))
    })
}

/// Runs a command that takes long, and passes on what it is at.
fn run(mut command: Command, progress: &dyn Fn(&str)) -> Result<(), TrainError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |why: String| {
        TrainError::Host(format!(
            "{name} failed: {why}; what it has downloaded is kept, so try again"
        ))
    };
    process::without_secrets(&mut command);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let stderr = child.stderr.take().expect("it was asked for");
    let said = std::thread::spawn(move || {
        let lines = BufReader::new(stderr).lines().map_while(Result::ok);
        lines.filter(|line| !line.trim().is_empty()).last()
    });
    let stdout = child.stdout.take().expect("it was asked for");
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let line = line.trim();
        let tells = ["Collecting", "Downloading", "Installing", "Successfully"];
        if tells.iter().any(|word| line.starts_with(word)) {
            progress(line);
        }
    }
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    let last = said.join().ok().flatten();
    if status.success() {
        return Ok(());
    }
    Err(failed(last.unwrap_or_else(|| status.to_string())))
}

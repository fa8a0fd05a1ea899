//! The folder of a single training: what it is, how far it got, and what every step measured. Stopped at any point and opened again, it
//! continues from its last checkpoint.
//!
//! - `run.json`: everything the run depends on; a folder continues the same run only
//! - `checkpoint-25.bin`: the trainer's state after that step
//! - `metrics.jsonl`: one line a step, under TRL's names
//! - `samples.jsonl`: the best and the worst completion of each step, and what the rewards printed
//! - `adapter/`: the trained adapter in PEFT's format, where one is trained
//! - `model/`: the trained model in Hugging Face's layout, where all weights are trained
//! - `result.json`: the figures of the evaluation

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::checkpoints::{CheckpointFolder, FolderError, TEMPORARY};

use crate::domain::difference::first_difference;
use serde_json::{Value, json};
use trainer_bridge::{AdapterFiles, StepMetrics};

/// What went wrong with the folder.
#[derive(Debug, thiserror::Error)]
pub enum RunFolderError {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] FolderError),
    /// It belongs to something else.
    #[error("{path} {problem}; choose another folder with --out, nothing was overwritten")]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// What is in the way.
        problem: String,
    },
}

/// An open folder.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    checkpoints: CheckpointFolder,
    members: Vec<String>,
    /// Held while the run goes on.
    _lock: File,
}

/// Name of the file whose lock says that a run goes on.
const LOCK: &str = "lock";

impl RunFolder {
    /// Makes the folder, or opens the one of the same run. `identity` is everything the run depends on, `members` are the names of its
    /// rewards.
    ///
    /// # Errors
    /// If it holds another run, or something else.
    pub fn open(
        path: &Path,
        identity: &Value,
        members: Vec<String>,
    ) -> Result<Self, RunFolderError> {
        let trouble = |name: &str, source| FolderError {
            path: path.join(name),
            source,
        };
        fs::create_dir_all(path).map_err(|source| trouble("", source))?;
        let entries = fs::read_dir(path).map_err(|source| trouble("", source))?;
        let is_ours = |name: &str| name == LOCK || name.starts_with(TEMPORARY);
        let is_empty = entries
            .flatten()
            .all(|e| is_ours(&e.file_name().to_string_lossy()));
        let begun = path.join("run.json").exists();
        let foreign = |problem: &str| RunFolderError::Foreign {
            path: path.to_owned(),
            problem: problem.to_owned(),
        };
        if !begun && !is_empty {
            return Err(foreign("is not empty and holds no run"));
        }
        let lock = File::create(path.join(LOCK)).map_err(|source| trouble(LOCK, source))?;
        if !crate::store::lock::take(&lock).map_err(|source| trouble(LOCK, source))? {
            return Err(foreign("is in use by another `reward-search train`"));
        }
        let folder = Self {
            path: path.to_owned(),
            checkpoints: CheckpointFolder::new(path),
            members,
            _lock: lock,
        };
        folder.checkpoints.clean()?;
        match folder.read("run.json")? {
            Some(stored) => {
                let stored: Option<Value> = serde_json::from_slice(&stored).ok();
                let stored = stored.unwrap_or_default();
                if let Some(difference) = first_difference(&stored, identity) {
                    return Err(foreign(&format!(
                        "holds a run with other settings or rewards: {difference}"
                    )));
                }
            }
            None => {
                let identity = format!("{identity:#}\n");
                folder
                    .checkpoints
                    .replace("run.json", identity.as_bytes())?;
            }
        }
        Ok(folder)
    }

    /// The step of the last checkpoint, if there is one. Steps measured after it are forgotten: they will be done again.
    ///
    /// # Errors
    /// If the folder cannot be read or written.
    pub fn resume(&self) -> Result<Option<u32>, FolderError> {
        let done = self.checkpoints.step()?;
        for name in ["metrics.jsonl", "samples.jsonl"] {
            self.forget_after(name, done.unwrap_or(0))?;
        }
        Ok(done)
    }

    /// Where its checkpoints are.
    #[must_use]
    pub fn checkpoints(&self) -> &CheckpointFolder {
        &self.checkpoints
    }

    /// Keeps the adapter as it is now; returns where.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn keep_adapter(&self, adapter: &AdapterFiles) -> Result<PathBuf, FolderError> {
        let path = self.path.join("adapter");
        let written = adapter.write(&path);
        written.map_err(|source| self.trouble("adapter", source))?;
        Ok(path)
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the trained model belongs.
    #[must_use]
    pub fn model(&self) -> PathBuf {
        self.path.join("model")
    }

    /// Appends a step.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn record(&self, metrics: &StepMetrics) -> Result<(), FolderError> {
        let named = Value::from(metrics.under_trls_names(&self.members));
        self.append("metrics.jsonl", &named)?;
        let mut samples = json!({"step": metrics.step, "samples": metrics.samples});
        if !metrics.printed.is_empty() {
            samples["printed"] = metrics.printed.clone().into();
        }
        self.append("samples.jsonl", &samples)
    }

    /// Writes the result.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn finish(&self, result: &Value) -> Result<(), FolderError> {
        self.checkpoints
            .replace("result.json", format!("{result:#}\n").as_bytes())
    }

    fn trouble(&self, name: &str, source: io::Error) -> FolderError {
        FolderError {
            path: self.path.join(name),
            source,
        }
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, FolderError> {
        match fs::read(self.path.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.trouble(name, error)),
        }
    }

    fn append(&self, name: &str, line: &Value) -> Result<(), FolderError> {
        let mut options = fs::OpenOptions::new();
        let file = options.create(true).append(true).open(self.path.join(name));
        file.and_then(|mut file| writeln!(file, "{line}"))
            .map_err(|e| self.trouble(name, e))
    }

    fn forget_after(&self, name: &str, step: u32) -> Result<(), FolderError> {
        let Some(bytes) = self.read(name)? else {
            return Ok(());
        };
        let text = String::from_utf8_lossy(&bytes);
        let kept = text.lines().filter(|line| {
            let line: Option<Value> = serde_json::from_str(line).ok();
            let at = line.and_then(|line| line["step"].as_u64());
            at.is_some_and(|at| at <= u64::from(step))
        });
        let kept: String = kept.flat_map(|line| [line, "\n"]).collect();
        self.checkpoints.replace(name, kept.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use trainer_bridge::Checkpoint;

    use super::*;

    fn step(step: u32) -> StepMetrics {
        StepMetrics {
            step,
            member_rewards: vec![0.5],
            printed: format!("at {step}"),
            ..StepMetrics::default()
        }
    }

    fn checkpoint(step: u32) -> Checkpoint {
        Checkpoint::of_bytes(step, vec![step as u8; 3])
    }

    #[test]
    fn a_run_opened_again_is_where_its_last_checkpoint_was() {
        let folder = tempfile::tempdir().unwrap();
        let open = || RunFolder::open(folder.path(), &json!({"seed": 1}), vec!["exact".into()]);
        let first = open().unwrap();
        assert!(first.resume().unwrap().is_none());
        first.record(&step(1)).unwrap();
        first.checkpoints().keep(&checkpoint(1)).unwrap();
        first.record(&step(2)).unwrap();
        first.checkpoints().keep(&checkpoint(2)).unwrap();
        first.record(&step(3)).unwrap();
        let error = open().unwrap_err().to_string();
        assert!(error.contains("in use"), "one trainer a folder: {error}");
        drop(first);
        fs::write(folder.path().join(".tmp1234"), "half a checkpoint").unwrap();
        let again = open().unwrap();
        assert_eq!(again.resume().unwrap(), Some(2));
        let newest = again.checkpoints().newest();
        assert_eq!(newest.unwrap(), Some(checkpoint(2)));
        let metrics = fs::read_to_string(folder.path().join("metrics.jsonl")).unwrap();
        assert_eq!(metrics.lines().count(), 2);
        assert!(metrics.contains("rewards/exact/mean"));
        let samples = fs::read_to_string(folder.path().join("samples.jsonl")).unwrap();
        assert!(samples.contains(r#""printed":"at 2""#), "{samples}");
        assert!(!folder.path().join("checkpoint-1.bin").exists());
        assert!(!folder.path().join(".tmp1234").exists());
    }

    #[test]
    fn a_folder_of_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.tex"), "years of work").unwrap();
        let open = |identity: &Value| RunFolder::open(folder.path(), identity, Vec::new());
        let error = open(&json!({"seed": 1})).unwrap_err().to_string();
        assert!(
            error.contains("holds no run") && error.contains("--out"),
            "{error}"
        );
        fs::remove_file(folder.path().join("thesis.tex")).unwrap();
        open(&json!({"seed": 1})).unwrap();
        let error = open(&json!({"seed": 2})).unwrap_err().to_string();
        assert!(error.contains("other settings"), "{error}");
    }
}

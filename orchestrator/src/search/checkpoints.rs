//! Where a run's newest checkpoint is kept, so that a run that was cut off goes on from there: one file, put in place whole or not at all.
//!
//! The trials of a search have a folder each beside its database, as long as they are under way.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use trainer_bridge::{Bytes, Checkpoint, Location};

use crate::domain::trial::TrialId;

/// The folders of the trials of a search.
#[derive(Debug, Clone)]
pub struct TrialFolders {
    path: PathBuf,
}

impl TrialFolders {
    /// Those beside a database.
    #[must_use]
    pub fn beside(database: &Path) -> Self {
        let mut name = database.file_name().unwrap_or_default().to_owned();
        name.push(".checkpoints");
        Self {
            path: database.with_file_name(name),
        }
    }

    /// The folder of a trial.
    #[must_use]
    pub fn of(&self, trial: TrialId) -> CheckpointFolder {
        CheckpointFolder::new(self.path.join(format!("trial-{}", trial.0)))
    }

    /// Removes every folder but those of these trials, and the whole if there are none.
    ///
    /// # Errors
    /// If a folder cannot be removed.
    pub fn keep_only(&self, trials: &[TrialId]) -> Result<(), FolderError> {
        let wanted: Vec<PathBuf> = trials.iter().map(|trial| self.of(*trial).path).collect();
        if wanted.is_empty() {
            return CheckpointFolder::new(&self.path).remove();
        }
        let Ok(entries) = fs::read_dir(&self.path) else {
            return Ok(());
        };
        let paths = entries.flatten().map(|entry| entry.path());
        for path in paths.filter(|path| !wanted.contains(path)) {
            CheckpointFolder::new(path).remove()?;
        }
        Ok(())
    }
}

/// How the names of files begin that are not whole yet.
pub const TEMPORARY: &str = ".tmp";

/// A folder with the newest checkpoint of one run.
#[derive(Debug, Clone)]
pub struct CheckpointFolder {
    path: PathBuf,
}

/// The folder, or something in it, cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {path}: {source}")]
pub struct FolderError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl CheckpointFolder {
    /// The folder at a path; it is made when the first checkpoint comes.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The step of the newest checkpoint, if there is one.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn step(&self) -> Result<Option<u32>, FolderError> {
        let steps = self.files()?.into_iter().map(|(step, _)| step);
        Ok(steps.max())
    }

    /// The newest checkpoint, if there is one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn newest(&self) -> Result<Option<Checkpoint>, FolderError> {
        let Some((step, name)) = self.files()?.into_iter().max() else {
            return Ok(None);
        };
        let path = self.path.join(name);
        let bytes = fs::read(&path).map_err(trouble(&path))?;
        let at = if path.extension().is_some_and(|ending| ending == ELSEWHERE) {
            let unreadable = |error: serde_json::Error| trouble(&path)(error.into());
            serde_json::from_slice(&bytes).map_err(unreadable)?
        } else {
            Location::Bytes(Bytes(bytes.into()))
        };
        Ok(Some(Checkpoint { step, at }))
    }

    /// Makes the folder that of one job: what another job left in it is removed.
    ///
    /// # Errors
    /// If the folder cannot be read or written.
    pub fn claim(&self, digest: &str) -> Result<(), FolderError> {
        let path = self.path.join(JOB);
        if fs::read(&path).is_ok_and(|known| known == digest.as_bytes()) {
            return self.clean();
        }
        self.remove()?;
        fs::create_dir_all(&self.path).map_err(trouble(&self.path))?;
        self.replace(JOB, digest.as_bytes())
    }

    /// Keeps a checkpoint, and no earlier one.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn keep(&self, checkpoint: &Checkpoint) -> Result<(), FolderError> {
        fs::create_dir_all(&self.path).map_err(trouble(&self.path))?;
        let step = checkpoint.step;
        match &checkpoint.at {
            Location::Bytes(bytes) => self.replace(&file_of(step, HERE), &bytes.0)?,
            elsewhere => {
                let handle = serde_json::to_vec(elsewhere).expect("a location is plain data");
                self.replace(&file_of(step, ELSEWHERE), &handle)?;
            }
        }
        for (earlier, name) in self.files()? {
            if earlier < step {
                let path = self.path.join(name);
                fs::remove_file(&path).map_err(trouble(&path))?;
            }
        }
        Ok(())
    }

    /// Removes the folder with all that is in it.
    ///
    /// # Errors
    /// If it is there and cannot be removed.
    pub fn remove(&self) -> Result<(), FolderError> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(trouble(&self.path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Removes what a killed process had not put in place.
    ///
    /// # Errors
    /// If the folder cannot be read or written.
    pub fn clean(&self) -> Result<(), FolderError> {
        for name in self.names()? {
            if name.starts_with(TEMPORARY) {
                let path = self.path.join(name);
                fs::remove_file(&path).map_err(trouble(&path))?;
            }
        }
        Ok(())
    }

    /// Puts a file in place whole or not at all.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let whole = || {
            let mut file = tempfile::Builder::new()
                .prefix(TEMPORARY)
                .tempfile_in(&self.path)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(self.path.join(name)).map_err(|e| e.error)
        };
        whole().map(drop).map_err(trouble(&self.path.join(name)))
    }

    /// The checkpoints at hand: their steps and the names of their files.
    fn files(&self) -> Result<Vec<(u32, String)>, FolderError> {
        let step = |name: &str| -> Option<u32> {
            let (step, ending) = name.strip_prefix("checkpoint-")?.split_once('.')?;
            [HERE, ELSEWHERE]
                .contains(&ending)
                .then(|| step.parse().ok())?
        };
        let names = self.names()?.into_iter();
        let files = names.filter_map(|name| Some((step(&name)?, name)));
        Ok(files.collect())
    }

    fn names(&self) -> Result<Vec<String>, FolderError> {
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(trouble(&self.path)(error)),
        };
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        Ok(entries.flatten().map(name).collect())
    }
}

/// The file that names the job a folder belongs to.
const JOB: &str = "job";
/// The ending of a file with the state itself.
const HERE: &str = "bin";
/// The ending of a file that says where the state is.
const ELSEWHERE: &str = "json";

fn file_of(step: u32, ending: &str) -> String {
    format!("checkpoint-{step}.{ending}")
}

fn trouble(path: &Path) -> impl Fn(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_belongs_to_one_job() {
        let parent = tempfile::tempdir().unwrap();
        let folders = TrialFolders::beside(&parent.path().join("x.db"));
        let (one, two) = (folders.of(TrialId(1)), folders.of(TrialId(2)));
        let state = Checkpoint::of_bytes(5, *b"five");
        for folder in [&one, &two] {
            folder.claim("a").unwrap();
            folder.keep(&state).unwrap();
            folder.claim("a").unwrap();
            assert_eq!(folder.newest().unwrap().as_ref(), Some(&state));
        }
        one.claim("b").unwrap();
        assert_eq!(one.newest().unwrap(), None);
        folders.keep_only(&[TrialId(1)]).unwrap();
        assert!(one.path.exists() && !two.path.exists());
        folders.keep_only(&[]).unwrap();
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_newest_checkpoint_alone_is_kept_wherever_its_state_is() {
        let parent = tempfile::tempdir().unwrap();
        let folder = CheckpointFolder::new(parent.path().join("run"));
        assert_eq!(folder.newest().unwrap(), None);
        let states = [
            Checkpoint::of_bytes(9, *b"nine"),
            Checkpoint::of_bytes(10, *b"ten"),
            Checkpoint {
                step: 25,
                at: Location::Address("s3://bucket/run".to_owned()),
            },
        ];
        for state in &states {
            folder.keep(state).unwrap();
            assert_eq!(folder.newest().unwrap().as_ref(), Some(state));
            assert_eq!(folder.files().unwrap().len(), 1);
        }
        fs::write(parent.path().join("run/.tmp1234"), "half").unwrap();
        folder.clean().unwrap();
        assert_eq!(fs::read_dir(parent.path().join("run")).unwrap().count(), 1);
        folder.remove().unwrap();
        folder.remove().unwrap();
        assert!(!parent.path().join("run").exists());
    }
}

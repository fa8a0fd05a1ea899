//! Whether there is room for a search where its database is to be.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Bytes that must be free: a search's database and the checkpoints of a small model.
const LEAST: u64 = 64 << 20;

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum NoRoom {
    /// The folder cannot be written to.
    #[error(
        "no database can be made in {folder}: {source}. Name a file in another folder with --database"
    )]
    NotWritable {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk is full, or nearly.
    #[error(
        "only {free} MiB are free in {folder}, where the database and the checkpoints go: make room, or name a file on another disk with --database"
    )]
    Full {
        /// The folder.
        folder: PathBuf,
        /// What is free.
        free: u64,
    },
}

/// Sees whether a database can be written and grow.
///
/// # Errors
/// See [`NoRoom`].
pub fn check(database: &Path) -> Result<(), NoRoom> {
    let folder = match database.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    tempfile::tempfile_in(folder).map_err(|source| NoRoom::NotWritable {
        folder: folder.to_owned(),
        source,
    })?;
    match free(folder) {
        Some(free) if free < LEAST => Err(NoRoom::Full {
            folder: folder.to_owned(),
            free: free >> 20,
        }),
        _ => Ok(()),
    }
}

/// Bytes that are free; `None` where the system does not say.
#[cfg(unix)]
fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// See above.
#[cfg(not(unix))]
fn free(_folder: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_is_named_and_one_that_is_has_room() {
        let folder = tempfile::tempdir().unwrap();
        check(&folder.path().join("x.db")).unwrap();
        let told = check(&folder.path().join("none/x.db")).unwrap_err();
        let told = told.to_string();
        assert!(
            told.contains("none") && told.contains("--database"),
            "{told}"
        );
    }
}

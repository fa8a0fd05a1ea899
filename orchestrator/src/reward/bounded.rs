//! Files that strangers may have made: only regular ones are read, only what lies in the folder it should, and only so much of it.
//!
//! A name may lead to a device that never ends or a pipe that never begins; a manifest may name any file there is.

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Component, Path},
};

/// Bytes a reward's file may have: the most that the sandbox's limits can allow.
pub(super) const REWARD_BYTES: u64 = 64 << 20;
/// Bytes a manifest may have.
pub(super) const MANIFEST_BYTES: u64 = 1 << 20;
/// Folders a name in a manifest may have, and the file.
const PARTS: usize = 2;

/// The contents of a file that the user has named; a link to a regular file will do.
///
/// # Errors
/// In words, if it is no regular file, is too large, or cannot be read.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    let metadata = fs::metadata(path).map_err(cannot)?;
    if !metadata.is_file() {
        return Err("cannot be read: it is no regular file".to_owned());
    }
    let too_large =
        |bytes: u64| format!("cannot be read: it has {bytes} bytes, at most {most} are");
    if metadata.len() > most {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(cannot)?;
    // It may have grown meanwhile.
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot)?;
    match bytes.len() as u64 {
        read if read > most => Err(too_large(read)),
        _ => Ok(bytes),
    }
}

/// The same for a file that something else has named, which must lie in `folder` or one folder deeper. No part of the name may be a
/// link.
///
/// # Errors
/// As [`read`], and if the name leads anywhere else.
pub(super) fn read_inside(folder: &Path, name: &str, most: u64) -> Result<Vec<u8>, String> {
    let named = |what: String| format!("`{}` {what}", name.escape_debug());
    let parts: Vec<Component<'_>> = Path::new(name).components().collect();
    let is_plain = parts
        .iter()
        .all(|part| matches!(part, Component::Normal(_)));
    if !is_plain || parts.is_empty() || parts.len() > PARTS {
        return Err(named("is not the name of a file in this folder".to_owned()));
    }
    let mut path = folder.to_owned();
    for part in parts {
        path.push(part);
        let metadata = fs::symlink_metadata(&path)
            .map_err(|error| named(format!("cannot be read: {error}")))?;
        if metadata.is_symlink() {
            return Err(named("is a link, or lies behind one".to_owned()));
        }
    }
    read(&path, most).map_err(named)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_regular_files_of_a_bounded_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "four").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"four");
        assert!(read(&path, 3).unwrap_err().contains("4 bytes, at most 3"));
        assert!(read(folder.path(), 9).unwrap_err().contains("no regular"));
        #[cfg(unix)]
        assert!(
            read(Path::new("/dev/zero"), 9)
                .unwrap_err()
                .contains("no regular")
        );
    }

    #[test]
    fn a_name_in_a_manifest_stays_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("export");
        fs::create_dir_all(inside.join("base")).unwrap();
        fs::write(inside.join("a"), "a").unwrap();
        fs::write(inside.join("base/b"), "b").unwrap();
        fs::write(folder.path().join("c"), "c").unwrap();
        for name in ["a", "base/b"] {
            assert!(read_inside(&inside, name, 9).is_ok(), "{name}");
        }
        let absolute = folder.path().join("c").display().to_string();
        for name in [
            "./a",
            "../c",
            "base/../../c",
            absolute.as_str(),
            "",
            ".",
            "a/b/c",
            "base",
            "d",
        ] {
            assert!(read_inside(&inside, name, 9).is_err(), "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_and_pipes_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink("/dev/zero", at("link")).unwrap();
        std::os::unix::fs::symlink("/dev", at("folder")).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(at("pipe"))
            .status();
        assert!(made.unwrap().success());
        for name in ["link", "folder/zero", "pipe"] {
            assert!(read_inside(folder.path(), name, 9).is_err(), "{name}");
        }
    }
}

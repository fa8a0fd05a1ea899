//! Where this program keeps what it builds once: the user's cache folder.
//!
//! Whatever is read back decides what runs, so [`get`] is the only way to it: the file, its digest and the folder must be the user's
//! alone, and the digest must be right.

pub(crate) mod machine_code;

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::digest;
use crate::error::HostError;

/// Names a folder to use instead.
const OVERRIDE: &str = "REWARD_SEARCH_CACHE";

/// `$REWARD_SEARCH_CACHE`, else `$XDG_CACHE_HOME/reward-search`, else `~/.cache/reward-search`.
///
/// # Errors
/// If none of these variables is set.
pub fn folder() -> Result<PathBuf, HostError> {
    let absolute = |name: &str| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute())
    };
    if let Some(folder) = env::var_os(OVERRIDE).filter(|name| !name.is_empty()) {
        return std::path::absolute(&folder)
            .map_err(HostError::io(format!("find the folder in {OVERRIDE}")));
    }
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("reward-search"))
        .ok_or(HostError::NoCacheFolder)
}

/// Makes a folder that, where it is made, is the user's alone.
pub(crate) fn create_private(folder: &Path) -> Result<(), HostError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(HostError::io(format!(
        "make the cache folder {}",
        folder.display()
    )))
}

/// The file's bytes; `None` if it is not there, or not as [`put`] left it.
///
/// # Errors
/// [`HostError::CacheNotPrivate`] if somebody else could have written it.
pub(crate) fn get(path: &Path) -> Result<Option<Vec<u8>>, HostError> {
    let read =
        |path: &Path| fs::read(path).map_err(HostError::io(format!("read {}", path.display())));
    let digest = digest_path(path);
    if !path.is_file() || !digest.is_file() {
        return Ok(None);
    }
    for trusted in [path.parent().unwrap_or(path), path, &digest] {
        check_private(trusted)?;
    }
    let bytes = read(path)?;
    if read(&digest)? != digest::sha256(&bytes) {
        tracing::warn!("{} is damaged and is made again", path.display());
        return Ok(None);
    }
    Ok(Some(bytes))
}

/// Writes a file and its digest; each appears whole or not at all.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), HostError> {
    replace(path, bytes)?;
    replace(&digest_path(path), &digest::sha256(bytes))
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), HostError> {
    let action = || HostError::io(format!("write {}", path.display()));
    let folder = path.parent().unwrap_or(path);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(action())?;
    file.write_all(bytes).map_err(action())?;
    file.persist(path)
        .map(drop)
        .map_err(|error| action()(error.error))
}

fn digest_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sha256");
    name.into()
}

/// Checks that nobody else can have written a file or a folder, nor have put another in its place: it is the user's, and
/// so is, or the system's, every folder above it.
#[cfg(unix)]
pub(crate) fn check_private(path: &Path) -> Result<(), HostError> {
    use std::os::unix::fs::MetadataExt as _;

    let read = || HostError::io(format!("read {}", path.display()));
    let metadata = fs::symlink_metadata(path).map_err(read())?;
    if metadata.is_symlink() {
        return Err(not_private(path, "it is a symbolic link"));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(not_private(path, "it belongs to another user"));
    }
    if metadata.mode() & OTHERS_WRITE != 0 {
        return Err(not_private(path, "others may write to it"));
    }
    // The folders by the names that lead here, and those that links among them lead to.
    let named = std::path::absolute(path).map_err(read())?;
    let real = fs::canonicalize(path).map_err(read())?;
    let above = |path: PathBuf| path.ancestors().skip(1).try_for_each(check_above);
    above(named).and_then(|()| above(real))
}

#[cfg(unix)]
const OTHERS_WRITE: u32 = 0o022;
/// In a folder with this bit others cannot rename what is not theirs.
#[cfg(unix)]
const STICKY: u32 = 0o1000;

/// Checks that nobody but the user and the system can exchange what is in a folder.
#[cfg(unix)]
fn check_above(folder: &Path) -> Result<(), HostError> {
    use std::os::unix::fs::MetadataExt as _;

    let metadata =
        fs::metadata(folder).map_err(HostError::io(format!("read {}", folder.display())))?;
    if ![0, rustix::process::geteuid().as_raw()].contains(&metadata.uid()) {
        return Err(not_private(
            folder,
            "the folder belongs to another user, who could exchange the cache in it",
        ));
    }
    if metadata.mode() & OTHERS_WRITE != 0 && metadata.mode() & STICKY == 0 {
        return Err(not_private(
            folder,
            "others may write to the folder and could exchange the cache in it",
        ));
    }
    Ok(())
}

#[cfg(unix)]
fn not_private(path: &Path, reason: &str) -> HostError {
    HostError::CacheNotPrivate {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Elsewhere a user's profile is taken to be the user's own.
#[cfg(not(unix))]
pub(crate) fn check_private(_: &Path) -> Result<(), HostError> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("guest.wasm");
        assert_eq!(get(&path).unwrap(), None);
        put(&path, b"bytes").unwrap();
        assert_eq!(get(&path).unwrap().as_deref(), Some(&b"bytes"[..]));
        fs::write(&path, b"bites").unwrap();
        assert_eq!(get(&path).unwrap(), None);
        put(&path, b"other").unwrap();
        assert_eq!(get(&path).unwrap().as_deref(), Some(&b"other"[..]));
    }

    #[test]
    fn a_folder_others_may_write_to_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        create_private(&folder).unwrap();
        check_private(&folder).unwrap();
        let link = root.path().join("link");
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        assert!(
            check_private(&link)
                .unwrap_err()
                .to_string()
                .contains("symbolic link")
        );
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        let error = check_private(&folder).unwrap_err().to_string();
        assert!(error.contains("others may write to it"), "{error}");
    }

    #[test]
    fn a_folder_whose_folder_others_may_write_to_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let (open, folder) = (root.path().join("open"), root.path().join("open/a/b"));
        create_private(&folder).unwrap();
        let link = root.path().join("link");
        std::os::unix::fs::symlink(open.join("a"), &link).unwrap();
        let mode = |mode| fs::set_permissions(&open, fs::Permissions::from_mode(mode)).unwrap();
        mode(0o1777);
        check_private(&folder).unwrap();
        mode(0o777);
        for path in [folder, link.join("b")] {
            let error = check_private(&path).unwrap_err().to_string();
            assert!(error.contains("exchange the cache"), "{error}");
            assert!(error.contains("/open cannot be trusted"), "{error}");
        }
    }
}

//! The guest SDK as libraries for rustc: its sources travel inside this crate and are compiled once a toolchain.
//!
//! There are two: the SDK itself, and the standard library as candidates see it (`sdk/std.rs`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

use super::toolchain::{TARGET, Toolchain};
use crate::cache;
use crate::digest;
use crate::error::HostError;

/// The files of the SDK, by their path in its source folder.
const SOURCES: [(&str, &str); 18] = [
    ("allocator.rs", include_str!("../../sdk/src/allocator.rs")),
    ("bytes.rs", include_str!("../../sdk/src/bytes.rs")),
    ("equations.rs", include_str!("../../sdk/src/equations.rs")),
    ("expression.rs", include_str!("../../sdk/src/expression.rs")),
    ("guest.rs", include_str!("../../sdk/src/guest.rs")),
    ("lib.rs", include_str!("../../sdk/src/lib.rs")),
    ("maps.rs", include_str!("../../sdk/src/maps.rs")),
    ("numbers.rs", include_str!("../../sdk/src/numbers.rs")),
    ("regex.rs", include_str!("../../sdk/src/regex.rs")),
    (
        "regex/captures.rs",
        include_str!("../../sdk/src/regex/captures.rs"),
    ),
    (
        "regex/matches.rs",
        include_str!("../../sdk/src/regex/matches.rs"),
    ),
    (
        "regex/module.rs",
        include_str!("../../sdk/src/regex/module.rs"),
    ),
    (
        "regex/replace.rs",
        include_str!("../../sdk/src/regex/replace.rs"),
    ),
    ("repetition.rs", include_str!("../../sdk/src/repetition.rs")),
    ("sample.rs", include_str!("../../sdk/src/sample.rs")),
    ("shape.rs", include_str!("../../sdk/src/shape.rs")),
    ("tags.rs", include_str!("../../sdk/src/tags.rs")),
    ("words.rs", include_str!("../../sdk/src/words.rs")),
];

/// The standard library's stand-in.
const STD: &str = include_str!("../../sdk/std.rs");

const FLAGS: [&str; 11] = [
    "--edition=2024",
    "--crate-type=rlib",
    "-Cpanic=abort",
    "-Copt-level=3",
    "-Cdebuginfo=0",
    "-Ccodegen-units=1",
    "-Cstrip=symbols",
    "-Coverflow-checks=off",
    "-Cmetadata=reward-search",
    "--cap-lints=allow",
    "--color=never",
];

/// The compiled libraries.
#[derive(Debug, Clone)]
pub(crate) struct Sdk {
    /// The folder that holds them and their digests.
    pub(crate) folder: PathBuf,
    /// The same, where it is removed with the last user of it.
    #[allow(dead_code, reason = "kept to be dropped")]
    temporary: Option<Arc<TempDir>>,
}

impl Sdk {
    const LIBRARY: &str = "libreward_sdk.rlib";
    const STD_LIBRARY: &str = "libstd.rlib";

    /// What tells rustc of them.
    pub(crate) fn arguments(&self) -> [String; 4] {
        let path = |name| self.folder.join(name).display().to_string();
        [
            format!("--extern=reward_sdk={}", path(Self::LIBRARY)),
            format!("--extern=std={}", path(Self::STD_LIBRARY)),
            "-L".to_owned(),
            format!("dependency={}", self.folder.display()),
        ]
    }

    /// Whether both are there, as they were built, and nobody else can have written them.
    fn is_sound(&self) -> Result<bool, HostError> {
        for name in [Self::LIBRARY, Self::STD_LIBRARY] {
            if cache::get(&self.folder.join(name))?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn build(&self, toolchain: &Toolchain) -> Result<(), HostError> {
        let sources = self.folder.join("src");
        for (name, text) in SOURCES.into_iter().chain([("std.rs", STD)]) {
            let file = sources.join(name);
            file.parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::write(&file, text))
                .map_err(HostError::io(format!("write {}", file.display())))?;
        }
        let sdk = ["--crate-name=reward_sdk", "-o", Self::LIBRARY, "src/lib.rs"];
        self.rustc(toolchain, &sdk)?;
        let extern_sdk = format!("--extern=reward_sdk={}", Self::LIBRARY);
        let std = [
            "--crate-name=std",
            &extern_sdk,
            "-o",
            Self::STD_LIBRARY,
            "src/std.rs",
        ];
        self.rustc(toolchain, &std)?;
        for name in [Self::LIBRARY, Self::STD_LIBRARY] {
            let path = self.folder.join(name);
            let library =
                fs::read(&path).map_err(HostError::io(format!("read {}", path.display())))?;
            cache::put(&path, &library)?;
        }
        fs::remove_dir_all(&sources).map_err(HostError::io(format!("remove {}", sources.display())))
    }

    /// Relative names only, so that no path of this machine gets into the library.
    fn rustc(&self, toolchain: &Toolchain, arguments: &[&str]) -> Result<(), HostError> {
        let output = Command::new(&toolchain.rustc)
            .current_dir(&self.folder)
            .args(["--target", TARGET])
            .args(FLAGS)
            .args(arguments)
            .env_clear()
            .env("TMPDIR", &self.folder)
            .output()
            .map_err(HostError::io(format!("run {}", toolchain.rustc.display())))?;
        if output.status.success() {
            return Ok(());
        }
        Err(HostError::SdkBuild {
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

/// The libraries in the cache, built if they are not there. Where others could write to the cache, they are built for this process
/// alone, which takes some seconds.
pub(crate) fn ready(cache: &Path, toolchain: &Toolchain) -> Result<Sdk, HostError> {
    match kept(cache, toolchain) {
        Err(error @ HostError::CacheNotPrivate { .. }) => {
            tracing::warn!("the guest SDK is built for this run alone: {error}");
            temporary(toolchain)
        }
        outcome => outcome,
    }
}

/// Several processes may get here at once: each builds in a folder of its own, and the first to rename it into place wins.
fn kept(cache: &Path, toolchain: &Toolchain) -> Result<Sdk, HostError> {
    let home = Sdk {
        folder: cache.join(format!("sdk-{}", fingerprint(toolchain))),
        temporary: None,
    };
    if home.is_sound()? {
        return Ok(home);
    }
    cache::create_private(cache)?;
    let folder = || folder_in(cache, ".sdk-");
    let work = folder()?;
    let draft = Sdk {
        folder: work.path().to_owned(),
        temporary: None,
    };
    draft.build(toolchain)?;
    if home.folder.exists() && !home.is_sound()? {
        // A damaged one makes way; the folder it is moved to is removed with it.
        let aside = folder()?;
        let _ = fs::rename(&home.folder, aside.path().join("damaged"));
    }
    match fs::rename(work.path(), &home.folder) {
        Ok(()) => {
            // It has a new name, and nothing is left to remove.
            let _ = work.keep();
        }
        Err(source) if !home.folder.exists() => {
            return Err(HostError::Io {
                action: format!("put the guest SDK into {}", home.folder.display()),
                source,
            });
        }
        Err(_) => {}
    }
    if home.is_sound()? {
        return Ok(home);
    }
    Err(HostError::CacheNotPrivate {
        path: home.folder,
        reason: "the guest SDK in it is not as it was just built".to_owned(),
    })
}

fn temporary(toolchain: &Toolchain) -> Result<Sdk, HostError> {
    let folder = folder_in(&std::env::temp_dir(), "reward-search-sdk-")?;
    let sdk = Sdk {
        folder: folder.path().to_owned(),
        temporary: Some(Arc::new(folder)),
    };
    sdk.build(toolchain)?;
    Ok(sdk)
}

fn folder_in(parent: &Path, prefix: &str) -> Result<TempDir, HostError> {
    tempfile::Builder::new()
        .prefix(prefix)
        .tempdir_in(parent)
        .map_err(HostError::io(format!(
            "make a folder in {}",
            parent.display()
        )))
}

/// What the libraries depend on: compiler, flags, sources.
fn fingerprint(toolchain: &Toolchain) -> String {
    let sources = SOURCES.into_iter().chain([("std.rs", STD)]);
    digest::name_of(
        [toolchain.version.as_str()]
            .into_iter()
            .chain(FLAGS)
            .chain(sources.flat_map(|(name, text)| [name, text])),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[cfg(unix)]
    #[test]
    fn an_sdk_that_others_could_have_written_is_not_used() {
        use std::os::unix::fs::PermissionsExt as _;

        let toolchain = Toolchain::find(None).unwrap();
        let root = tempfile::tempdir().unwrap();
        let cache = root.path().join("cache");
        let first = ready(&cache, &toolchain).unwrap();
        assert!(first.folder.starts_with(&cache));
        assert_eq!(ready(&cache, &toolchain).unwrap().folder, first.folder);
        let library = first.folder.join(Sdk::LIBRARY);

        // Damaged: built again in its place.
        fs::write(&library, "planted").unwrap();
        assert_eq!(ready(&cache, &toolchain).unwrap().folder, first.folder);
        assert!(fs::read(&library).unwrap().starts_with(b"!<arch>"));

        // Writable by others, the folder, a file in it, or the cache: not used at all.
        for (path, open, private) in [
            (&first.folder, 0o777, 0o700),
            (&library, 0o666, 0o600),
            (&cache, 0o777, 0o700),
        ] {
            let mode = |mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            mode(open);
            let other = ready(&cache, &toolchain).unwrap();
            assert!(!other.folder.starts_with(&cache), "{}", path.display());
            assert!(other.is_sound().unwrap());
            mode(private);
        }
        assert!(
            fs::read_dir(&cache).unwrap().count() == 1,
            "nothing is left beside it"
        );
    }

    #[test]
    fn every_file_of_the_sdk_is_embedded() {
        let mut there = Vec::new();
        collect(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/src"),
            "",
            &mut there,
        );
        there.sort();
        let mut embedded = SOURCES.map(|(name, _)| name);
        embedded.sort_unstable();
        assert_eq!(there, embedded);
    }

    fn collect(folder: &Path, prefix: &str, names: &mut Vec<String>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                collect(&entry.path(), &format!("{name}/"), names);
            } else {
                names.push(name);
            }
        }
    }
}

//! The guest SDK as libraries for rustc: its sources travel inside this crate and are compiled once a toolchain.
//!
//! There are two: the SDK itself, and the standard library as candidates see it (`sdk/std.rs`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::toolchain::{TARGET, Toolchain};
use crate::cache;
use crate::digest;
use crate::error::HostError;

/// The rooms of the SDK, by their path in its source folder.
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
    /// The folder that holds them and nothing else.
    pub(crate) folder: PathBuf,
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

    fn is_complete(&self) -> bool {
        [Self::LIBRARY, Self::STD_LIBRARY]
            .iter()
            .all(|name| self.folder.join(name).is_file())
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
        fs::remove_dir_all(&sources).map_err(HostError::io(format!("remove {}", sources.display())))
    }

    /// Relative names only, so that no path of this machine gets into the library.
    fn rustc(&self, toolchain: &Toolchain, arguments: &[&str]) -> Result<(), HostError> {
        let output = Command::new(&toolchain.rustc)
            .current_dir(&self.folder)
            .args(["--target", TARGET])
            .args(FLAGS)
            .args(arguments)
            .env_remove("RUSTC_BOOTSTRAP")
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

/// The libraries in the cache, built if they are not there. Several processes may get here at once: each builds in a folder
/// of its own, and the first to rename it into place wins.
pub(crate) fn ready(cache: &Path, toolchain: &Toolchain) -> Result<Sdk, HostError> {
    let home = Sdk {
        folder: cache.join(format!("sdk-{}", fingerprint(toolchain))),
    };
    if home.is_complete() {
        return Ok(home);
    }
    cache::create_private(cache)?;
    let work = tempfile::Builder::new()
        .prefix(".sdk-")
        .tempdir_in(cache)
        .map_err(HostError::io(format!(
            "make a folder in {}",
            cache.display()
        )))?;
    let draft = Sdk {
        folder: work.path().to_owned(),
    };
    draft.build(toolchain)?;
    match fs::rename(work.path(), &home.folder) {
        Ok(()) => {
            // It has a new name, and nothing is left to remove.
            let _ = work.keep();
        }
        Err(_) if home.is_complete() => {}
        Err(source) => {
            return Err(HostError::Io {
                action: format!("put the guest SDK into {}", home.folder.display()),
                source,
            });
        }
    }
    Ok(home)
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
    use super::*;

    #[test]
    fn every_room_of_the_sdk_is_embedded() {
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

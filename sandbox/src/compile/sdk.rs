//! The guest SDK as a library for rustc: its sources travel inside this crate and are compiled once a toolchain.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use super::toolchain::{TARGET, Toolchain};
use crate::{HostError, cache};

/// The rooms of the SDK, by their path in its source folder.
const SOURCES: [(&str, &str); 17] = [
    ("allocator.rs", include_str!("../../sdk/src/allocator.rs")),
    ("equations.rs", include_str!("../../sdk/src/equations.rs")),
    ("expression.rs", include_str!("../../sdk/src/expression.rs")),
    ("guest.rs", include_str!("../../sdk/src/guest.rs")),
    ("lib.rs", include_str!("../../sdk/src/lib.rs")),
    ("maps.rs", include_str!("../../sdk/src/maps.rs")),
    ("numbers.rs", include_str!("../../sdk/src/numbers.rs")),
    ("regex.rs", include_str!("../../sdk/src/regex.rs")),
    (
        "regex/class.rs",
        include_str!("../../sdk/src/regex/class.rs"),
    ),
    (
        "regex/compile.rs",
        include_str!("../../sdk/src/regex/compile.rs"),
    ),
    (
        "regex/parse.rs",
        include_str!("../../sdk/src/regex/parse.rs"),
    ),
    (
        "regex/search.rs",
        include_str!("../../sdk/src/regex/search.rs"),
    ),
    ("repetition.rs", include_str!("../../sdk/src/repetition.rs")),
    ("sample.rs", include_str!("../../sdk/src/sample.rs")),
    ("shape.rs", include_str!("../../sdk/src/shape.rs")),
    ("tags.rs", include_str!("../../sdk/src/tags.rs")),
    ("words.rs", include_str!("../../sdk/src/words.rs")),
];

/// Name of the crate candidates are compiled against.
pub(crate) const CRATE: &str = "reward_sdk";
const FLAGS: [&str; 10] = [
    "--edition=2024",
    "--crate-type=rlib",
    "-Cpanic=abort",
    "-Copt-level=3",
    "-Cdebuginfo=0",
    "-Ccodegen-units=1",
    "-Cstrip=symbols",
    "-Coverflow-checks=off",
    "--cap-lints=allow",
    "--color=never",
];

/// The compiled SDK in the cache, built if it is not there. Several processes may get here at once: each builds in a folder
/// of its own, and the first to rename it into place wins.
pub(crate) fn ready(cache: &Path, toolchain: &Toolchain) -> Result<PathBuf, HostError> {
    let library = format!("lib{CRATE}.rlib");
    let home = cache.join(format!("sdk-{}", fingerprint(toolchain)));
    if home.join(&library).is_file() {
        return Ok(home.join(library));
    }
    cache::create_private(cache)?;
    let work = tempfile::Builder::new()
        .prefix(".sdk-")
        .tempdir_in(cache)
        .map_err(HostError::io(format!(
            "make a folder in {}",
            cache.display()
        )))?;
    build(work.path(), &library, toolchain)?;
    match fs::rename(work.path(), &home) {
        Ok(()) => {
            // It has a new name, and nothing is left to remove.
            let _ = work.keep();
        }
        Err(_) if home.join(&library).is_file() => {}
        Err(source) => {
            return Err(HostError::Io {
                action: format!("put the guest SDK into {}", home.display()),
                source,
            });
        }
    }
    Ok(home.join(library))
}

fn build(folder: &Path, library: &str, toolchain: &Toolchain) -> Result<(), HostError> {
    let sources = folder.join("src");
    for (name, text) in SOURCES {
        let file = sources.join(name);
        file.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&file, text))
            .map_err(HostError::io(format!("write {}", file.display())))?;
    }
    // Relative names only, so that no path of this machine gets into the library.
    let output = Command::new(&toolchain.rustc)
        .current_dir(folder)
        .args(["--target", TARGET, "--crate-name", CRATE])
        .args(FLAGS)
        .args(["-o", library, "src/lib.rs"])
        .env_remove("RUSTC_BOOTSTRAP")
        .output()
        .map_err(HostError::io(format!("run {}", toolchain.rustc.display())))?;
    if !output.status.success() {
        return Err(HostError::SdkBuild {
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
    }
    fs::remove_dir_all(&sources).map_err(HostError::io(format!("remove {}", sources.display())))
}

/// What the library depends on: compiler, flags, sources.
fn fingerprint(toolchain: &Toolchain) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    add(&toolchain.version);
    FLAGS.iter().for_each(|flag| add(flag));
    for (name, text) in SOURCES {
        add(name);
        add(text);
    }
    hash.finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
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

//! Finds the Rust compiler: the program itself, not rustup's stand-in.
//!
//! Candidates are compiled in an empty folder with an empty environment. There rustup would pick its default toolchain,
//! or none, so the real compiler is asked for once, here, in the caller's folder and environment.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::HostError;

/// The compilation target of guests.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
/// Names a compiler to use instead of the `rustc` on the path.
const OVERRIDE: &str = "REWARD_SEARCH_RUSTC";

/// A compiler that can build guests.
#[derive(Debug, Clone)]
pub(crate) struct Toolchain {
    /// The compiler's own executable.
    pub(crate) rustc: PathBuf,
    /// The folder with its libraries.
    pub(crate) sysroot: PathBuf,
    /// Its full version text, which is part of what identifies a build.
    pub(crate) version: String,
}

impl Toolchain {
    /// Looks for `configured`, else the variable `REWARD_SEARCH_RUSTC`, else `rustc` on the path. It must be able to build guests.
    pub(crate) fn find(configured: Option<&Path>) -> Result<Self, HostError> {
        let found = Self::ask(configured)?;
        if found.has_target() {
            return Ok(found);
        }
        Err(HostError::NoWasmTarget {
            remedy: found.remedy(),
            sysroot: found.sysroot,
        })
    }

    /// The same, whether or not it can build guests.
    pub(crate) fn ask(configured: Option<&Path>) -> Result<Self, HostError> {
        let program = configured
            .map(Path::to_owned)
            .or_else(|| {
                env::var_os(OVERRIDE)
                    .filter(|name| !name.is_empty())
                    .map(PathBuf::from)
            })
            .unwrap_or_else(|| PathBuf::from("rustc"));
        let sysroot = PathBuf::from(ask(&program, &["--print", "sysroot"])?.trim_end());
        let direct = sysroot
            .join("bin")
            .join(format!("rustc{}", env::consts::EXE_SUFFIX));
        // Distributions may keep the executable elsewhere; what was named then is no stand-in.
        let rustc = if direct.is_file() { direct } else { program };
        let version = ask(&rustc, &["--version", "--verbose"])?;
        Ok(Self {
            rustc,
            sysroot,
            version,
        })
    }

    /// Whether the standard library of guests is there.
    pub(crate) fn has_target(&self) -> bool {
        let libraries = self.sysroot.join("lib/rustlib").join(TARGET).join("lib");
        libraries.is_dir()
    }

    /// The command that adds the standard library of guests. It names the toolchain where rustup manages it.
    pub(crate) fn remedy(&self) -> String {
        let is_rustups = self
            .sysroot
            .parent()
            .is_some_and(|p| p.ends_with("toolchains"));
        match self.sysroot.file_name() {
            Some(name) if is_rustups => {
                format!("rustup target add {TARGET} --toolchain {}", name.display())
            }
            _ => format!("rustup target add {TARGET}"),
        }
    }
}

/// What the compiler prints for these arguments.
fn ask(program: &Path, arguments: &[&str]) -> Result<String, HostError> {
    let failure = |reason: String| HostError::NoRustc {
        program: program.to_owned(),
        reason,
    };
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| failure(error.to_string()))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let reason = stderr
            .lines()
            .next()
            .unwrap_or("it fails without a message");
        return Err(failure(reason.to_owned()));
    }
    String::from_utf8(output.stdout).map_err(|_| failure("its answer is not UTF-8".to_owned()))
}

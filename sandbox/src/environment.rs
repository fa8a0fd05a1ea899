//! What of the machine the sandbox depends on, for people to look at: compiler, WebAssembly target, landlock, Python guest,
//! cache. Looking changes nothing and builds nothing.

use std::path::PathBuf;

use serde::Serialize;

use crate::cache;
use crate::compile::FileGuard;
use crate::compile::toolchain::Toolchain;
use crate::error::HostError;
use crate::python::{GuestStatus, guest_status};

/// What [`inspect_host`] found. Where something could not be found out, the error says what to do.
#[derive(Debug, Clone, Serialize)]
pub struct Environment {
    /// The compiler of rewards in Rust.
    pub rustc: Result<Rustc, String>,
    /// What keeps the machine's files from it.
    pub file_guard: FileGuard,
    /// The interpreter of rewards in Python.
    pub python_guest: Result<GuestStatus, String>,
    /// Where the compiled SDK, the interpreter and machine code are kept.
    pub cache: Result<CacheFolder, String>,
}

/// A compiler that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rustc {
    /// Its executable.
    pub program: PathBuf,
    /// The folder of its toolchain.
    pub sysroot: PathBuf,
    /// Its version, e.g. `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub version: String,
    /// The command that makes it able to build WebAssembly, if it is not.
    pub missing_target: Option<String>,
}

/// The folder that the cache is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CacheFolder {
    /// The folder.
    pub path: PathBuf,
    /// Whether it is there; it is made when something is to be kept.
    pub exists: bool,
    /// Why what is in it would not be trusted, if that is so.
    pub distrust: Option<String>,
}

/// Looks at the machine.
#[must_use]
pub fn inspect_host() -> Environment {
    let words = |error: HostError| error.to_string();
    Environment {
        rustc: Toolchain::ask(None).map(Rustc::from).map_err(words),
        file_guard: FileGuard::here(),
        python_guest: guest_status().map_err(words),
        cache: cache::folder().map(CacheFolder::from).map_err(words),
    }
}

impl From<Toolchain> for Rustc {
    fn from(found: Toolchain) -> Self {
        Self {
            missing_target: (!found.has_target()).then(|| found.remedy()),
            version: found.version.lines().next().unwrap_or_default().to_owned(),
            program: found.rustc,
            sysroot: found.sysroot,
        }
    }
}

impl From<PathBuf> for CacheFolder {
    fn from(path: PathBuf) -> Self {
        let exists = path.exists();
        let distrust = exists
            .then(|| cache::check_private(&path))
            .and_then(Result::err);
        Self {
            exists,
            distrust: distrust.map(|error| error.to_string()),
            path,
        }
    }
}

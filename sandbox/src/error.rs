//! Trouble of the host: missing tools, full disks, a broken engine. Never a judgement on a candidate.

use std::io;
use std::path::PathBuf;

use crate::limits::BadLimit;
use crate::rejection::Rejection;

/// The host cannot do its part. Fix it and try again.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// There is no usable rustc.
    #[error(
        "cannot run `{}` ({reason}); install Rust from https://rustup.rs, or name a rustc in the variable REWARD_SEARCH_RUSTC",
        program.display()
    )]
    NoRustc {
        /// What was tried.
        program: PathBuf,
        /// Why it did not do.
        reason: String,
    },
    /// rustc is there, but not its WebAssembly standard library.
    #[error(
        "the Rust toolchain in {} cannot build WebAssembly; run `{remedy}`",
        sysroot.display()
    )]
    NoWasmTarget {
        /// The toolchain's folder.
        sysroot: PathBuf,
        /// The command that adds it.
        remedy: String,
    },
    /// There is no Python to build the Python guest with.
    #[error(
        "Python rewards run in an interpreter that is built once with Python {oldest} or newer, and there is none: {reason}; install Python with its venv module, or name one in the variable REWARD_SEARCH_PYTHON"
    )]
    NoPython {
        /// The oldest version that does.
        oldest: String,
        /// What was tried, and why it did not do.
        reason: String,
    },
    /// A step of building the Python guest failed.
    #[error("the Python guest cannot be built, it fails to {step}: {output}")]
    GuestBuild {
        /// The step.
        step: String,
        /// The last lines it wrote.
        output: String,
    },
    /// Somebody else could have written to the cache, so the machine code in it cannot be trusted.
    #[error(
        "{} cannot be trusted: {reason}; change that, or name another folder for the cache in the variable REWARD_SEARCH_CACHE",
        path.display()
    )]
    CacheNotPrivate {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no folder for the cache.
    #[error(
        "no folder for the cache: set the variable REWARD_SEARCH_CACHE, XDG_CACHE_HOME or HOME"
    )]
    NoCacheFolder,
    /// The guest SDK, which is ours, does not build.
    #[error("the guest SDK does not build with this rustc: {stderr}")]
    SdkBuild {
        /// rustc's messages.
        stderr: String,
    },
    /// The compiler was ended by a signal that is not the candidate's doing, e.g. by the kernel for want of memory.
    #[error(
        "the compiler was killed from outside (signal {signal}); is the machine out of memory?"
    )]
    CompilerKilled {
        /// The signal.
        signal: i32,
    },
    /// The compiler had no room to write.
    #[error("no space left on the disk that holds {}", folder.display())]
    DiskFull {
        /// The compiler's working folder.
        folder: PathBuf,
    },
    /// A file or process operation failed.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was being done, to what.
        action: String,
        /// The system's error.
        source: io::Error,
    },
    /// A limit is impossible.
    #[error("sandbox limits: {0}")]
    Limits(#[from] BadLimit),
    /// The WebAssembly engine does not start or fails on its own account.
    #[error("the WebAssembly engine failed: {message}")]
    Engine {
        /// Its error.
        message: String,
    },
}

impl HostError {
    /// An [`HostError::Io`] for `map_err`.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}

/// Why there is no compiled reward function: because of the candidate, or because of the host.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The candidate is at fault: store the reason, tell the proposer.
    #[error("{0}")]
    Rejected(#[from] Rejection),
    /// The host is at fault: report it, try again.
    #[error("{0}")]
    Host(#[from] HostError),
}

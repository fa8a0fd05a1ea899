//! Compiles candidates: source check, then rustc in an empty folder with an empty environment, under limits.
//!
//! rustc is not made for hostile input: macros read files, constants loop, nesting overflows its stack. The source check
//! refuses what is known; confinement and limits contain the rest. The result is a module of WebAssembly; whether that is
//! fit to run is for [`Sandbox::load`](crate::Sandbox::load) to say.

mod confine;
mod diagnostics;
mod disk;
mod glue;
pub(crate) mod process;
mod sdk;
#[cfg(test)]
mod tests;
pub(crate) mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{CompileError, HostError};
use crate::rejection::{Rejection, line_of_first_error};
use crate::source::{Language, Module, Source};
use crate::{cache, lint};
use confine::Confinement;
pub use confine::FileGuard;
pub use process::end_compilations;
use sdk::Sdk;
use toolchain::{TARGET, Toolchain};

/// Settings of a [`Compiler`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompilerConfig {
    /// Folder for the compiled guest SDK. Absent: `$REWARD_SEARCH_CACHE`, `$XDG_CACHE_HOME/reward-search`, else
    /// `~/.cache/reward-search`.
    pub cache_dir: Option<PathBuf>,
    /// The compiler. Absent: the variable `REWARD_SEARCH_RUSTC`, else `rustc` on the path.
    pub rustc: Option<PathBuf>,
    /// Wall time of one compilation in milliseconds; generous, because the machine may be busy.
    pub wall_timeout_ms: u64,
    /// CPU time of one compilation in seconds (Linux).
    pub cpu_seconds: u64,
    /// Address space of the compiler in MiB (Linux).
    pub memory_mib: u64,
}

impl Default for CompilerConfig {
    fn default() -> Self {
        Self {
            cache_dir: None,
            rustc: None,
            wall_timeout_ms: 60_000,
            cpu_seconds: 10,
            memory_mib: 1024,
        }
    }
}

/// Compiles reward functions. Cheap to clone; may be used from several threads at once.
#[derive(Debug, Clone)]
pub struct Compiler {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: CompilerConfig,
    toolchain: Toolchain,
    sdk: Sdk,
}

/// What rustc is asked to read and to write.
const SOURCE_FILE: &str = "candidate.rs";
const OUTPUT_FILE: &str = "candidate.wasm";
const FLAGS: [&str; 13] = [
    "--edition=2024",
    "--crate-name=candidate",
    "--crate-type=cdylib",
    "-Cpanic=abort",
    "-Copt-level=2",
    "-Cdebuginfo=0",
    "-Cstrip=symbols",
    "-Ccodegen-units=1",
    // The stack of 256 KiB lies before the data, so that what a call dirties is close together.
    "-Clink-arg=-zstack-size=262144",
    // Enough for an ordinary reward: growing would cost two system calls a sample.
    "-Clink-arg=--initial-memory=2097152",
    // A thread for each of many cores would not fit into the address space that the compiler gets.
    "-Clink-arg=--threads=1",
    "--cap-lints=allow",
    "--color=never",
];

impl Compiler {
    /// Finds rustc and builds the guest SDK, if the cache does not hold it.
    ///
    /// # Errors
    /// When there is no rustc, no WebAssembly target, or no place for the cache.
    pub fn new(config: CompilerConfig) -> Result<Self, HostError> {
        let toolchain = Toolchain::find(config.rustc.as_deref())?;
        let cache = config.cache_dir.clone().map_or_else(cache::folder, Ok)?;
        // rustc is run in another folder.
        let cache = std::path::absolute(&cache)
            .map_err(HostError::io(format!("find {}", cache.display())))?;
        let sdk = sdk::ready(&cache, &toolchain)?;
        Ok(Self {
            shared: Arc::new(Shared {
                config,
                toolchain,
                sdk,
            }),
        })
    }

    /// What keeps rustc from the rest of the machine, in words, for a line of the log.
    #[must_use]
    pub fn confinement(&self) -> &'static str {
        confine::describe()
    }

    /// Compiles a reward function. Blocks for a fraction of a second. Python is only packed: its sandbox reads it.
    ///
    /// # Errors
    /// [`CompileError::Rejected`] with the source's fault, [`CompileError::Host`] with the machine's.
    pub fn compile(&self, source: &Source) -> Result<Module, CompileError> {
        match source.language {
            Language::Rust => {
                let entry = lint::check(&source.code)?.map_err(Rejection::from)?;
                self.build(&source.code, entry)
            }
            Language::Python => Ok(Module::python(&source.code)),
        }
    }

    /// Hands a source to rustc as it is.
    fn build(&self, code: &str, entry: lint::Entry) -> Result<Module, CompileError> {
        let work = process::folder()?;
        let input = work.path().join(SOURCE_FILE);
        let text = format!("{code}\n{}", glue::glue(entry));
        fs::write(&input, &text).map_err(HostError::io(format!("write {}", input.display())))?;
        let finished = self.rustc(work.path())?;
        let judged = self.judge(&finished, &text, work.path());
        judged.map_err(|error| blamed_on_the_entry(error, code, entry))?;
        let output = work.path().join(OUTPUT_FILE);
        let wasm =
            fs::read(&output).map_err(HostError::io(format!("read {}", output.display())))?;
        Ok(Module::compiled(wasm))
    }

    fn rustc(&self, work: &Path) -> Result<process::Finished, HostError> {
        let Shared {
            config,
            toolchain,
            sdk,
        } = &*self.shared;
        let mut command = process::leashed(&toolchain.rustc);
        command
            .current_dir(work)
            .env_clear()
            .env("TMPDIR", work)
            .args(["--target", TARGET])
            .args(FLAGS)
            .arg("--sysroot")
            .arg(&toolchain.sysroot)
            .args(sdk.arguments())
            .args(["-o", OUTPUT_FILE, SOURCE_FILE]);
        let confinement = Confinement {
            readable: &[&toolchain.sysroot, &sdk.folder],
            writable: work,
            cpu_seconds: config.cpu_seconds,
            memory_bytes: config.memory_mib << 20,
        };
        confine::run(
            &mut command,
            Duration::from_millis(config.wall_timeout_ms),
            &confinement,
        )
    }

    /// Whose fault it is if there is no module.
    fn judge(
        &self,
        finished: &process::Finished,
        text: &str,
        work: &Path,
    ) -> Result<(), CompileError> {
        let Shared {
            config,
            toolchain,
            sdk,
        } = &*self.shared;
        if finished.timed_out {
            return Err(Rejection::CompileTimedOut {
                seconds: config.wall_timeout_ms.div_ceil(1000),
            }
            .into());
        }
        if finished.status.success() {
            return Ok(());
        }
        // Whether the disk is full is asked of the disk: the compiler's words quote the candidate's.
        if disk::is_full(work) {
            return Err(HostError::DiskFull {
                folder: work.to_owned(),
            }
            .into());
        }
        // A compiler whose folder was taken away says things that are no fault of the source.
        fs::metadata(work.join(SOURCE_FILE)).map_err(HostError::io(format!(
            "find what was being compiled in {}",
            work.display()
        )))?;
        let given = diagnostics::Given {
            name: SOURCE_FILE,
            text,
        };
        let paths = [
            (work, "."),
            (sdk.folder.as_path(), "<sdk>"),
            (toolchain.sysroot.as_path(), "<rust>"),
        ];
        let stderr = diagnostics::clean(&finished.stderr, &given, &paths);
        Err(match process::ended_by(&finished.status) {
            process::EndedBy::Itself => Rejection::Compile { stderr }.into(),
            process::EndedBy::CpuLimit => Rejection::CompileTimedOut {
                seconds: config.cpu_seconds,
            }
            .into(),
            process::EndedBy::FileLimit(signal) => Rejection::CompilerCrashed {
                signal,
                stderr: "error: the compiled file is too large; make tables and statics smaller"
                    .to_owned(),
            }
            .into(),
            process::EndedBy::Crash(signal) => Rejection::CompilerCrashed { signal, stderr }.into(),
            process::EndedBy::Outside(signal) => HostError::CompilerKilled { signal }.into(),
        })
    }
}

/// What rustc says of the lines that the host appended is about the types of the entry, which are called there.
fn blamed_on_the_entry(error: CompileError, code: &str, entry: lint::Entry) -> CompileError {
    let CompileError::Rejected(Rejection::Compile { stderr }) = &error else {
        return error;
    };
    if line_of_first_error(stderr).is_none_or(|line| line <= code.lines().count()) {
        return error;
    }
    let head = format!("fn {}(", entry.name());
    let line = code.lines().position(|line| line.contains(&head));
    Rejection::Forbidden {
        rule: "entry".to_owned(),
        what: format!("the entry must be `{}`", entry.signature()),
        line: line.map_or(1, |line| line + 1),
    }
    .into()
}

//! Makes machine code of a stranger's module in a process of its own, with limits of CPU time and memory.
//!
//! What code generation takes can be bounded by a look at the module only roughly, and what it takes it takes from the process it
//! runs in. So modules that this process has not compiled itself (exports, files, databases) are handed to a second process of
//! the same program, which may fail.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{env, fs};

use wasmtime::{Engine, Module as Code};

use super::host::code_config;
use crate::cache::machine_code;
use crate::compile::process;
use crate::engine_error::{engine_error, one_line};
use crate::error::{CompileError, HostError};
use crate::limits::Limits;
use crate::rejection::Rejection;

/// Set for the second process: the limits of the sandbox, in JSON.
const REQUEST: &str = "REWARD_SEARCH_MAKE_MACHINE_CODE";
const MODULE: &str = "module.wasm";
const MACHINE_CODE: &str = "module.cwasm";
const REASON: &str = "reason.txt";
/// CPU time of the second process.
const CPU_SECONDS: u64 = 10;
/// What it may map beyond what it begins with.
const MEMORY_BYTES: u64 = 400 << 20;
/// Generous, because the machine may be busy.
const WALL_LIMIT: Duration = Duration::from_secs(120);
/// Exit status where the module is at fault, with the reason in a file.
const REFUSED: u8 = 3;

static ANSWERS: AtomicBool = AtomicBool::new(false);

/// For the beginning of `main`: answers the request, if this process was started to make machine code. Otherwise it says nothing, and
/// from then on this program is used for that; a program that never calls this compiles modules in its own process.
#[must_use]
pub fn make_machine_code_if_asked() -> Option<ExitCode> {
    let Some(limits) = env::var_os(REQUEST) else {
        ANSWERS.store(true, Ordering::Relaxed);
        return None;
    };
    Some(match answer(&limits.to_string_lossy()) {
        Ok(()) => ExitCode::SUCCESS,
        // Where the reason cannot be written the host is in trouble, whatever the module is.
        Err(Unmade::Refused(reason)) => match fs::write(REASON, reason) {
            Ok(()) => ExitCode::from(REFUSED),
            Err(_) => ExitCode::FAILURE,
        },
        Err(Unmade::Trouble) => ExitCode::FAILURE,
    })
}

/// Why there is no machine code.
enum Unmade {
    /// The module is at fault.
    Refused(String),
    /// The host is.
    Trouble,
}

/// The second process's work, in the folder it was started in.
fn answer(limits: &str) -> Result<(), Unmade> {
    let limits: Limits = serde_json::from_str(limits).map_err(|_| Unmade::Trouble)?;
    let wasm = fs::read(MODULE).map_err(|_| Unmade::Trouble)?;
    restrain_self().map_err(|_| Unmade::Trouble)?;
    let code = Engine::new(&code_config(&limits))
        .and_then(|engine| engine.precompile_module(&wasm))
        .map_err(|error| Unmade::Refused(one_line(&error)))?;
    fs::write(MACHINE_CODE, code).map_err(|_| Unmade::Trouble)
}

/// Limits this process's CPU time and memory. What is mapped now does not count: a program may be linked to large libraries.
#[cfg(target_os = "linux")]
fn restrain_self() -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let status = fs::read_to_string("/proc/self/status")?;
    let mapped = status.lines().find_map(|line| {
        let size = line.strip_prefix("VmSize:")?.trim().strip_suffix(" kB")?;
        size.parse::<u64>().ok()
    });
    let memory = (mapped.unwrap_or(0) << 10) + MEMORY_BYTES;
    for (resource, current, maximum) in [
        (Resource::Cpu, CPU_SECONDS, CPU_SECONDS + 2),
        (Resource::As, memory, memory),
        (Resource::Core, 0, 0),
    ] {
        let limit = Rlimit {
            current: Some(current),
            maximum: Some(maximum),
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}

/// Elsewhere the wall clock is what there is.
#[cfg(not(target_os = "linux"))]
fn restrain_self() -> std::io::Result<()> {
    Ok(())
}

/// Whether this program can be asked.
pub(super) fn is_possible() -> bool {
    ANSWERS.load(Ordering::Relaxed)
}

/// The module's machine code, made by a second process of this program.
pub(super) fn compile(engine: &Engine, limits: &Limits, wasm: &[u8]) -> Result<Code, CompileError> {
    let work = process::folder()?;
    let at = |name: &str| work.path().join(name);
    write(&at(MODULE), wasm)?;
    let limits = serde_json::to_string(limits).map_err(|error| HostError::Engine {
        message: error.to_string(),
    })?;
    let mut command = process::leashed(&this_program()?);
    command
        .current_dir(work.path())
        .env_clear()
        .env(REQUEST, limits);
    // A program that needs it to find its libraries needs it here, too.
    if let Some(libraries) = env::var_os("LD_LIBRARY_PATH") {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    let finished = process::run(&mut command, WALL_LIMIT, |_| Ok(()))?;
    let out_of_time = Rejection::CompileTimedOut {
        seconds: CPU_SECONDS,
    };
    if finished.timed_out {
        return Err(out_of_time.into());
    }
    if finished.status.success() {
        let code = fs::read(at(MACHINE_CODE)).map_err(HostError::io("read machine code"))?;
        return Ok(machine_code::of_own_process(engine, &code).map_err(engine_error)?);
    }
    if finished.status.code() == Some(REFUSED.into()) {
        let message = fs::read_to_string(at(REASON));
        let message = message.map_err(HostError::io("read why there is no machine code"))?;
        return Err(Rejection::Malformed { message }.into());
    }
    match process::ended_by(&finished.status) {
        process::EndedBy::CpuLimit => Err(out_of_time.into()),
        process::EndedBy::Crash(_) | process::EndedBy::FileLimit(_) => Err(Rejection::TooLarge {
            what: "the memory to make machine code of the module".to_owned(),
            size: (MEMORY_BYTES >> 20) + 1,
            limit: MEMORY_BYTES >> 20,
            unit: "MiB".to_owned(),
        }
        .into()),
        process::EndedBy::Outside(signal) => Err(HostError::CompilerKilled { signal }.into()),
        process::EndedBy::Itself => Err(HostError::Engine {
            message: format!(
                "the process that makes machine code ended with {}",
                finished.status
            ),
        }
        .into()),
    }
}

/// This program's executable. The name that Linux gives it holds also where the file was replaced meanwhile.
fn this_program() -> Result<PathBuf, HostError> {
    // Not `self`: a shell reads it.
    let name = PathBuf::from(format!("/proc/{}/exe", std::process::id()));
    if name.exists() {
        return Ok(name);
    }
    env::current_exe().map_err(HostError::io("find this program's executable"))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), HostError> {
    fs::write(path, bytes).map_err(HostError::io(format!("write {}", path.display())))
}

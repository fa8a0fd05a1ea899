//! Keeps rustc from the rest of the machine while it reads an untrusted source.
//!
//! On Linux a thread shuts itself in with landlock (files: the toolchain, the system's libraries, its own folder; no TCP)
//! and starts the compiler, which inherits that for good; then the compiler's CPU time, address space and file size are
//! limited from outside. A thread is enough, because landlock restricts the calling thread and its children only: no helper
//! process and no code between fork and exec. The few instructions before the limits take hold are the loader's, not the
//! source's. Elsewhere, and on kernels without landlock, the empty environment, the empty folder and the wall-clock limit
//! remain.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::Serialize;

use super::process::{self, Finished};
use crate::error::HostError;

/// What a compilation may touch and use.
pub(crate) struct Confinement<'a> {
    /// Files and folders it may read and execute, besides the system's libraries.
    pub(crate) readable: &'a [&'a Path],
    /// The folder it may write to.
    pub(crate) writable: &'a Path,
    pub(crate) cpu_seconds: u64,
    pub(crate) memory_bytes: u64,
}

#[cfg(target_os = "linux")]
use linux::here;
#[cfg(target_os = "linux")]
pub(crate) use linux::{describe, run};

/// What keeps the machine's files from rustc while it compiles a candidate that got past the source check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileGuard {
    /// Landlock with all its rules.
    Landlock,
    /// An older landlock: files are guarded, some other ways out are not.
    OlderLandlock,
    /// Nothing: the system has no landlock.
    Nothing,
}

impl FileGuard {
    /// What holds on this machine.
    #[must_use]
    pub fn here() -> Self {
        here()
    }

    /// Whether rustc is kept from the user's files.
    #[must_use]
    pub const fn holds(self) -> bool {
        !matches!(self, Self::Nothing)
    }
}

#[cfg(not(target_os = "linux"))]
const fn here() -> FileGuard {
    FileGuard::Nothing
}

/// What keeps rustc from the rest of the machine, in words.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn describe() -> &'static str {
    "empty environment, empty folder, wall-clock limit (this system has no landlock)"
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn run(
    command: &mut Command,
    limit: Duration,
    _: &Confinement<'_>,
) -> Result<Finished, HostError> {
    process::run(command, limit, |_| Ok(()))
}

#[cfg(target_os = "linux")]
mod linux {
    use std::sync::OnceLock;
    use std::thread;

    use landlock::{
        ABI, Access, AccessFs, AccessNet, PathBeneath, PathFd, Ruleset, RulesetAttr,
        RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
    };
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    use super::{Command, Confinement, Duration, FileGuard, Finished, HostError, Path, process};

    /// Where the dynamic loader looks, on the usual distributions.
    const SYSTEM_LIBRARIES: [&str; 7] = [
        "/lib",
        "/lib32",
        "/lib64",
        "/usr/lib",
        "/usr/lib64",
        "/etc/ld.so.cache",
        "/nix/store",
    ];
    /// Largest file the compiler may write.
    const FILE_BYTES: u64 = 64 << 20;
    /// The newest landlock the rules below were written for; older kernels enforce what they know of it.
    const LANDLOCK: ABI = ABI::V6;

    pub(crate) fn run(
        command: &mut Command,
        limit: Duration,
        confinement: &Confinement<'_>,
    ) -> Result<Finished, HostError> {
        // The restriction lasts as long as the thread, so it gets one of its own.
        thread::scope(|scope| {
            let worker = thread::Builder::new()
                .name("sandbox-rustc".to_owned())
                .spawn_scoped(scope, || {
                    let status = shut_in(confinement).map_err(|error| HostError::Io {
                        action: "confine the compiler with landlock".to_owned(),
                        source: std::io::Error::other(error),
                    })?;
                    if status == RulesetStatus::NotEnforced {
                        warn_once();
                    }
                    process::run(command, limit, |child| {
                        restrain(Pid::from_child(child), confinement)
                    })
                })
                .map_err(HostError::io("start the thread that runs rustc"))?;
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Restricts the calling thread and all it starts from now on.
    fn shut_in(confinement: &Confinement<'_>) -> Result<RulesetStatus, RulesetError> {
        let read = AccessFs::from_read(LANDLOCK);
        let all = AccessFs::from_all(LANDLOCK);
        let mut rules = Ruleset::default()
            .handle_access(all)?
            .handle_access(AccessNet::from_all(LANDLOCK))?
            .scope(Scope::from_all(LANDLOCK))?
            .create()?;
        let system = SYSTEM_LIBRARIES.iter().map(Path::new);
        let shell = std::iter::once(Path::new(process::SHELL));
        let readable = confinement
            .readable
            .iter()
            .copied()
            .chain(system)
            .chain(shell)
            .map(|path| (path, read));
        let device = (
            Path::new("/dev/null"),
            AccessFs::ReadFile | AccessFs::WriteFile,
        );
        for (path, access) in
            readable.chain([(confinement.writable, all & !AccessFs::Execute), device])
        {
            // What is not there needs no permission.
            let Ok(file) = PathFd::new(path) else {
                continue;
            };
            let access = if path.is_dir() {
                access
            } else {
                access & AccessFs::from_file(LANDLOCK)
            };
            rules = rules.add_rule(PathBeneath::new(file, access))?;
        }
        Ok(rules.restrict_self()?.ruleset)
    }

    /// Limits a process that was just started. That it is gone already is no error.
    fn restrain(child: Pid, confinement: &Confinement<'_>) -> Result<(), HostError> {
        let limits = [
            (
                Resource::Cpu,
                confinement.cpu_seconds,
                confinement.cpu_seconds + 2,
            ),
            (
                Resource::As,
                confinement.memory_bytes,
                confinement.memory_bytes,
            ),
            (Resource::Fsize, FILE_BYTES, FILE_BYTES),
            (Resource::Core, 0, 0),
        ];
        for (resource, current, maximum) in limits {
            let limit = Rlimit {
                current: Some(current),
                maximum: Some(maximum),
            };
            match prlimit(Some(child), resource, limit) {
                Ok(_) | Err(rustix::io::Errno::SRCH) => {}
                Err(error) => {
                    return Err(HostError::Io {
                        action: "limit the compiler's resources".to_owned(),
                        source: error.into(),
                    });
                }
            }
        }
        Ok(())
    }

    fn warn_once() {
        static WARNED: OnceLock<()> = OnceLock::new();
        WARNED.get_or_init(|| {
            tracing::warn!(
                "this kernel has no landlock: rustc is kept in by the source check, an empty environment, resource limits and a time-out alone"
            );
        });
    }

    /// What holds on this kernel, found out once on a thread that is thrown away.
    pub(super) fn here() -> FileGuard {
        static HERE: OnceLock<FileGuard> = OnceLock::new();
        *HERE.get_or_init(|| {
            let nothing = Confinement {
                readable: &[],
                writable: Path::new("/dev/null"),
                cpu_seconds: 0,
                memory_bytes: 0,
            };
            let status = thread::spawn(move || shut_in(&nothing)).join();
            guard(status.ok().and_then(Result::ok))
        })
    }

    /// What a status of landlock stands for; none where it could not even be asked.
    const fn guard(status: Option<RulesetStatus>) -> FileGuard {
        match status {
            Some(RulesetStatus::FullyEnforced) => FileGuard::Landlock,
            Some(RulesetStatus::PartiallyEnforced) => FileGuard::OlderLandlock,
            Some(RulesetStatus::NotEnforced) | None => FileGuard::Nothing,
        }
    }

    /// What keeps rustc from the rest of the machine, in words.
    pub(crate) fn describe() -> &'static str {
        match here() {
            FileGuard::Landlock => {
                "landlock, resource limits, empty environment, empty folder, wall-clock limit"
            }
            FileGuard::OlderLandlock => {
                "landlock (as far as this kernel knows it), resource limits, empty environment, empty folder, wall-clock limit"
            }
            FileGuard::Nothing => {
                "resource limits, empty environment, empty folder, wall-clock limit (this kernel has no landlock)"
            }
        }
    }

    #[cfg(test)]
    mod tests {
        #![allow(clippy::unwrap_used)]

        use super::*;

        #[test]
        fn a_kernel_without_landlock_is_said_to_have_none() {
            for status in [Some(RulesetStatus::NotEnforced), None] {
                assert!(!guard(status).holds());
            }
            assert!(guard(Some(RulesetStatus::PartiallyEnforced)).holds());
        }

        #[test]
        fn a_child_has_the_limits_and_no_environment() {
            let folder = tempfile::tempdir().unwrap();
            let confinement = Confinement {
                readable: &[Path::new("/bin"), Path::new("/usr/bin")],
                writable: folder.path(),
                cpu_seconds: 7,
                memory_bytes: 900 << 20,
            };
            // The limits are set from outside right after the start.
            let mut command = Command::new("/bin/sh");
            command.current_dir(folder.path()).env_clear().args([
                "-c",
                "sleep 0.3; { ulimit -St; ulimit -Ht; ulimit -v; ulimit -f; ulimit -c; export -p; ls -A; } >&2",
            ]);
            let finished = run(&mut command, Duration::from_secs(30), &confinement).unwrap();
            let said: Vec<&str> = finished.stderr.lines().collect();
            let blocks = (FILE_BYTES / 512).to_string();
            assert_eq!(
                said[..5],
                ["7", "9", "921600", blocks.as_str(), "0"],
                "{said:?}"
            );
            // What the shell exports itself, and no file in the folder.
            assert!(
                said[5..].iter().all(|line| line.contains("PWD")),
                "{said:?}"
            );
        }
    }
}

//! Finds the Rust compiler: the program itself, not rustup's stand-in.
//!
//! Candidates are compiled in an empty folder with an empty environment. There rustup would pick its default toolchain,
//! or none, so the real compiler is asked for once, here. It is asked in the root folder: in the caller's, a file
//! `rust-toolchain.toml` could name any program to be run. And it gets a few variables only, so that no key gets there.

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
        let named = configured.map(Path::to_owned).or_else(|| {
            env::var_os(OVERRIDE)
                .filter(|name| !name.is_empty())
                .map(PathBuf::from)
        });
        let (program, sysroot) = match named {
            Some(program) => {
                let program = absolute_if_path(program);
                let sysroot = sysroot_of(&program, None)?;
                (program, sysroot)
            }
            None => on_the_path()?,
        };
        let direct = sysroot
            .join("bin")
            .join(format!("rustc{}", env::consts::EXE_SUFFIX));
        // Distributions may keep the executable elsewhere; what was named then is no stand-in.
        let rustc = if direct.is_file() { direct } else { program };
        let version = ask(&rustc, &["--version", "--verbose"], None)?;
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

/// The `rustc` on the path and its toolchain. Where that is rustup's: the toolchain that the variable `RUSTUP_TOOLCHAIN` names, else
/// the one this program was built with, if it is installed, else the default.
fn on_the_path() -> Result<(PathBuf, PathBuf), HostError> {
    let program = PathBuf::from("rustc");
    let is_chosen = env::var_os("RUSTUP_TOOLCHAIN").is_some();
    let built_with = option_env!("SANDBOX_TOOLCHAIN").filter(|_| !is_chosen);
    let sysroot = match built_with.map(|name| sysroot_of(&program, Some(name))) {
        Some(Ok(sysroot)) => sysroot,
        _ => sysroot_of(&program, None)?,
    };
    Ok((program, sysroot))
}

fn sysroot_of(program: &Path, toolchain: Option<&str>) -> Result<PathBuf, HostError> {
    let answer = ask(program, &["--print", "sysroot"], toolchain)?;
    Ok(PathBuf::from(answer.trim_end()))
}

/// A program named by a relative path is meant to lie in the caller's folder; one without a folder is looked for on the path.
fn absolute_if_path(program: PathBuf) -> PathBuf {
    match program.components().count() {
        1 => program,
        _ => std::path::absolute(&program).unwrap_or(program),
    }
}

/// What rustup needs to find a toolchain, and a system to start a program.
const PASSED_ON: [&str; 10] = [
    "PATH",
    "HOME",
    "USERPROFILE",
    "SYSTEMROOT",
    "RUSTUP_HOME",
    "CARGO_HOME",
    "RUSTUP_TOOLCHAIN",
    "RUSTUP_AUTO_INSTALL",
    "TMPDIR",
    "TEMP",
];

/// What the compiler prints for these arguments; rustup's, for a toolchain if it is installed.
fn ask(program: &Path, arguments: &[&str], toolchain: Option<&str>) -> Result<String, HostError> {
    let failure = |reason: String| HostError::NoRustc {
        program: program.to_owned(),
        reason,
    };
    let mut command = Command::new(program);
    command.args(arguments).current_dir("/").env_clear();
    let passed_on = PASSED_ON.into_iter();
    command.envs(passed_on.filter_map(|name| Some((name, env::var_os(name)?))));
    if let Some(toolchain) = toolchain {
        command
            .env("RUSTUP_TOOLCHAIN", toolchain)
            .env("RUSTUP_AUTO_INSTALL", "0");
    }
    let output = command
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

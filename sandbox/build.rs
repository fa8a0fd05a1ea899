//! Builds the regular-expression module (`regex-module`) to WebAssembly, to be embedded in this crate. Adds the WebAssembly
//! target to the toolchain, should it be missing. (`wasm-target.sh` does so, too, when a build begins: cargo gets to this script late.)
//!
//! It is a package of its own with its own lock file, built by the cargo that builds this crate. Its sources are those the
//! workspace depends on anyway, so nothing is fetched that is not there already.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const TARGET: &str = "wasm32-unknown-unknown";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=regex-module");
    println!("cargo::rerun-if-changed=sdk/src/allocator.rs");
    // Rewards are compiled with the toolchain that compiled this program, where rustup has it.
    if let Ok(toolchain) = variable("RUSTUP_TOOLCHAIN") {
        println!("cargo::rustc-env=SANDBOX_TOOLCHAIN={toolchain}");
    }
    match add_target().and_then(|()| build()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            println!("cargo::error={reason}");
            ExitCode::FAILURE
        }
    }
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("{name} is not set"))
}

/// Makes sure that the toolchain can build WebAssembly.
fn add_target() -> Result<(), String> {
    let asked = Command::new(variable("RUSTC")?)
        .args(["--print", "sysroot"])
        .output()
        .map_err(|error| format!("cannot run rustc: {error}"))?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&asked.stdout).trim_end());
    if sysroot
        .join("lib/rustlib")
        .join(TARGET)
        .join("lib")
        .is_dir()
    {
        return Ok(());
    }
    let toolchain = sysroot.file_name().unwrap_or_default().to_string_lossy();
    let arguments = ["target", "add", TARGET, "--toolchain", &toolchain];
    let added = Command::new("rustup").args(arguments).status();
    if added.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(format!(
        "the Rust toolchain in {} cannot build WebAssembly; run `rustup {}`",
        sysroot.display(),
        arguments.join(" ")
    ))
}

fn build() -> Result<(), String> {
    let package = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("regex-module");
    let out = PathBuf::from(variable("OUT_DIR")?);
    let target = out.join("regex-module");
    let mut cargo = Command::new(variable("CARGO")?);
    cargo
        .args(["build", "--release", "--locked", "--target", TARGET])
        .arg("--manifest-path")
        .arg(package.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(&package).join("\u{1f}"));
    // What is meant for this build (another target, clippy in place of rustc, an incremental build, a profile of one's own) is
    // not meant for that one: the module is the same in every build of this crate, and so is the fuel that searches take.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let is_meant_for_this = [
            "RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "RUSTC_WORKSPACE_WRAPPER",
            "CARGO_INCREMENTAL",
        ]
        .contains(&&*name);
        if is_meant_for_this || name.starts_with("CARGO_PROFILE_") {
            cargo.env_remove(&*name);
        }
    }
    let status = cargo.status().map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(format!(
            "cannot build sandbox/regex-module: its cargo ended with {status}"
        ));
    }
    let built = target.join(TARGET).join("release/regex_module.wasm");
    std::fs::copy(&built, out.join("regex.wasm"))
        .map_err(|error| format!("cannot copy {}: {error}", built.display()))?;
    Ok(())
}

/// No path of this machine in the module, and a stack small enough to be cheap and large enough for patterns in nests.
fn flags(package: &Path) -> Vec<String> {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let mut flags = vec![
        format!("--remap-path-prefix={}=.", package.display()),
        "-Clink-arg=-zstack-size=262144".to_owned(),
        // Enough for some ten patterns: growing costs two system calls a batch.
        "-Clink-arg=--initial-memory=1048576".to_owned(),
    ];
    flags.extend(home.map(|home| format!("--remap-path-prefix={}=.", home.display())));
    flags
}

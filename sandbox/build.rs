//! Builds the regular-expression module (`regex-module`) to WebAssembly, to be embedded in this crate.
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
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            println!("cargo::error=cannot build sandbox/regex-module: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let variable = |name: &str| env::var(name).map_err(|_| format!("{name} is not set"));
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
    // What is meant for this build (another target, clippy in place of rustc) is not meant for that one.
    for name in ["RUSTFLAGS", "CARGO_BUILD_TARGET", "RUSTC_WORKSPACE_WRAPPER"] {
        cargo.env_remove(name);
    }
    let status = cargo.status().map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(format!(
            "its cargo ended with {status}; where the target {TARGET} is missing, run `rustup target add {TARGET}`"
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

//! Builds the modules that are part of the sandbox to WebAssembly, to be embedded in this crate: regular expressions (`regex-module`), and the
//! rules that judge answers (`evaluator/verdict-module`). Adds the WebAssembly target to the toolchain, should it be missing.
//! (`wasm-target.sh` does so, too, when a build begins: cargo gets to this script late.)
//!
//! Each is a package of its own with its own lock file, built by the cargo that builds this crate. Their sources are those the
//! workspace depends on anyway, so nothing is fetched that is not there already.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const TARGET: &str = "wasm32-unknown-unknown";

/// A package that becomes a module.
struct WasmModule {
    /// Its folder, from the workspace's on.
    package: &'static str,
    /// What it is made of beside that, from the workspace's folder on.
    also: &'static [&'static str],
    /// The name of its library.
    library: &'static str,
    /// The file in `OUT_DIR` that it becomes.
    file: &'static str,
    /// Its flags for rustc.
    flags: &'static [&'static str],
}

const MODULES: [WasmModule; 2] = [
    WasmModule {
        package: "sandbox/regex-module",
        also: &["sandbox/sdk/src/allocator.rs"],
        library: "regex_module",
        file: "regex.wasm",
        flags: &[
            // A stack small enough to be cheap and large enough for patterns in nests.
            "-Clink-arg=-zstack-size=262144",
            // Enough for some ten patterns: growing costs two system calls a batch.
            "-Clink-arg=--initial-memory=1048576",
        ],
    },
    WasmModule {
        package: "evaluator/verdict-module",
        also: &["evaluator/src", "evaluator/Cargo.toml"],
        library: "verdict_module",
        file: "verdict.wasm",
        flags: &["-Clink-arg=-zstack-size=1048576"],
    },
];

fn main() -> ExitCode {
    for module in &MODULES {
        for path in [module.package].iter().chain(module.also) {
            println!("cargo::rerun-if-changed=../{path}");
        }
    }
    // Rewards are compiled with the toolchain that compiled this program, where rustup has it.
    if let Ok(toolchain) = variable("RUSTUP_TOOLCHAIN") {
        println!("cargo::rustc-env=SANDBOX_TOOLCHAIN={toolchain}");
    }
    match add_target().and_then(|()| MODULES.iter().try_for_each(build)) {
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

fn build(module: &WasmModule) -> Result<(), String> {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let workspace = here.parent().ok_or("this crate lies in no workspace")?;
    let package = workspace.join(module.package);
    let out = PathBuf::from(variable("OUT_DIR")?);
    let target = out.join(module.library);
    let mut cargo = Command::new(variable("CARGO")?);
    cargo
        .args(["build", "--release", "--locked", "--target", TARGET])
        .arg("--manifest-path")
        .arg(package.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            flags(module, &package).join("\u{1f}"),
        );
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
            "cannot build {}: its cargo ended with {status}",
            package.display()
        ));
    }
    let built = target
        .join(TARGET)
        .join("release")
        .join(format!("{}.wasm", module.library));
    std::fs::copy(&built, out.join(module.file))
        .map_err(|error| format!("cannot copy {}: {error}", built.display()))?;
    Ok(())
}

/// The module's own flags, and no path of this machine in it.
fn flags(module: &WasmModule, package: &Path) -> Vec<String> {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let remap = |path: &Path| format!("--remap-path-prefix={}=.", path.display());
    // The verdict module's package lies in what it is made of. Of several prefixes the last one counts.
    let mut flags: Vec<String> = package.parent().map(remap).into_iter().collect();
    flags.push(remap(package));
    flags.extend(module.flags.iter().map(|flag| (*flag).to_owned()));
    flags.extend(home.as_deref().map(remap));
    flags
}

//! What a compiler needs from the machine, and what it says where that is missing.

use std::fs;
use std::path::PathBuf;
use std::thread;

use sandbox::{Compiler, CompilerConfig, HostError, Source};

#[test]
fn a_missing_rustc_is_named_with_the_way_out() {
    let config = CompilerConfig {
        rustc: Some(PathBuf::from("/no/such/rustc")),
        ..CompilerConfig::default()
    };
    let error = Compiler::new(config).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot run `/no/such/rustc` ("),
        "{error}"
    );
    assert!(error.ends_with("install Rust from https://rustup.rs, or name a rustc in the variable REWARD_SEARCH_RUSTC"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_toolchain_without_webassembly_says_what_to_install() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let rustc = folder.path().join("rustc");
    fs::write(
        &rustc,
        format!(
            "#!/bin/sh\ncase \"$1\" in --print) echo {};; *) echo rustc 0.0.0;; esac\n",
            folder.path().display()
        ),
    )
    .unwrap();
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755)).unwrap();
    let error = Compiler::new(CompilerConfig {
        rustc: Some(rustc),
        ..CompilerConfig::default()
    })
    .unwrap_err();
    assert!(matches!(error, HostError::NoWasmTarget { .. }));
    assert!(
        error
            .to_string()
            .ends_with("run `rustup target add wasm32-unknown-unknown`"),
        "{error}"
    );
}

#[test]
fn a_cache_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Compiler::new(CompilerConfig {
        cache_dir: Some(file.join("cache")),
        ..CompilerConfig::default()
    })
    .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot make the cache folder "),
        "{error}"
    );
}

#[test]
fn several_processes_may_fill_the_cache_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = CompilerConfig {
        cache_dir: Some(folder.path().join("new")),
        ..CompilerConfig::default()
    };
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let compiler = Compiler::new(config.clone()).unwrap();
                compiler
                    .compile(&Source::rust("pub fn reward(_: &Sample) -> f64 { 1.0 }"))
                    .unwrap();
            });
        }
    });
    let left: Vec<_> = fs::read_dir(folder.path().join("new"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].to_string_lossy().starts_with("sdk-"));
}

#[test]
fn the_configuration_has_no_unknown_keys() {
    let some: CompilerConfig = serde_json::from_str(r#"{"wall_timeout_ms": 1000}"#).unwrap();
    assert_eq!(
        some,
        CompilerConfig {
            wall_timeout_ms: 1000,
            ..CompilerConfig::default()
        }
    );
    assert!(serde_json::from_str::<CompilerConfig>(r#"{"timeout": 1}"#).is_err());
}

#[test]
fn what_the_sandbox_depends_on_is_plain_data() {
    let found = sandbox::inspect_host();
    let rustc = found.rustc.as_ref().unwrap();
    assert_eq!(rustc.missing_target, None);
    assert!(rustc.version.starts_with("rustc 1."), "{}", rustc.version);
    assert!(rustc.program.starts_with(&rustc.sysroot));
    assert!(found.cache.as_ref().unwrap().path.is_absolute());
    assert_eq!(found.python_guest.as_ref().unwrap().id.len(), 16);
    let json = serde_json::to_value(&found).unwrap();
    assert!(json["file_guard"].is_string(), "{json}");
}

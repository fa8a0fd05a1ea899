//! Attacks on rustc with the source check out of the way: the confinement alone must hold.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::super::{Compiler, CompilerConfig};
use super::skipping::skip;
use crate::engine::Sandbox;
use crate::error::CompileError;
use crate::limits::Limits;
use crate::lint::Entry;
use crate::rejection::Rejection;
use crate::sample::{Sample, Verdict};
use crate::source::Module;

const SECRET: &str = "sesame-open-4711";

/// A compiler with tight limits; its cache lasts as long as the tests.
fn compiler() -> Compiler {
    static CACHE: OnceLock<TempDir> = OnceLock::new();
    let cache = CACHE.get_or_init(|| tempfile::tempdir().unwrap());
    let config = CompilerConfig {
        cpu_seconds: 2,
        cache_dir: Some(cache.path().to_owned()),
        ..CompilerConfig::default()
    };
    Compiler::new(config).unwrap()
}

/// rustc's answer to a source nobody looked at.
fn build(code: &str) -> Result<Module, Rejection> {
    compiler()
        .build(code, Entry::Sample)
        .map_err(|error| match error {
            CompileError::Rejected(rejection) => rejection,
            CompileError::Host(error) => panic!("the host's trouble: {error}"),
        })
}

fn reward(expression: &str) -> String {
    format!("pub fn reward(sample: &Sample) -> f64 {{ {expression} }}")
}

/// Whether files are guarded here; where they are not, the source check stands alone, and these tests say so.
fn has_landlock() -> bool {
    let guarded = compiler().confinement().starts_with("landlock");
    if !guarded {
        skip("this kernel has no landlock");
    }
    guarded
}

fn secret() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.rs");
    fs::write(&path, SECRET).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn files_cannot_be_read() {
    if !has_landlock() {
        return;
    }
    let (_folder, path) = secret();
    let attacks = [
        reward(&format!("include_str!({path:?}).len() as f64")),
        reward(&format!("f64::from(include_bytes!({path:?})[0])")),
        reward(&format!("include!({path:?})")),
        format!("#[path = {path:?}] mod stolen; {}", reward("1.0")),
        format!(
            "#[cfg_attr(all(), path = {path:?})] mod stolen; {}",
            reward("1.0")
        ),
        format!(
            "#[doc = include_str!({path:?})] struct Stolen; {}",
            reward("1.0")
        ),
        format!(
            "const _: () = assert!(include_bytes!({path:?})[0] == b's'); {}",
            reward("1.0")
        ),
        reward("include_bytes!(\"/dev/zero\").len() as f64"),
        reward("include_bytes!(\"/proc/self/environ\").len() as f64"),
        reward("include_bytes!(\"/etc/passwd\").len() as f64"),
    ];
    for code in attacks {
        match build(&code) {
            Err(Rejection::Compile { stderr }) => {
                assert!(!stderr.contains(SECRET), "{code}\n{stderr}")
            }
            Err(other) => panic!("{code}\n{other}"),
            // rustc never opens a file that a documentation comment names.
            Ok(module) => assert!(!holds(&module, SECRET) && code.contains("doc"), "{code}"),
        }
    }
}

#[test]
fn nothing_is_written_outside() {
    if !has_landlock() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let code = format!(
        "#![crate_name = {:?}] {}",
        target.to_str().unwrap(),
        reward("1.0")
    );
    // The name is not a valid one; what counts is that nothing appears.
    let _ = build(&code);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_environment_is_empty() {
    let module = build(&reward(
        "f64::from(u8::from(option_env!(\"PATH\").is_some() || option_env!(\"HOME\").is_some()))",
    ));
    let sandbox = Sandbox::new(Limits::default()).unwrap();
    let sample = Sample {
        prompt: "",
        completion: "",
        answer: "",
        verdict: &Verdict::NO_ANSWER,
        row: "",
    };
    assert_eq!(
        sandbox.load(&module.unwrap()).unwrap().score(&[sample]),
        Ok(vec![0.0])
    );
    assert_eq!(
        build(&reward("env!(\"PATH\").len() as f64"))
            .unwrap_err()
            .kind(),
        "compile"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn endless_constants_run_into_the_cpu_limit() {
    let code = format!(
        "#[allow(long_running_const_eval)] const ENDLESS: u64 = {{ let mut i = 0_u64; while i < u64::MAX {{ i += 1; }} i }}; {}",
        reward("ENDLESS as f64")
    );
    assert_eq!(build(&code), Err(Rejection::CompileTimedOut { seconds: 2 }));
}

#[test]
fn the_wall_clock_ends_what_the_cpu_limit_does_not() {
    let config = CompilerConfig {
        wall_timeout_ms: 500,
        cpu_seconds: 600,
        ..compiler().shared.config.clone()
    };
    let impatient = Compiler::new(config).unwrap();
    let code = format!(
        "#[allow(long_running_const_eval)] const ENDLESS: u64 = {{ loop {{}} }}; {}",
        reward("ENDLESS as f64")
    );
    let started = Instant::now();
    let error = impatient.build(&code, Entry::Sample).unwrap_err();
    assert!(
        matches!(
            error,
            CompileError::Rejected(Rejection::CompileTimedOut { seconds: 1 })
        ),
        "{error}"
    );
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_compiler_that_breaks_down_is_the_candidates_fault() {
    let attacks = [
        reward(&format!("{}1.0{}", "(".repeat(20_000), ")".repeat(20_000))),
        reward(&format!("{}1.0", "1.0 + ".repeat(20_000))),
        format!(
            "macro_rules! d {{ ($($t:tt)*) => {{ d!($($t)* $($t)*); }} }} d!(x x x x); {}",
            reward("1.0")
        ),
        format!(
            "#![recursion_limit = \"100000000\"] macro_rules! d {{ ($($t:tt)*) => {{ d!($($t)* $($t)*); }} }} d!(x x x x); {}",
            reward("1.0")
        ),
        format!(
            "static ROOM: [u8; 1 << 33] = [7; 1 << 33]; {}",
            reward("f64::from(ROOM[3])")
        ),
        format!(
            "#[unsafe(link_section = \"producers\")] #[used] static S: [u8; 4] = [255; 4]; {}",
            reward("1.0")
        ),
        format!(
            "#[link(wasm_import_module = \"env\")] unsafe extern \"C\" {{ safe fn outside() -> f64; }} {}",
            reward("outside()")
        ),
    ];
    for code in attacks {
        let start: String = code.chars().take(80).collect();
        match build(&code) {
            // What compiles after all is for the loader to judge.
            Ok(module) => {
                let loaded = Sandbox::new(Limits::default()).unwrap().load(&module);
                assert!(
                    loaded.is_ok() || matches!(loaded, Err(CompileError::Rejected(_))),
                    "{start}"
                );
            }
            Err(rejection) => {
                let kind = rejection.kind();
                assert!(
                    matches!(kind, "compile" | "compile_timed_out" | "compiler_crashed"),
                    "{start}: {kind}"
                );
            }
        }
    }
    // And the next one is served as ever.
    assert!(build(&reward("1.0")).is_ok());
}

#[test]
fn a_flood_of_messages_is_cut() {
    let Err(Rejection::Compile { stderr }) = build(&reward(&"nothing_like_this();\n".repeat(100)))
    else {
        panic!("it compiles");
    };
    assert!(
        stderr.len() < 4100 && stderr.contains("cannot find function"),
        "{stderr}"
    );
}

/// Whether the bytes of a text are in a module.
fn holds(module: &Module, text: &str) -> bool {
    module
        .bytes()
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

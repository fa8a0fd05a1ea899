//! The sandbox from outside: source in, scores or reasons out.
#![allow(clippy::unwrap_used, clippy::panic)]

mod bombs;
#[allow(dead_code, reason = "shared with the benchmarks, which use more of it")]
#[path = "../../benches/cpython/mod.rs"]
mod cpython;
mod digest;
mod equality;
mod groups;
mod honest;
mod hostile;
mod mutation;
mod regex;
mod scoring;
mod sdk;
#[path = "../skipping/mod.rs"]
mod skipping;
mod threads;
mod toolchain;

use std::path::PathBuf;
use std::sync::OnceLock;

use sandbox::{
    CompileError, Compiler, CompilerConfig, Limits, Rejection, RewardFn, Sample, Sandbox, Source,
    Verdict,
};

/// One compiler for all tests; its cache stays in the build folder.
fn compiler() -> &'static Compiler {
    static COMPILER: OnceLock<Compiler> = OnceLock::new();
    COMPILER.get_or_init(|| {
        let cache_dir = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("sandbox-cache"));
        Compiler::new(CompilerConfig {
            cache_dir,
            cpu_seconds: 3,
            ..CompilerConfig::default()
        })
        .unwrap()
    })
}

/// One engine with the default limits for all tests.
fn engine() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| Sandbox::new(Limits::default()).unwrap())
}

/// A reward from source.
fn reward(code: &str) -> RewardFn {
    let module = compiler()
        .compile(&Source::rust(code))
        .unwrap_or_else(|error| panic!("{error}\n{code}"));
    engine().load(&module).unwrap()
}

/// A sample without a verdict.
fn sample<'a>(prompt: &'a str, completion: &'a str, answer: &'a str) -> Sample<'a> {
    Sample {
        prompt,
        completion,
        answer,
        verdict: &Verdict::NO_ANSWER,
        row: "",
    }
}

/// The candidate's fault; the host's ends the test.
fn rejection(error: CompileError) -> Rejection {
    match error {
        CompileError::Rejected(rejection) => rejection,
        CompileError::Host(error) => panic!("the host's trouble: {error}"),
    }
}

//! Modules of strangers: a program that answers requests for machine code, as `reward-search` does, makes it of them in a second
//! process. So this test is a program of its own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use sandbox::{Bench, CompileError, Limits, Module, Rejection, Sample, Verdict};

fn main() -> ExitCode {
    if let Some(answered) = sandbox::make_machine_code_if_asked() {
        return answered;
    }
    // As the usual harness does when tests are only listed.
    if std::env::args().any(|argument| argument == "--list") {
        if !std::env::args().any(|argument| argument == "--ignored") {
            println!("a_strangers_module_is_compiled_apart: test");
        }
        return ExitCode::SUCCESS;
    }
    a_strangers_module_is_compiled_apart();
    ExitCode::SUCCESS
}

fn load(text: &str) -> Result<sandbox::RewardFn, Rejection> {
    let module = Module::from_bytes(wat::parse_str(text).unwrap());
    Bench::default()
        .load(&module, &Limits::default())
        .map_err(|error| match error {
            CompileError::Rejected(rejection) => rejection,
            CompileError::Host(error) => panic!("the host's trouble: {error}"),
        })
}

/// A module whose score is the given instructions' result.
fn module(score: &str) -> String {
    format!(
        r#"(module (memory (export "memory") 1)
            (func (export "reward_v2_prepare") (param i32) (result i64) (i64.const 1024))
            (func (export "reward_v2_score") (result f64) {score}))"#
    )
}

fn a_strangers_module_is_compiled_apart() {
    let sample = Sample {
        prompt: "",
        completion: "",
        answer: "",
        verdict: &Verdict::NO_ANSWER,
        row: "",
    };
    let good = load(&module("(f64.const 2.5)")).unwrap();
    assert_eq!(good.score(&[sample]), Ok(vec![2.5]));

    let invalid = load(&module("(i32.const 1)")).unwrap_err();
    assert_eq!(invalid.kind(), "malformed", "{invalid}");
    assert!(invalid.to_string().contains("type mismatch"), "{invalid}");

    // Within all limits that are looked at: thirty functions of long chains.
    let chain = "f64.sqrt f64.abs ".repeat(60_000);
    let functions: String = (0..30)
        .map(|_| format!("(func (result f64) f64.const 1.5 {chain})"))
        .collect();
    let bomb = module("(f64.const 1)").replace("(module ", &format!("(module {functions}"));
    let started = Instant::now();
    let refused = load(&bomb).unwrap_err();
    assert!(
        matches!(refused.kind(), "compile_timed_out" | "too_large"),
        "{refused}"
    );
    println!("the bomb: {refused}, after {:?}", started.elapsed());
    assert_eq!(good.score(&[sample]), Ok(vec![2.5]));
    let took = started.elapsed();
    assert!(took < Duration::from_secs(120), "{took:?}");
}

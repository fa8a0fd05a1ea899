//! The guest SDK: its own tests pass, and its reference speaks of what is there.

use std::path::Path;
use std::process::Command;

use sandbox::{SDK_REFERENCE, Sample, Verdict};

use super::{reward, sample};

#[test]
fn its_own_tests_pass() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/Cargo.toml");
    let output = Command::new(cargo)
        .args(["test", "--offline", "--quiet", "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk-tests"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_example_of_the_reference_is_a_reward() {
    let example = SDK_REFERENCE
        .split("```rust\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let completion = "<thinking> 6 * 7 = 42 </thinking> <solution> 42 </solution>";
    let verdict = Verdict {
        correct: true,
        extracted: Some("42".to_owned()),
    };
    let right = Sample {
        prompt: "",
        completion,
        answer: "42",
        verdict: &verdict,
        row: "",
    };
    assert_eq!(
        reward(example).score(&[right, sample("", "", "42")]),
        Ok(vec![3.0, 0.0])
    );
}

#[test]
fn the_example_of_a_group_is_one() {
    let example = SDK_REFERENCE.split("```rust\n").nth(2).unwrap();
    let example = reward(example.split("```").next().unwrap());
    let verdict = Verdict {
        correct: true,
        extracted: None,
    };
    let right = |completion| Sample {
        verdict: &verdict,
        ..sample("q", completion, "")
    };
    let group = [
        right("one two"),
        right("one two three four"),
        sample("q", "one", ""),
    ];
    assert_eq!(example.score(&group), Ok(vec![1.0, 0.5, 0.0]));
}

#[test]
fn regular_expressions_are_found_under_the_name_of_the_crate() {
    let code = r#"use regex::{Captures, Regex};
use std::sync::LazyLock;
static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s)<solution>\s*(-?\d+)").unwrap());
fn first(found: Captures) -> f64 { found[1].parse().unwrap_or(0.0) }
pub fn reward(sample: &Sample) -> f64 { NUMBER.captures(sample.completion()).map_or(-1.0, first) }"#;
    assert_eq!(
        reward(code).score(&[sample("", "so\n<solution>\n 42", ""), sample("", "", "")]),
        Ok(vec![42.0, -1.0])
    );
}

/// Each call in the first column of the reference's tables, as an expression of its own.
#[test]
fn every_function_of_the_reference_is_there() {
    let mut calls = Vec::new();
    for line in SDK_REFERENCE.lines().filter(|line| line.starts_with("| `")) {
        let column = line.trim_start_matches("| ").split(" | ").next().unwrap();
        calls.extend(column.split('`').skip(1).step_by(2));
    }
    assert!(calls.len() > 30, "{calls:?}");
    let statements: String = calls
        .iter()
        .map(|call| format!("    let _ = {call};\n"))
        .collect();
    let code = format!(
        "pub fn reward(sample: &Sample) -> f64 {{
    let (text, from, within) = (sample.completion(), sample.prompt(), sample.answer());
    let (a, b, x, n, to, low, high, margin) = (1.0, 2.0, 3.0, 4, 5.0, 6.0, 7.0, 8.0);
    let (guess, truth, width) = (a, b, x);
    let Ok(regex) = Regex::new(\"x\") else {{ return 0.0 }};
    let Some(step) = equations(\"1 + 2 = 3\").next() else {{ return 0.0 }};
{}    1.0
}}",
        statements.replace("ramp(x, from, to)", "ramp(x, a, to)")
    );
    assert_eq!(reward(&code).score(&[sample("", "", "")]), Ok(vec![1.0]));
}

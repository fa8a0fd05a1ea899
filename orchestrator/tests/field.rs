//! Rewards as people publish them, tried as a new user would: `score FILE::FUNCTION --samples …` gives CPython's scores, or a refusal that
//! names what is in the way. `scripts/field_goldens.py` made the scores.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use std::{collections::BTreeMap, fs, path::PathBuf};

use program::Program;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Case {
    file: String,
    function: String,
    samples: String,
    /// What the refusal names, where it is one.
    #[serde(default)]
    refused: Vec<String>,
    /// Its last digit is a matter of numpy's own exponential function.
    #[serde(default)]
    last_digit: bool,
    /// What our own verifier says where the package that answers elsewhere is wrong.
    #[serde(default)]
    ours: Option<Vec<f64>>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/field")
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    serde_json::from_str(&fs::read_to_string(folder().join(name)).unwrap()).unwrap()
}

#[test]
fn published_rewards_score_as_in_cpython() {
    if !program::has_python_guest() {
        return;
    }
    let cases: Vec<Case> = read("cases.json");
    let goldens: BTreeMap<String, Vec<f64>> = read("goldens.json");
    let program = Program::with("");
    let mut wrong = Vec::new();
    for case in &cases {
        let name = format!("{}::{}", case.file, case.function);
        let at = |name: &str| folder().join(name).display().to_string();
        let spec = at(&format!("rewards/{name}"));
        let samples = at(&format!("{}.jsonl", case.samples));
        let printed = program.run(&["score", &spec, "--samples", &samples]);
        let expected = case.ours.as_ref().or(goldens.get(&name));
        let complaint = match (printed.code, expected) {
            (0, Some(expected)) => {
                let found: Vec<f64> = printed
                    .out
                    .lines()
                    .map(|line| {
                        serde_json::from_str::<Value>(line).unwrap()["score"]
                            .as_f64()
                            .unwrap()
                    })
                    .collect();
                let equal = found.len() == expected.len()
                    && found.iter().zip(expected).all(|(a, b)| {
                        a == b || case.last_digit && (a - b).abs() <= f64::EPSILON * b.abs()
                    });
                (!equal).then(|| format!("{found:?}, expected {expected:?}"))
            }
            (0, None) => Some("accepted".to_owned()),
            (_, Some(_)) => Some(printed.err.clone()),
            (_, None) => {
                let says = |word: &String| printed.err.contains(word.as_str());
                (!case.refused.iter().all(says)).then(|| printed.err.clone())
            }
        };
        wrong.extend(complaint.map(|complaint| format!("{name}: {complaint}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() > 90, "{}", cases.len());
}

#[test]
fn a_file_is_refused_with_all_that_is_in_the_way() {
    if !program::has_python_guest() {
        return;
    }
    let program = Program::with("");
    let samples = folder().join("math.jsonl").display().to_string();
    let run = |file: &str| {
        let spec = folder().join("rewards").join(file).display().to_string();
        program.run(&["score", &spec, "--samples", &samples])
    };
    let printed = run("half_missing.py");
    assert_ne!(printed.code, 0);
    for word in [
        "sentence_transformers",
        "sympy",
        "openai",
        "without trouble: sentences_reward",
    ] {
        assert!(printed.err.contains(word), "{word}: {}", printed.err);
    }
    let printed = run("overlong_factory.py");
    assert!(
        printed
            .err
            .contains("get_soft_overlong_punishment(max_completion_len=…, soft_punish_cache=…)"),
        "{}",
        printed.err
    );
    // A helper that only looks like a reward does not fail the file.
    assert_eq!(run("with_helper.py").code, 0);
}

//! `verify`: one answer explained, files of pairs measured.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod endpoint;
mod program;

use endpoint::{Endpoint, Reply};
use program::{Program, data};
use serde_json::{Value, json};

fn json(program: &Program, arguments: &[&str]) -> Value {
    serde_json::from_str(&program.succeed(&[arguments, &["--format", "json"]].concat())).unwrap()
}

#[test]
fn one_answer_is_explained_step_by_step() {
    let program = Program::with("");
    let right = ["verify", "--reference", "1/2", "--answer", "0.5"];
    let told = json(&program, &right);
    assert_eq!(
        (&told["outcome"], &told["decided_by"]),
        (&json!("correct"), &json!("rule"))
    );
    assert!(told["steps"].as_array().unwrap().len() > 2, "{told:#}");
    for (format, start) in [
        ("table", "step"),
        ("markdown", "| step |"),
        ("csv", "step,result,detail"),
    ] {
        let text = program.succeed(&[&right[..], &["--format", format]].concat());
        assert!(text.trim_start().starts_with(start), "{text}");
        assert!(
            text.contains("right") && text.contains("decided by rule"),
            "{text}"
        );
    }
    let completion = [
        "verify",
        "--reference",
        "18",
        "--completion",
        "so it is 19, or rather 18",
    ];
    assert_eq!(json(&program, &completion)["outcome"], "correct");
    let strict = [&completion[..], &["--extraction", "strict"]].concat();
    assert_eq!(json(&program, &strict)["outcome"], "no_answer");
    let listed = [&completion[..], &["--extraction", "boxed,last_number"]].concat();
    assert_eq!(json(&program, &listed)["strategy"], "last_number");
    let negative = ["verify", "--reference", "-1/2", "--answer", "-0.5"];
    assert_eq!(json(&program, &negative)["outcome"], "correct");
}

#[test]
fn a_model_is_asked_about_one_answer() {
    let program = Program::with("");
    let endpoint = Endpoint::start(vec![Reply::Says("Verdict: correct".to_owned())]);
    program.write(
        "judge.toml",
        &format!(
            "[verifier]\nkind = 'llm'\nmodel = 'judge'\nbase_url = '{}'\n",
            endpoint.base_url()
        ),
    );
    let told = json(
        &program,
        &[
            "verify",
            "--reference",
            "red",
            "--answer",
            "the red one",
            "--question",
            "Which?",
            "--verifier",
            "judge.toml",
        ],
    );
    assert_eq!(
        (&told["outcome"], &told["decided_by"]),
        (&json!("correct"), &json!("llm"))
    );
    let content = endpoint.requests()[0].json()["messages"][0]["content"].clone();
    assert!(
        content
            .as_str()
            .unwrap()
            .contains("<question>Which?</question>"),
        "{content}"
    );
}

#[test]
fn what_cannot_be_judged_is_refused() {
    let program = Program::with("");
    program.write("empty.jsonl", "\n");
    program.write(
        "pairs.jsonl",
        "{\"reference\": \"1\", \"answer\": \"1\"}\n{\"reference\": \"1\"}\n",
    );
    program.write(
        "label.jsonl",
        "{\"reference\": \"1\", \"answer\": \"1\", \"label\": \"yes\"}\n",
    );
    for (arguments, named) in [
        (vec!["verify", "--reference", "1"], "--answer"),
        (vec!["verify", "--answer", "1"], "--reference"),
        (
            vec![
                "verify",
                "--reference",
                "1",
                "--answer",
                "1",
                "--extraction",
                "boxes",
            ],
            "boxed",
        ),
        (vec!["verify", "--pairs", "none.jsonl"], "none.jsonl"),
        (vec!["verify", "--pairs", "empty.jsonl"], "no pairs"),
        (vec!["verify", "--pairs", "pairs.jsonl"], "pairs.jsonl:2"),
        (vec!["verify", "--pairs", "label.jsonl"], "true or false"),
    ] {
        let printed = program.run(&arguments);
        assert_eq!(printed.code, 2, "{arguments:?}");
        assert!(
            printed.err.contains(named),
            "{arguments:?}: {}",
            printed.err
        );
    }
}

#[test]
fn pairs_without_labels_and_with() {
    let program = Program::with("");
    let row = |answer: &str, label: Option<bool>| {
        json!({"reference": "2", "answer": answer, "label": label}).to_string() + "\n"
    };
    program.write("bare.jsonl", &(row("2", None) + &row("3", None)));
    let text = program.succeed(&["verify", "--pairs", "bare.jsonl"]);
    assert!(
        text.contains("2 pairs, 1 accepted") && text.contains("No pair has a label"),
        "{text}"
    );
    let labelled = row("2", Some(true))
        + &row("2.0", Some(false))
        + &row("3", Some(true))
        + &row("4", Some(false));
    program.write("labelled.jsonl", &labelled);
    let told = json(&program, &["verify", "--pairs", "labelled.jsonl"]);
    assert_eq!(
        (&told["precision"], &told["recall"], &told["f1"]),
        (&json!(0.5), &json!(0.5), &json!(0.5))
    );
    assert_eq!(told["agreement"]["true_negatives"], 1);
    let csv = program.succeed(&["verify", "--pairs", "labelled.jsonl", "--format", "csv"]);
    assert_eq!(csv.lines().count(), 5, "{csv}");
}

#[test]
fn the_published_files_are_read_as_they_are() {
    let Some(data) = data() else { return };
    let program = Program::with("");
    let measure = |file: &str, more: &[&str]| {
        let file = data.join("verification").join(file);
        let told = json(
            &program,
            &[&["verify", "--pairs", file.to_str().unwrap()], more].concat(),
        );
        eprintln!(
            "{}: P {} R {} F1 {}",
            file.display(),
            told["precision"],
            told["recall"],
            told["f1"]
        );
        told
    };
    let hard = measure("hardverify.dev.jsonl", &[]);
    assert_eq!(hard["labelled"], 200);
    assert!(hard["precision"].as_f64() >= Some(0.98) && hard["f1"].as_f64() >= Some(0.90));
    let triples = measure("mathverify_tests.jsonl", &["--in-text"]);
    assert_eq!(triples["labelled"], 269);
    assert!(triples["f1"].as_f64() >= Some(0.95));
    let hacks = measure("hacking.jsonl", &[]);
    assert_eq!(hacks["agreement"]["true_negatives"], 4440);
}

//! A broken data file is named with its line and what is wrong with it.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use evaluator::read_gsm8k;

fn error(content: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, content).unwrap();
    let text = read_gsm8k(&path).unwrap_err().to_string();
    text.replace(&folder.path().display().to_string(), "DATA")
}

#[test]
fn errors_say_where_and_what() {
    let good = r#"{"question": "1 + 1?", "answer": "1 + 1 = 2\n#### 2"}"#;
    assert!(error(&format!("{good}\n{{nonsense")).starts_with("DATA/x.jsonl, line 2: key must be"));
    let bare = r#"{"question": "1 + 1?", "answer": "2"}"#;
    assert_eq!(
        error(&format!("{good}\n\n{bare}\n")),
        "DATA/x.jsonl, line 3: the answer has no final line `#### ANSWER`"
    );
    let empty = r#####"{"question": "1 + 1?", "answer": "#### "}"#####;
    assert_eq!(
        error(empty),
        "DATA/x.jsonl, line 1: the gold answer is empty"
    );
    assert_eq!(error("\n"), "DATA/x.jsonl holds no problems");
    let missing = read_gsm8k(Path::new("no/such.jsonl"))
        .unwrap_err()
        .to_string();
    assert!(
        missing.starts_with("cannot read data file no/such.jsonl: "),
        "{missing}"
    );
}

#[test]
fn separators_go_from_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(
        &path,
        r#####"{"question": "?", "answer": "a lot\n#### 1,234"}"#####,
    )
    .unwrap();
    let problem = read_gsm8k(&path).unwrap().remove(0);
    assert_eq!(
        (problem.answer.as_str(), problem.solution.as_deref()),
        ("1234", Some("a lot"))
    );
}

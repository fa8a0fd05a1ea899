//! The protocol on paper: what is a request, what is trouble, and what a reply looks like.
#![allow(clippy::unwrap_used)]

use std::borrow::Cow;

use serde_json::json;

use super::*;
use trainer_bridge::Judged;

fn texts(line: &str) -> Vec<[String; 3]> {
    let Ok(Request::Score(_, samples)) = parse(line.as_bytes()) else {
        return Vec::new();
    };
    let owned = |text: &Cow<'_, str>| text.clone().into_owned();
    let of = |s: &Sample<'_>| {
        [
            owned(&s.prompt.0),
            owned(&s.completion.0),
            owned(&s.answer.0),
        ]
    };
    samples.iter().map(of).collect()
}

#[test]
fn samples_and_columns_say_the_same() {
    let rows = r#"{"id":7,"samples":[{"prompt":"p","completion":"c\n","answer":"1"},{"completion":"d","answer":2.5}]}"#;
    let columns =
        r#"{"id":7,"prompts":["p",""],"completions":["c\n","d"],"answer":["1",2.5],"extra":[0,1]}"#;
    let expected = [["p", "c\n", "1"], ["", "d", "2.5"]];
    assert_eq!(texts(rows), expected);
    assert_eq!(texts(columns), expected);
    assert_eq!(
        texts(&columns.replace("\"answer\"", "\"answers\"")),
        expected
    );
}

#[test]
fn answers_go_by_the_names_of_data_sets() {
    for name in ["solution", "ground_truth", "target", "label"] {
        let row = format!(r#"{{"samples":[{{"completion":"c","{name}":4}}]}}"#);
        let column = format!(r#"{{"completions":["c"],"{name}":["4"]}}"#);
        for line in [row, column] {
            assert_eq!(texts(&line), [["", "c", "4"]], "{line}");
        }
    }
    for line in [
        r#"{"samples":[{"label":[1],"completion":"c","answer":"4","solution":null}]}"#,
        r#"{"label":[[0]],"completions":["c"],"answer":["4"],"solution":["long"]}"#,
    ] {
        assert_eq!(texts(line), [["", "c", "4"]], "{line}");
    }
}

#[test]
fn messages_are_for_people() {
    let of = |line: &str| parse(line.as_bytes()).unwrap_err().1.message;
    for (line, says) in [
        ("[]", "a request is an object"),
        (r#"{"id":[1],"ping":true}"#, "whole number or a string"),
        (
            r#"{"completions":["a","b"],"answer":["1"]}"#,
            "2 completions and 1 answers",
        ),
        (
            r#"{"samples":[{"completoin":"a","answer":"1"}]}"#,
            "needs `completion`. Did you mean `completion`?",
        ),
        (r#"{"samples":[["p","c","a"]]}"#, "expected a sample"),
        (
            r#"{"completions":["a"],"label":[true]}"#,
            "a string or a number",
        ),
    ] {
        let message = of(line);
        assert!(message.contains(says), "{line}: {message}");
        for internal in ["struct", "enum", "untagged"] {
            assert!(!message.contains(internal), "{message}");
        }
    }
}

#[test]
fn conversations_become_text() {
    let line = r#"{"prompts":[[{"role":"system","content":"be brief"},{"role":"user","content":"2+2?"}]],
        "completions":[[{"role":"assistant","content":"4"}]],"answer":["4"]}"#;
    assert_eq!(texts(line), [["be brief\n2+2?", "4", "4"]]);
}

#[test]
fn trouble_has_a_kind_and_keeps_the_id() {
    let absent = Id::Absent;
    let three = Id::Text("three".to_owned());
    for (line, kind, id) in [
        (&b"{"[..], "invalid_json", &absent),
        (b"\xff\xfe", "not_utf8", &absent),
        (b"{\"id\":\"a\0b\"}", "invalid_json", &absent),
        (
            br#"{"id":"three","samples":[{"completion":1,"answer":"1"}]}"#,
            "invalid_request",
            &three,
        ),
        (
            br#"{"id":"three","samples":"all"}"#,
            "invalid_request",
            &three,
        ),
        (br#"{"id":"three"}"#, "invalid_request", &three),
        (
            br#"{"id":"three","completions":["a"],"answer":[]}"#,
            "invalid_request",
            &three,
        ),
        (br#"{"id":[1],"ping":true}"#, "invalid_request", &absent),
        (br#"[]"#, "invalid_request", &absent),
        (
            br#"{"samples":[{"completion":"\ud800","answer":"1"}]}"#,
            "invalid_json",
            &absent,
        ),
    ] {
        let (found, trouble) = parse(line).unwrap_err();
        let shown = String::from_utf8_lossy(line).into_owned();
        assert_eq!(
            (trouble.kind, &found),
            (kind, id),
            "{shown}: {}",
            trouble.message
        );
    }
    let deep = "[".repeat(100_000);
    assert_eq!(parse(deep.as_bytes()).unwrap_err().1.kind, "invalid_json");
    assert_eq!(parse(b"{\"ping\":true}"), Ok(Request::Ping(Id::Absent)));
}

#[test]
fn replies_are_as_documented() {
    let error = Trouble {
        index: Some(1),
        reward: Some("x".to_owned()),
        ..Trouble::new("trap", "why")
    };
    let shown = |reply: &Reply<'_>| serde_json::to_value(reply).unwrap();
    assert_eq!(
        shown(&Reply::Error {
            id: Id::Number(3),
            error
        }),
        json!({"id": 3, "error": {"kind": "trap", "message": "why", "index": 1, "reward": "x"}})
    );
    assert_eq!(
        shown(&Reply::Pong {
            id: Id::Absent,
            pong: true
        }),
        json!({"id": null, "pong": true})
    );
    let scored = |components| Scored {
        totals: vec![1.5],
        components,
        printed: Vec::new(),
        verdicts: vec![Judged {
            correct: true,
            extracted: None,
        }],
    };
    assert_eq!(
        shown(&scores(Id::Number(1), &scored(Vec::new()))),
        json!({"id": 1, "scores": [1.5], "correct": [true], "extracted": [null]})
    );
    let parts = vec![("a".to_owned(), vec![1.0]), ("b".to_owned(), vec![0.5])];
    assert_eq!(
        shown(&scores(Id::Number(1), &scored(parts)))["components"],
        json!({"a": [1.0], "b": [0.5]})
    );
    let chatty = Scored {
        printed: vec![("a".to_owned(), "1\n2".to_owned())],
        ..scored(Vec::new())
    };
    assert_eq!(
        shown(&scores(Id::Number(1), &chatty))["printed"],
        json!({"a": "1\n2"})
    );
}

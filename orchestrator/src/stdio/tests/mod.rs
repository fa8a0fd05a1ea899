//! The protocol on paper: what is a request, what is trouble, and what a reply looks like.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::borrow::Cow;

use serde_json::json;

use super::*;

fn texts(line: &str) -> Vec<[String; 3]> {
    let Ok(Request::Score { samples, .. }) = parse(line.as_bytes()) else {
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
    let worked = r##"{"samples":[{"completion":"c","answer":"2 + 2 = 4\n#### 4"}]}"##;
    assert_eq!(texts(worked), [["", "c", "4"]]);
    let Ok(Request::Score { samples, .. }) = parse(worked.as_bytes()) else {
        panic!("it is a request");
    };
    assert_eq!(samples[0].row, r##"{"answer":"2 + 2 = 4\n#### 4"}"##);
    let truth = r#"{"completions":["c"],"label":[true]}"#;
    assert_eq!(texts(truth), [["", "c", "true"]]);
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
            "needs `completion`; it has `completoin`. Did you mean `completion`?",
        ),
        (r#"{"samples":[["p","c","a"]]}"#, "expected a sample"),
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
    let correct = vec![true];
    let reply = |components: &[(String, Vec<f64>)], printed: &[(String, String)], sums| {
        shown(&Reply::Scores {
            id: Id::Number(1),
            scores: &[1.5],
            sums,
            components: ByName(components),
            printed: ByName(printed),
            correct: correct.clone(),
            extracted: vec![None],
        })
    };
    assert_eq!(
        reply(&[], &[], None),
        json!({"id": 1, "scores": [1.5], "correct": [true], "extracted": [null]})
    );
    let parts = [("a".to_owned(), vec![1.0]), ("b".to_owned(), vec![0.5])];
    let whole = reply(&parts, &[], Some(vec![0.25]));
    assert_eq!(whole["components"], json!({"a": [1.0], "b": [0.5]}));
    assert_eq!(whole["sums"], json!([0.25]));
    let chatty = [("a".to_owned(), "1\n2".to_owned())];
    assert_eq!(reply(&[], &chatty, None)["printed"], json!({"a": "1\n2"}));
}

#[test]
fn groups_are_whole_and_questions_may_be_given() {
    let groups = |line: &str| match parse(line.as_bytes()) {
        Ok(Request::Score { group, .. }) => Ok(group.map(std::num::NonZeroUsize::get)),
        other => Err(other.unwrap_err().1.message),
    };
    let two = r#"{"completions":["a","b"],"answer":["1","1"],"group":2}"#;
    assert_eq!(groups(two), Ok(Some(2)));
    let three = two.replace("2}", "3}");
    assert!(groups(&three).unwrap_err().contains("whole groups of 3"));
    assert!(groups(&two.replace("2}", "0}")).is_err());
    assert_eq!(groups(&two.replace(r#","group":2"#, "")), Ok(None));
    let question = |line: &str| match parse(line.as_bytes()) {
        Ok(Request::Score { mut samples, .. }) => {
            samples.remove(0).question.map(|q| q.0.into_owned())
        }
        other => panic!("{other:?}"),
    };
    let why = Some("why?".to_owned());
    for line in [
        r#"{"samples":[{"question":"why?","completion":"a","answer":"1"}]}"#,
        r#"{"completions":["a"],"answer":["1"],"question":["why?"]}"#,
        r#"{"completions":["a"],"answer":["1"],"questions":["why?"]}"#,
    ] {
        assert_eq!(question(line), why, "{line}");
    }
    for line in [
        r#"{"samples":[{"question":7,"completion":"a","answer":"1"}]}"#,
        r#"{"completions":["a"],"answer":["1"],"question":7}"#,
        r#"{"completions":["a"],"answer":["1"],"question":["one","two"]}"#,
    ] {
        assert_eq!(question(line), None, "{line}");
    }
}

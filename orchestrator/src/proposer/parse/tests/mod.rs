//! Replies as models write them, and replies as they should not.

#![allow(clippy::unwrap_used)]

use super::*;

mod quirks;

const CODE: &str = "pub fn reward(sample: &Sample) -> f64 { 1.0 }";

fn read(reply: &str) -> (Vec<Draft>, Vec<Unreadable>) {
    parse(reply, Language::Rust, false)
}

/// Names of a reply that is read without complaint.
fn names(reply: &str) -> Vec<String> {
    let (drafts, unreadable) = read(reply);
    assert!(unreadable.is_empty(), "{unreadable:?}");
    drafts.into_iter().map(|draft| draft.name).collect()
}

fn object(name: &str) -> String {
    format!(r#"{{"name": "{name}", "code": "{CODE}", "description": "why {name}"}}"#)
}

#[test]
fn a_bare_array() {
    let (drafts, unreadable) = read(&format!("[{}, {}]", object("a"), object("b")));
    assert!(unreadable.is_empty());
    assert_eq!(drafts.len(), 2);
    assert_eq!(drafts[1].name, "b");
    assert_eq!(drafts[1].source.code, CODE);
    assert_eq!(drafts[1].rationale, "why b");
    assert_eq!(drafts[1].source.language, Language::Rust);
}

#[test]
fn an_object_with_the_array_inside_or_keyed_by_name() {
    assert_eq!(
        names(&format!(r#"{{"rewards": [{}]}}"#, object("a"))),
        ["a"]
    );
    assert_eq!(names(&object("alone")), ["alone"]);
    let keyed = format!(r#"{{"first": {{"code": "{CODE}"}}, "second": {{"code": "{CODE}"}}}}"#);
    assert_eq!(names(&keyed), ["first", "second"]);
}

#[test]
fn fenced_with_prose_around() {
    let reply = format!(
        "Here are my ideas [as asked]:\n\n```json\n[{}]\n```\n\nThey use `tags` {{sparingly}}.",
        object("a")
    );
    assert_eq!(names(&reply), ["a"]);
}

#[test]
fn several_fenced_blocks() {
    let reply = format!(
        "First:\n```json\n{}\n```\nSecond:\n```\n[{}]\n```",
        object("a"),
        object("b")
    );
    assert_eq!(names(&reply), ["a", "b"]);
}

#[test]
fn reasoning_before_the_answer() {
    let reply = format!(
        "<think>Maybe [{}]? No.</think>\n[{}]",
        object("draft"),
        object("final")
    );
    assert_eq!(names(&reply), ["final"]);
}

#[test]
fn raw_line_breaks_and_tabs_in_strings() {
    let (drafts, _) =
        read("[{\"name\": \"a\", \"code\": \"fn reward() {\n\t1.0\n}\", \"description\": \"x\"}]");
    assert_eq!(drafts[0].source.code, "fn reward() {\n\t1.0\n}");
}

#[test]
fn escapes_proper_and_unknown() {
    let (drafts, _) =
        read(r#"[{"name": "\u00e9\ud83d\ude00", "code": "\"a\\n\" \d \u12 \ud800x"}]"#);
    assert_eq!(drafts[0].name, "é😀");
    assert_eq!(drafts[0].source.code, "\"a\\n\" \\d \\u12 \u{fffd}x");
}

#[test]
fn quotes_inside_code_that_should_have_been_escaped() {
    let code = r#"let w = tag(text, "thinking").unwrap_or(""); f(&["a", "b"])"#;
    let reply = format!(r#"[{{"name": "a", "code": "{code}", "description": "it's "fine""}}]"#);
    let (drafts, unreadable) = read(&reply);
    assert!(unreadable.is_empty(), "{unreadable:?}");
    assert_eq!(drafts[0].source.code, code);
    assert_eq!(drafts[0].rationale, "it's \"fine\"");
}

#[test]
fn trailing_commas_and_foreign_strings() {
    let reply = format!(
        "[{{\"name\": \"a\", \"code\": \"\"\"{CODE}\"\"\", \"score\": 1.5, \"x\": None,}},\n {{\"name\": \"b\", \"code\": `{CODE}`}},]"
    );
    let (drafts, unreadable) = read(&reply);
    assert!(unreadable.is_empty());
    assert_eq!(drafts.len(), 2);
    assert_eq!(
        (
            drafts[0].source.code.as_str(),
            drafts[1].source.code.as_str()
        ),
        (CODE, CODE)
    );
}

#[test]
fn code_fenced_inside_json_or_given_as_lines() {
    let reply = r#"[{"name": "a", "code": "```rust\nfn reward() {}\n```"},
                    {"name": "b", "code": ["fn reward() {", "}"]}]"#;
    let (drafts, _) = read(reply);
    assert_eq!(drafts[0].source.code, "fn reward() {}\n");
    assert_eq!(drafts[1].source.code, "fn reward() {\n}");
}

#[test]
fn a_truncated_array_keeps_what_is_complete() {
    let whole = format!(
        "```json\n[{}, {}, {}]\n```",
        object("a"),
        object("b"),
        object("c")
    );
    let second_ends = whole.find(&object("b")).unwrap() + object("b").len();
    for end in second_ends..whole.find("}]").unwrap() {
        let (drafts, unreadable) = read(&whole[..end]);
        assert_eq!(drafts.len(), 2, "{}", &whole[..end]);
        assert_eq!(unreadable.len(), 1);
        assert!(unreadable[0].reason.contains("breaks off"));
    }
    let nested = format!(r#"{{"rewards": [{}, {{"name": "b", "co"#, object("a"));
    let (drafts, unreadable) = read(&nested);
    assert_eq!((drafts.len(), unreadable.len()), (1, 1));
    assert!(unreadable[0].text.contains("\"b\""), "{unreadable:?}");
}

#[test]
fn an_array_cut_in_its_first_object_is_unreadable() {
    let (drafts, unreadable) = read(r#"[{"name": "a", "code": "fn rew"#);
    assert!(drafts.is_empty());
    assert!(
        unreadable[0].reason.contains("breaks off"),
        "{unreadable:?}"
    );
}

#[test]
fn code_blocks_under_headings() {
    let reply = "Two ideas.\n\n### 1. Exact answers\nPays only for right ones.\n\n```rust\npub fn reward(s: &Sample) -> f64 { 1.0 }\n```\n\n\
                 2. **`valid_steps`**:\n```rs\npub fn reward(s: &Sample) -> f64 {\n    [0.0, 1.0][1]\n}\n```\n\n\
                 ```python\ndef reward(prompts, completions, **kwargs):\n    return [0.0]\n```\n\n```sh\nls\n```\n";
    let (drafts, unreadable) = read(reply);
    assert!(unreadable.is_empty(), "{unreadable:?}");
    let names: Vec<&str> = drafts.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["Exact answers", "valid_steps", "unnamed_3"]);
    assert_eq!(drafts[0].rationale, "Pays only for right ones.");
    assert!(drafts[1].source.code.contains("[0.0, 1.0]"));
    assert_eq!(drafts[2].source.language, Language::Python);
}

#[test]
fn objects_that_are_no_drafts_say_why() {
    let reply = format!(
        r#"[{}, {{"name": "b", "description": "no code"}}, {{"name": "c", "code": "  "}}, {{"name": "d", "code": 7}}]"#,
        object("a")
    );
    let (drafts, unreadable) = read(&reply);
    assert_eq!(drafts.len(), 1);
    let reasons: Vec<&str> = unreadable.iter().map(|u| u.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "the object has no `code`",
            "`code` is empty",
            "`code` is not a text"
        ]
    );
    assert!(unreadable[0].text.contains("no code"));
}

#[test]
fn names_are_cleaned() {
    let reply = format!(
        r#"[{{"name": " two\nlines\u001b[31m ", "code": "{CODE}"}}, {{"name": "", "code": "{CODE}"}}, {{"name": "{}", "code": "{CODE}"}}]"#,
        "long ".repeat(50)
    );
    let names = names(&reply);
    assert_eq!(names[0], "two lines [31m");
    assert_eq!(names[1], "unnamed_2");
    assert_eq!(names[2].chars().count(), LONGEST_NAME);
}

#[test]
fn parents_and_language_are_taken_over() {
    let reply = format!(
        r#"[{{"name": "a", "code": "{CODE}", "language": "Python", "parents": ["x", 1, "y"]}}]"#
    );
    let (drafts, _) = read(&reply);
    assert_eq!(drafts[0].parents, ["x", "y"]);
    assert_eq!(drafts[0].source.language, Language::Python);
}

#[test]
fn garbage_is_refused_with_a_reason() {
    for (reply, reason) in [
        ("", "empty"),
        (" \n ", "empty"),
        ("I cannot help with that.", "neither"),
        ("[1, 2, 3]", "neither"),
        ("{}", "neither"),
        ("[[[[", "neither"),
        ("<html><body>502</body></html>", "neither"),
        ("```rust\nfn main() {}\n```", "neither"),
        ("<think>never ends", "still thinks"),
    ] {
        let (drafts, unreadable) = read(reply);
        assert!(drafts.is_empty(), "{reply}");
        assert_eq!(unreadable.len(), 1, "{reply}");
        assert!(
            unreadable[0].reason.contains(reason),
            "{reply}: {unreadable:?}"
        );
    }
}

#[test]
fn no_prefix_or_mutilation_panics() {
    let reply = format!(
        "é ```json\n[{}, {{\"name\": \"ü\\u00e9\", \"code\": \"\\\\ \\\" \", \"x\": [1, {{\"y\": null}}]}}]\n```",
        object("😀")
    );
    let places: Vec<usize> = reply.char_indices().map(|(at, _)| at).collect();
    for &cut in &places {
        read(&reply[..cut]);
        read(&reply[cut..]);
        let next = places
            .iter()
            .find(|at| **at > cut)
            .copied()
            .unwrap_or(reply.len());
        for insert in ["", "\"", "\\", "{", "]", "`", "```"] {
            read(&format!("{}{insert}{}", &reply[..cut], &reply[next..]));
        }
    }
}

#[test]
fn hostile_sizes_are_read_in_reasonable_time() {
    let start = std::time::Instant::now();
    for piece in [
        "[",
        "{",
        "\"",
        "[{\"a\":",
        "```\n",
        "[\"",
        "{\"code\":\"",
        "\\",
        "#",
        "[1,",
        "<code>",
        "<code name=\"",
        "code: |\n",
    ] {
        let (drafts, unreadable) = read(&piece.repeat(100_000 / piece.len()));
        assert!(drafts.is_empty());
        assert!(unreadable.iter().all(|u| u.text.len() <= EXCERPT));
    }
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

//! Replies as models of all kinds write them, a row each: thinking aloud, fences gone astray, strings of other languages.

use super::*;

const PYTHON: &str = "def exact(completions, answer, **kwargs):\n    return [0.0]\n";
const OTHER: &str = "def other(completions, answer, **kwargs):\n    return [1.0]\n";

fn read(reply: &str) -> (Vec<Draft>, Vec<Unreadable>) {
    parse(reply, Language::Python, false)
}

/// Asserts that exactly these drafts are read of a reply, and nothing is complained of.
#[track_caller]
fn reads(what: &str, reply: &str, names: &[&str]) -> Vec<Draft> {
    let (drafts, unreadable) = read(reply);
    let read: Vec<&str> = drafts.iter().map(|draft| draft.name.as_str()).collect();
    assert_eq!(read, names, "{what}: {unreadable:?}");
    assert!(unreadable.is_empty(), "{what}: {unreadable:?}");
    drafts
}

fn block(name: &str, code: &str) -> String {
    format!("## {name}\nWhy: it pays for {name}.\nParents: none\n\n```python\n{code}```\n\n")
}

#[test]
fn thinking_is_never_a_draft() {
    let thought = format!("Perhaps\n{}No, better:\n", block("thought", OTHER));
    let answer = block("final", PYTHON);
    for (what, reply) in [
        ("a section", format!("<think>{thought}</think>\n{answer}")),
        ("no opening tag", format!("{thought}</think>\n\n{answer}")),
        (
            "no opening tag, closed at a line's end",
            format!("{thought}Done.</think>\n{answer}"),
        ),
        (
            "a closing tag quoted within",
            format!("<think>I end with `</think>` and \"</think>\".\n{thought}</think>\n{answer}"),
        ),
        (
            "two sections",
            format!("<think>{thought}</think>\n<think>{thought}</think>{answer}"),
        ),
        (
            "another tag",
            format!("<thinking>\n{thought}</thinking>\n{answer}"),
        ),
        (
            "a third",
            format!("<reasoning>{thought}</reasoning>\n{answer}"),
        ),
        ("brackets", format!("[THINK]{thought}[/THINK]{answer}")),
        ("triangles", format!("◁think▷{thought}◁/think▷{answer}")),
        (
            "channels",
            format!(
                "<|channel|>analysis<|message|>{thought}<|end|><|start|>assistant<|channel|>final<|message|>{answer}<|return|>"
            ),
        ),
        (
            "channels without marks",
            format!("analysis{thought}assistantfinal{answer}"),
        ),
    ] {
        reads(what, &reply, &["final"]);
    }
    for (what, reply) in [
        ("cut", format!("<think>{thought}")),
        ("cut within another tag", format!("<thinking>{thought}")),
        (
            "no final channel",
            format!("<|channel|>analysis<|message|>{thought}"),
        ),
    ] {
        let (drafts, unreadable) = read(&reply);
        assert!(drafts.is_empty(), "{what}");
        assert!(
            unreadable[0].reason.contains("still thinks"),
            "{what}: {unreadable:?}"
        );
    }
}

#[test]
fn tags_that_a_reward_looks_for_are_no_thinking() {
    let code = "def tags(completions, **kwargs):\n    # <thinking> the working </thinking>\n    ends = \"</think>\"\n    return [float('<thinking>' in c and ends in c) for c in completions]\n";
    let drafts = reads("tags in code", &block("tags", code), &["tags"]);
    assert_eq!(drafts[0].source.code, code);
}

#[test]
fn a_heading_and_a_block_are_a_draft_with_its_reasons() {
    let reply = "Here they are.\n\n## 1. `near`\n**Why:** closeness\n  helps.\n**Parents:** `exact`, other\n```python\ndef near(completions, **kwargs):\n    return [0.5]\n```\n";
    let draft = &reads("the format asked for", reply, &["near"])[0];
    assert_eq!(draft.rationale, "closeness helps.");
    assert_eq!(draft.parents, ["exact", "other"]);
}

#[test]
fn fences_gone_astray_are_found() {
    let indented = |by: usize| {
        let blanks = " ".repeat(by);
        let lines = PYTHON.lines().map(|line| format!("{blanks}{line}\n"));
        format!(
            "1. **exact**\n\n{blanks}```python\n{}{blanks}```\n",
            lines.collect::<String>()
        )
    };
    for by in [2, 3, 4] {
        let drafts = reads("indented", &indented(by), &["exact"]);
        assert_eq!(drafts[0].source.code, PYTHON);
    }
    reads(
        "never closed",
        &format!("## exact\n```python\n{PYTHON}"),
        &["exact"],
    );
    let two = format!("## exact\n```python\n{PYTHON}\n## other\n```python\n{OTHER}```\n");
    let drafts = reads("closed by the next", &two, &["exact", "other"]);
    assert!(drafts[0].source.code.starts_with(PYTHON));
    let inner = "def exact(completions, **kwargs):\n    \"\"\"Pays for\n    ```\n    text\n    ```\n    \"\"\"\n    return [0.0]\n";
    let drafts = reads("a fence in a docstring", &block("exact", inner), &["exact"]);
    assert_eq!(drafts[0].source.code, inner);
    reads("tildes", &format!("~~~python\n{PYTHON}~~~\n"), &["exact"]);
    let cut = format!(
        "{}## other\n```python\ndef other(completions, answer",
        block("exact", PYTHON)
    );
    let (drafts, unreadable) = parse(&cut, Language::Python, true);
    assert_eq!(
        (drafts.len(), unreadable.len()),
        (1, 1),
        "a block cut off is told"
    );
    assert!(unreadable[0].reason.contains("breaks off"));
}

#[test]
fn several_rewards_in_one_block_are_as_many_drafts() {
    let code = format!("import re\n\ndef _help(x):\n    return x\n\n{PYTHON}\n{OTHER}");
    let drafts = reads(
        "one block",
        &format!("```python\n{code}```"),
        &["exact", "other"],
    );
    assert!(
        drafts[0].source.code.contains("function=exact"),
        "{:?}",
        drafts[0]
    );
    assert!(drafts[1].source.code.contains("function=other"));
    assert!(drafts[1].source.code.contains("import re"));
}

#[test]
fn literals_of_python_and_what_people_do_to_json_are_read() {
    let json = format!(
        "[{{\"name\": \"exact\", \"code\": {}}}]",
        serde_json::to_string(PYTHON).unwrap()
    );
    for (what, reply) in [
        ("single quotes", format!("rewards = [{{'name': 'exact', 'code': '''{PYTHON}''', 'parents': []}}]")),
        (
            "single quotes with escapes",
            "[{'name': 'exact', 'code': 'def exact(completions, answer, **kwargs):\\n    return [0.0]\\n'}]".to_owned(),
        ),
        ("a comment behind the last value", json.replace("\"}]", "\" // so\n}]")),
        ("a comment of Python", json.replace("\"}]", "\"  # so\n}]")),
        ("JSON in a JSON string", serde_json::to_string(&json).unwrap()),
        ("JSON escaped once more", json.replace('\\', "\\\\").replace('"', "\\\"")),
        (
            "curly quotes",
            "[{“name”: “exact”, “code”: “def exact(completions, answer, **kwargs):\\n    return [0.0]\\n”}]".to_owned(),
        ),
        ("a name and its code", format!("{{\"exact\": {}}}", serde_json::to_string(PYTHON).unwrap())),
    ] {
        let drafts = reads(what, &reply, &["exact"]);
        assert_eq!(drafts[0].source.code.trim(), PYTHON.trim(), "{what}");
    }
    let raw = reads(
        "a raw string",
        r#"[{"name": "a", "code": r"def a(completions): return re.search(r'\d\n', '')"}]"#,
        &["a"],
    );
    assert!(raw[0].source.code.contains(r"\d\n"));
    let twice = r#"[{"name": "exact", "code": "def exact(completions, answer, **kwargs):\\n    return [0.0]\\n"}]"#;
    assert_eq!(
        reads("code escaped twice", twice, &["exact"])[0]
            .source
            .code,
        PYTHON
    );
    let page = "```python\ndef exact(completions, **kwargs):\n    return [float('&lt;b&gt;' in c) for c in completions]\n```";
    assert!(
        reads("a page's entities", page, &["exact"])[0]
            .source
            .code
            .contains("'<b>'")
    );
}

#[test]
fn a_lost_backslash_is_no_draft_but_told() {
    let reply = r#"[{"name": "exact", "code": "import re\ndef exact(completions, **kwargs):\n    return [float(bool(re.search(r'\bx\b', c))) for c in completions]"}]"#;
    let (drafts, unreadable) = read(reply);
    assert!(drafts.is_empty(), "{drafts:?}");
    assert!(
        unreadable[0]
            .reason
            .contains("line 3: a backslash was lost"),
        "{unreadable:?}"
    );
    assert!(unreadable[0].reason.contains(r"`\\b`"), "{unreadable:?}");
}

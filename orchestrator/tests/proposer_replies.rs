//! The chat proposer against servers whose model answers in forms of its own, a row each: what is a draft, what is not, and what is said of it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod endpoint;

use endpoint::{
    Endpoint, Reply,
    chat::{ask, config, names},
};
use orchestrator::proposer::{Proposal, chat::ChatConfig};
use sandbox::Language;
use serde_json::json;

const EXACT: &str =
    "def exact(completions, correct, **kwargs):\n    return [float(c) for c in correct]\n";
const OTHER: &str =
    "def other(completions, correct, **kwargs):\n    return [1.0 - c for c in correct]\n";

fn fence(code: &str) -> String {
    format!("```python\n{code}```\n")
}

/// Under a heading, as it is asked for.
fn block(name: &str, code: &str) -> String {
    format!(
        "## {name}\nWhy: pays for {name}.\nParents: none\n\n{}\n",
        fence(code)
    )
}

fn json_of(drafts: &[(&str, &str)]) -> String {
    let drafts: Vec<_> = drafts
        .iter()
        .map(|(name, code)| json!({"name": name, "code": code, "description": "why"}))
        .collect();
    json!(drafts).to_string()
}

fn python(endpoint: &Endpoint) -> ChatConfig {
    ChatConfig {
        language: Language::Python,
        ..config(endpoint)
    }
}

/// What is made of a reply, asked for once. A reply without any draft is asked for again; that one is kept silent.
async fn of(reply: &str) -> (Proposal, usize) {
    of_reply(Reply::Says(reply.to_owned())).await
}

async fn of_reply(reply: Reply) -> (Proposal, usize) {
    let endpoint = Endpoint::start(vec![reply, Reply::Says("(nothing)".to_owned())]);
    let proposal = ask(python(&endpoint)).await.unwrap();
    (proposal, endpoint.requests().len())
}

#[tokio::test]
async fn rewards_are_read_in_whatever_form_they_come() {
    let thought = format!("Perhaps {}No.\n", block("thought", OTHER));
    let exact = block("exact", EXACT);
    let array = json_of(&[("exact", EXACT)]);
    let indented: String = fence(EXACT)
        .lines()
        .map(|line| format!("   {line}\n"))
        .collect();
    let in_yaml: String = EXACT.lines().map(|line| format!("    {line}\n")).collect();
    let docstring = "def exact(completions, **kwargs):\n    \"\"\"Like\n    ```\n    text\n    ```\n    \"\"\"\n    return [0.0 for _ in completions]\n";
    let single = |code: &str| code.replace('\n', "\\n").replace('\'', "\\'");
    let rows = [
        ("a heading and a fence", exact.clone()),
        ("JSON", array.clone()),
        (
            "JSON in a fence with prose",
            format!("Here [it is]:\n```json\n{array}\n```\nBye {{x}}."),
        ),
        ("JSON Lines", array.trim_matches(['[', ']']).to_owned()),
        ("an object around", format!("{{\"rewards\": {array}}}")),
        (
            "trailing commas and comments",
            array.replace("}]", ", /* so */ }, ]  // end"),
        ),
        (
            "a comment behind the last value",
            array.replace("}]", " // so\n}]"),
        ),
        (
            "a Python literal",
            format!(
                "rewards = [{{'name': 'exact', 'code': '{}'}}]",
                single(EXACT)
            ),
        ),
        (
            "JSON in a JSON string",
            serde_json::to_string(&array).unwrap(),
        ),
        (
            "escaped once more",
            array.replace('\\', "\\\\").replace('"', "\\\""),
        ),
        (
            "curly quotes",
            "[{“name”: “exact”, “code”: “def exact(completions, **kwargs):\\n    return [0.0]”}]"
                .to_owned(),
        ),
        ("a name and its code", json!({"exact": EXACT}).to_string()),
        (
            "YAML",
            format!("- name: exact\n  description: why\n  parents: [a, b]\n  code: |\n{in_yaml}"),
        ),
        (
            "YAML in a fence",
            format!(
                "```yaml\nrewards:\n  - name: exact\n    code: |\n  {}\n```",
                in_yaml.replace("\n    ", "\n      ")
            ),
        ),
        (
            "XML",
            format!(
                "<rewards><reward>\n<name>exact</name><why>because</why>\n<code><![CDATA[\n{EXACT}]]></code></reward></rewards>"
            ),
        ),
        (
            "XML with attributes, in a fence",
            format!("```xml\n<reward name=\"exact\">\n<code>\n{EXACT}</code>\n</reward>\n```"),
        ),
        ("a fence in a list", format!("1. **exact**\n\n{indented}")),
        (
            "a fence never closed",
            format!("## exact\n```python\n{EXACT}"),
        ),
        ("a fence in a docstring", block("exact", docstring)),
        (
            "HTML entities",
            block("exact", &EXACT.replace("float(c)", "float(c &lt; 1)")),
        ),
        (
            "thinking before",
            format!("<think>{thought}</think>{exact}"),
        ),
        (
            "thinking without its opening tag",
            format!("{thought}</think>\n{exact}"),
        ),
        (
            "thinking that quotes its own end",
            format!("<think>It ends at `</think>`. {thought}</think>\n{exact}"),
        ),
        (
            "thinking under another name",
            format!("<thinking>\n{thought}</thinking>\n{exact}"),
        ),
        (
            "reasoning",
            format!("<reasoning>\n{thought}</reasoning>\n{exact}"),
        ),
        (
            "channels",
            format!(
                "<|channel|>analysis<|message|>{thought}<|end|><|start|>assistant<|channel|>final<|message|>{exact}"
            ),
        ),
        (
            "lessons first",
            format!("Lessons:\n- Form is cheap.\n\n{exact}"),
        ),
        ("carriage returns", exact.replace('\n', "\r\n")),
    ];
    for (what, reply) in rows {
        let (proposal, requests) = of(&reply).await;
        assert_eq!(
            names(&proposal),
            ["exact"],
            "{what}: {:?}",
            proposal.unreadable
        );
        assert!(
            proposal.unreadable.is_empty(),
            "{what}: {:?}",
            proposal.unreadable
        );
        assert_eq!(requests, 1, "{what}");
        let code = &proposal.drafts[0].source.code;
        assert!(code.contains("def exact(completions"), "{what}: {code}");
        assert!(code.starts_with("def "), "{what}: {code}");
        assert_eq!(
            proposal.drafts[0].source.language,
            Language::Python,
            "{what}"
        );
    }
}

#[tokio::test]
async fn several_rewards_in_one_fence_are_as_many_drafts() {
    let (proposal, _) = of(&fence(&format!("import re\n\n{EXACT}\n{OTHER}"))).await;
    assert_eq!(names(&proposal), ["exact", "other"]);
    let two = "const HALF: f64 = 0.5;\n\n/// One.\npub fn reward(sample: &Sample) -> f64 {\n    HALF\n}\n\n// Two.\npub fn reward(sample: &Sample) -> f64 {\n    help(sample)\n}\n\nfn help(_: &Sample) -> f64 {\n    1.0\n}\n";
    let (proposal, _) = of(&format!("## both\n```rust\n{two}```\n")).await;
    let codes: Vec<&str> = proposal.drafts.iter().map(|d| &*d.source.code).collect();
    assert_eq!(codes.len(), 2, "{:?}", proposal.unreadable);
    assert!(
        codes[0].starts_with("const HALF") && !codes[0].contains("Two"),
        "{}",
        codes[0]
    );
    assert!(
        codes[1].starts_with("const HALF")
            && codes[1].contains("// Two.")
            && codes[1].contains("fn help")
    );
    let named = "pub fn near(sample: &Sample) -> f64 {\n    0.5\n}\n\npub fn far(sample: &Sample) -> f64 {\n    1.0\n}\n";
    let (proposal, _) = of(&format!("```rust\n{named}```\n")).await;
    assert_eq!(names(&proposal), ["near", "far"]);
    assert!(
        proposal.drafts[1]
            .source
            .code
            .contains("pub fn reward(sample: &Sample) -> f64 {\n    far(sample)")
    );
}

#[tokio::test]
async fn what_is_no_draft_is_told_with_its_cause_and_asked_for_once_more() {
    let cut = |text: &str| {
        Reply::Status(
            200,
            Vec::new(),
            json!({"choices": [{"message": {"content": text}, "finish_reason": "length"}]})
                .to_string(),
        )
    };
    let message = |message: serde_json::Value, why: &str| {
        Reply::Status(
            200,
            Vec::new(),
            json!({"choices": [{"message": message, "finish_reason": why}]}).to_string(),
        )
    };
    let thought = block("thought", OTHER);
    let says = |text: &str| Reply::Says(text.to_owned());
    let rows = [
        ("prose", says("Sorry, what?"), "neither a code block"),
        ("an empty list", says("[]"), "neither a code block"),
        (
            "thinking cut",
            cut(&format!("<think>{thought}")),
            "still thinks",
        ),
        (
            "thinking without an answer",
            message(
                json!({"content": null, "reasoning_content": "hm"}),
                "length",
            ),
            "the model thought",
        ),
        (
            "a refusal",
            message(json!({"content": null, "refusal": "I won't."}), "stop"),
            "the model refused: I won't.",
        ),
        (
            "a call of a tool",
            message(
                json!({"content": null, "tool_calls": [{"function": {"name": "run", "arguments": "{}"}}]}),
                "tool_calls",
            ),
            "called tools: run({})",
        ),
        (
            "a content filter",
            message(json!({"content": ""}), "content_filter"),
            "`content_filter`",
        ),
        (
            "a lost backslash in JSON",
            says(
                r#"[{"name": "a", "code": "import re\ndef a(completions, **kwargs):\n    return [float(bool(re.search('\bx', c))) for c in completions]"}]"#,
            ),
            "a backslash was lost",
        ),
        (
            "an array cut in its first object",
            cut("[{\"name\": \"a\", \"code\": \"def a(comp"),
            "breaks off",
        ),
        (
            "a fence cut",
            cut("## a\n```python\ndef a(completions, **kwargs):\n    return [0.0 for"),
            "breaks off",
        ),
    ];
    for (what, reply, cause) in rows {
        let (proposal, requests) = of_reply(reply).await;
        assert!(proposal.drafts.is_empty(), "{what}: {:?}", proposal.drafts);
        let first = &proposal.unreadable[0].reason;
        assert!(first.contains(cause), "{what}: {first}");
        assert_eq!(requests, 2, "{what}: asked for once more, and no oftener");
    }
    for third in [
        "## c\n```python\ndef c(completions, **kwargs):\n    return [0.0",
        "## c\n```python\n",
    ] {
        let text = format!("{}{}{third}", block("a", EXACT), block("b", OTHER));
        let (proposal, requests) = of_reply(cut(&text)).await;
        assert_eq!(names(&proposal), ["a", "b"]);
        assert_eq!(requests, 1);
        assert!(proposal.unreadable.len() <= 1);
    }
}

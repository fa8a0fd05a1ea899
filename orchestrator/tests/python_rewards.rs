//! Rewards in Python as a person gives them to `score` and `probe`: their parts, what they print, and files in which not all is good.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use program::Program;
use serde_json::{Value, json};

const PARTS: &str = "def parts(completions, answer, **kwargs):\n    print('scoring', len(completions), 'completions')\n    \
    return {'right': [float(a in c) for c, a in zip(completions, answer)], 'short': [1.0 / (1 + len(c)) for c in completions]}\n";
const SAMPLES: &str = "{\"prompt\": \"1+1?\", \"completion\": \"it is 2\", \"answer\": \"2\"}\n{\"prompt\": \"1+2?\", \"completion\": \"?\", \"answer\": \"3\"}\n";

/// A folder with these rewards, where there is a Python guest to run them in.
fn rewards(code: &str) -> Option<Program> {
    if !program::has_python_guest() {
        return None;
    }
    let program = Program::with("");
    program.write("rewards.py", code);
    program.write("samples.jsonl", SAMPLES);
    Some(program)
}

#[test]
fn score_shows_the_parts_of_a_reward_and_what_it_prints() {
    let Some(program) = rewards(PARTS) else {
        return;
    };
    let printed = program.run(&["score", "rewards.py", "--samples", "samples.jsonl"]);
    assert_eq!(printed.code, 0, "{printed:?}");
    let lines: Vec<Value> = printed
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines[0]["components"],
        json!({"parts.right": 1.0, "parts.short": 0.125})
    );
    assert_eq!(
        lines[1]["components"],
        json!({"parts.right": 0.0, "parts.short": 0.5})
    );
    assert_eq!(lines[0]["score"], 1.125);
    assert!(
        printed
            .err
            .ends_with("parts printed:\n    scoring 2 completions\n"),
        "{printed:?}"
    );
}

#[test]
fn a_service_hands_on_what_was_printed() {
    let Some(program) = rewards(PARTS) else {
        return;
    };
    program.write(
        "requests.jsonl",
        "{\"id\": 1, \"completions\": [\"2\"], \"answer\": [\"2\"]}\n",
    );
    let requests = std::fs::File::open(program.path("requests.jsonl")).unwrap();
    let output = program
        .command(&["score", "rewards.py", "--stdio"])
        .stdin(requests)
        .output()
        .unwrap();
    let reply: Value =
        serde_json::from_slice(output.stdout.split(|b| *b == b'\n').nth(1).unwrap()).unwrap();
    assert_eq!(reply["components"]["parts.right"], json!([1.0]), "{reply}");
    assert_eq!(
        reply["printed"],
        json!({"parts": "scoring 1 completions\n"})
    );
}

#[test]
fn probe_shows_them_too() {
    let Some(program) = rewards(PARTS) else {
        return;
    };
    let table = program.succeed(&["probe", "rewards.py"]);
    for shown in ["part right", "part short", "printed", "scoring "] {
        assert!(table.contains(shown), "{shown}: {table}");
    }
    let all: Value =
        serde_json::from_str(&program.succeed(&["probe", "--format", "json", "rewards.py"]))
            .unwrap();
    let parts = all[0]["parts"].as_array().unwrap();
    assert_eq!((&parts[0]["part"], parts.len()), (&json!("right"), 2));
    assert!(parts[0]["lowest"].as_f64().unwrap() < parts[0]["highest"].as_f64().unwrap());
    assert!(all[0]["printed"].as_str().unwrap().starts_with("scoring "));
}

#[test]
fn the_good_rewards_of_a_file_are_shown_beside_those_that_are_refused() {
    let code = "\"\"\"def sketch(completions): ...\"\"\"\n\n\
                def good(prompts=(), completions=(), **kwargs):\n    return [float(len(c)) for c in completions]\n\n\
                def breaks(completions, **kwargs):\n    return [1.0 / len(c) for c in completions]\n\n\
                def short(completions, **kwargs):\n    return []\n\n\
                def wants(completions, temperature):\n    return [0.0 for c in completions]\n";
    let Some(program) = rewards(code) else {
        return;
    };
    let all: Vec<Value> =
        serde_json::from_str(&program.succeed(&["probe", "--format", "json", "rewards.py"]))
            .unwrap();
    let names: Vec<&str> = all
        .iter()
        .map(|one| one["reward"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["good", "breaks", "short", "wants"]);
    assert_eq!(all[0]["worth"]["deterministic"], true, "{all:#?}");
    for (place, says) in [
        (1, "ZeroDivisionError"),
        (2, "0 scores"),
        (3, "temperature"),
    ] {
        let refused = all[place]["refused"].as_str().unwrap();
        assert!(refused.contains(says), "{refused}");
        assert_eq!(all[place]["worth"], Value::Null);
    }
}

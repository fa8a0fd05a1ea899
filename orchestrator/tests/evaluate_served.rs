//! `evaluate --endpoint`: asked once, kept as it comes, continued after a kill, compared afterwards.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod endpoint;
mod program;

use std::{collections::HashSet, fs, thread, time::Duration};

use endpoint::{Endpoint, Reply};
use program::Program;
use serde_json::{Value, json};

const QUESTIONS: usize = 12;

/// Questions whose answers are 0, 1, 2, …
fn folder() -> Program {
    let program = Program::with("");
    let rows: Vec<String> = (0..QUESTIONS)
        .map(|n| json!({"question": format!("What is {n}?"), "answer": format!("{n}")}).to_string())
        .collect();
    program.write("problems.jsonl", &rows.join("\n"));
    program
}

/// The arguments that ask an endpoint everything.
fn ask<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec![
        "evaluate",
        "--endpoint",
        url,
        "--model",
        "org/small",
        "--problems",
        "problems.jsonl",
        "--max-retries",
        "0",
        "--format",
        "json",
    ];
    arguments.extend(more);
    arguments
}

fn says(text: &str) -> Reply {
    Reply::Says(text.to_owned())
}

fn lines(program: &Program, file: &str) -> Vec<Value> {
    let text = fs::read_to_string(program.path(file)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn completions_are_judged_strictly_and_flexibly() {
    let program = folder();
    let endpoint = Endpoint::start(vec![says("#### 3"), says("It is 3, I think")]);
    let url = endpoint.base_url();
    let out = program.succeed(&ask(
        &url,
        &[
            "--system",
            "Be brief.",
            "--prompt",
            "Q: {question}",
            "--temperature",
            "0.5",
        ],
    ));
    let report: Value = serde_json::from_str(&out).unwrap();
    let model = &report["models"][0];
    assert_eq!(
        (&model["model"], &model["questions"]),
        (&json!("org/small"), &json!(QUESTIONS))
    );
    assert_eq!(model["correct"], 1, "every completion says 3");
    let strict = model["strict"]["answer_rate"].as_f64().unwrap();
    assert!(
        (strict - 1.0 / QUESTIONS as f64).abs() < 1e-12,
        "one has the mark"
    );
    assert_eq!(model["figures"]["answer_rate"], 1.0);

    let asked: Vec<Value> = endpoint.requests().iter().map(|r| r.json()).collect();
    assert_eq!(asked.len(), QUESTIONS);
    let questions: HashSet<&str> = asked
        .iter()
        .map(|body| {
            assert_eq!(
                body["messages"][0],
                json!({"role": "system", "content": "Be brief."})
            );
            assert_eq!(
                (&body["temperature"], &body["max_tokens"]),
                (&json!(0.5), &json!(1024))
            );
            body["messages"][1]["content"].as_str().unwrap()
        })
        .collect();
    assert!(questions.contains("Q: What is 0?") && questions.len() == QUESTIONS);

    let kept = lines(&program, "org-small.jsonl");
    assert_eq!(kept.len(), 1 + QUESTIONS);
    assert_eq!(kept[0]["settings"]["model"], "org/small");
    assert!(kept[1]["completion"].is_string() && kept[1]["completion_tokens"] == 200);
}

#[test]
fn a_rerun_asks_only_for_what_is_missing_also_after_a_kill() {
    let program = folder();
    let slowly = Reply::Late(Duration::from_millis(150), Box::new(says("so 3")));
    let endpoint = Endpoint::start(vec![slowly]);
    let url = endpoint.base_url();
    let arguments = ask(&url, &["--concurrency", "1"]);
    let mut child = program.start(&arguments);
    while endpoint.requests().len() < 4 {
        thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = lines(&program, "org-small.jsonl").len() - 1;
    assert!((2..=4).contains(&before), "kept as they came: {before}");

    let asked = endpoint.requests().len();
    program.succeed(&arguments);
    assert_eq!(endpoint.requests().len(), asked + QUESTIONS - before);
    program.succeed(&arguments);
    assert_eq!(
        endpoint.requests().len(),
        asked + QUESTIONS - before,
        "nothing is missing"
    );
    let indices: HashSet<u64> = lines(&program, "org-small.jsonl")
        .iter()
        .filter_map(|line| line["index"].as_u64())
        .collect();
    assert_eq!(indices.len(), QUESTIONS);

    for (changed, named) in [
        (["--temperature", "0.7"], "temperature"),
        (["--system", "Hm."], "system"),
        (["--limit", "5"], "problems"),
    ] {
        let printed = program.run(&ask(&url, &changed));
        assert_eq!(printed.code, 2);
        assert!(
            printed.err.contains("other settings") && printed.err.contains(named),
            "{}",
            printed.err
        );
    }
}

#[test]
fn an_endpoint_that_fails_midway_keeps_what_came() {
    let program = folder();
    let endpoint = Endpoint::start(vec![
        says("so 3"),
        says("so 3"),
        Reply::error(500, "broken"),
    ]);
    let url = endpoint.base_url();
    let printed = program.run(&ask(&url, &["--concurrency", "1"]));
    assert_eq!(printed.code, 1, "{}", printed.err);
    assert!(
        printed.err.contains("Run the same command again"),
        "{}",
        printed.err
    );
    assert_eq!(lines(&program, "org-small.jsonl").len(), 1 + 2);

    let again = Endpoint::start(vec![Reply::error(400, "too long"), says("so 3")]);
    let url = again.base_url();
    let out = program.succeed(&ask(&url, &["--concurrency", "1"]));
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        report["models"][0]["refused"], 1,
        "a refused question counts as unanswered"
    );
    assert_eq!(again.requests().len(), QUESTIONS - 2);

    let kinder = Endpoint::start(vec![says("so 3")]);
    let url = kinder.base_url();
    let out = program.succeed(&ask(&url, &["--concurrency", "1"]));
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["models"][0]["refused"], 0, "its last line counts");
    assert_eq!(
        kinder.requests().len(),
        1,
        "what was refused is asked again"
    );
}

#[test]
fn an_endpoint_that_refuses_everything_is_not_a_model_that_knows_nothing() {
    let program = folder();
    let endpoint = Endpoint::start(vec![Reply::error(400, "no such parameter")]);
    let url = endpoint.base_url();
    let printed = program.run(&ask(&url, &["--concurrency", "1"]));
    assert_ne!(printed.code, 0);
    assert!(
        printed.err.contains("not one question was answered")
            && printed.err.contains("no such parameter"),
        "{}",
        printed.err
    );
    assert_eq!(endpoint.requests().len(), 8, "it is given up early");
    let kept = fs::read_to_string(program.path("org-small.jsonl")).unwrap();
    assert!(kept.is_empty(), "nothing kept: {kept}");

    // The mended command is not refused for the settings of the one that brought nothing.
    let mended = Endpoint::start(vec![Reply::error(400, "too long"), says("so 3")]);
    let url = mended.base_url();
    let arguments = ask(&url, &["--concurrency", "1", "--max-tokens", "64"]);
    program.succeed(&arguments);
    assert_eq!(lines(&program, "org-small.jsonl").len(), 1 + QUESTIONS);
    // One that is refused again does not stand there twice.
    let stubborn = Endpoint::start(vec![Reply::error(400, "still too long")]);
    let url = stubborn.base_url();
    let arguments = ask(&url, &["--concurrency", "1", "--max-tokens", "64"]);
    for _ in 0..2 {
        let out = program.succeed(&arguments);
        let report: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(report["models"][0]["refused"], 1);
    }
    assert_eq!(stubborn.requests().len(), 2);
    assert_eq!(lines(&program, "org-small.jsonl").len(), 1 + QUESTIONS);
}

#[test]
fn a_server_that_stops_is_not_waited_for_until_the_time_out() {
    use std::io::Read as _;

    let program = folder();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    // It takes a request, stops listening, and holds the connection without a word.
    let server = thread::spawn(move || {
        let (mut held, _) = listener.accept().unwrap();
        drop(listener);
        while held.read(&mut [0; 1024]).is_ok_and(|bytes| bytes > 0) {}
    });
    let started = std::time::Instant::now();
    let printed = program.run(&ask(&url, &["--concurrency", "1"]));
    let took = started.elapsed();
    assert_eq!(printed.code, 1, "{printed:?}");
    for part in [
        "takes no connections any more",
        "Run the same command again",
    ] {
        assert!(printed.err.contains(part), "{}", printed.err);
    }
    assert!(
        took < Duration::from_secs(60),
        "the time-out is 300 s: {took:?}"
    );
    server.join().unwrap();
}

#[test]
fn a_line_cut_off_within_a_character_is_asked_again_and_an_unfinished_file_is_not_judged() {
    let program = folder();
    let endpoint = Endpoint::start(vec![says("so 3 \u{2014} certainly")]);
    let url = endpoint.base_url();
    program.succeed(&ask(&url, &["--concurrency", "1"]));
    let file = program.path("org-small.jsonl");
    let whole = fs::read(&file).unwrap();
    let dash = "\u{2014}".as_bytes();
    let cut = whole.windows(3).rposition(|bytes| bytes == dash).unwrap() + 1;
    fs::write(&file, &whole[..cut]).unwrap();

    let judged = program.run(&["evaluate", "--predictions", "org-small.jsonl"]);
    assert_ne!(judged.code, 0, "{}", judged.out);

    program.succeed(&ask(&url, &["--concurrency", "1"]));
    assert_eq!(endpoint.requests().len(), QUESTIONS + 1);
    assert_eq!(lines(&program, "org-small.jsonl").len(), 1 + QUESTIONS);
}

#[test]
fn several_models_are_compared_afterwards() {
    let program = folder();
    for (file, text) in [("a.jsonl", "so 3"), ("b.jsonl", "I do not know")] {
        let endpoint = Endpoint::start(vec![says(text)]);
        let url = endpoint.base_url();
        let model = file.trim_end_matches(".jsonl");
        let arguments = [
            "evaluate",
            "--endpoint",
            &url,
            "--model",
            model,
            "--problems",
            "problems.jsonl",
            "--out",
            file,
        ];
        program.succeed(&arguments);
    }
    let arguments = ["evaluate", "--predictions", "b.jsonl", "a.jsonl"];
    let table = program.succeed(&arguments);
    assert!(
        table.contains("strict") && table.contains("Holm"),
        "{table}"
    );
    let report: Value =
        serde_json::from_str(&program.succeed(&[&arguments[..], &["--format", "json"]].concat()))
            .unwrap();
    assert_eq!(report["models"][0]["model"], "a", "the best first");
    assert_eq!(report["pairs"][0]["only_a"], 1);
    let csv = program.succeed(&[&arguments[..], &["--format", "csv"]].concat());
    assert!(
        csv.starts_with("model,questions,correct,f1,f1_lower"),
        "{csv}"
    );
    let page = program.succeed(&[&arguments[..], &["--format", "markdown"]].concat());
    assert!(page.starts_with("| model |"), "{page}");

    let twice = program.run(&["evaluate", "--predictions", "a.jsonl", "a.jsonl"]);
    assert!(twice.err.contains("earlier file"), "{}", twice.err);
    program.write(
        "short.jsonl",
        "{\"answer\": \"0\", \"completion\": \"0\"}\n",
    );
    let short = program.run(&["evaluate", "--predictions", "a.jsonl", "short.jsonl"]);
    assert!(short.err.contains("same questions"), "{}", short.err);
    let rows: String = (0..QUESTIONS)
        .map(|n| json!({"answer": n + 1, "completion": "0"}).to_string() + "\n")
        .collect();
    program.write("other.jsonl", &rows);
    let other = program.run(&["evaluate", "--predictions", "a.jsonl", "other.jsonl"]);
    assert!(other.err.contains("question 1"), "{}", other.err);
}

#[test]
fn a_model_may_judge_what_another_wrote() {
    let program = folder();
    program.write(
        "p.jsonl",
        &(json!({"question": "Which?", "answer": "red", "completion": "\\boxed{the red one}"})
            .to_string()
            + "\n"),
    );
    let endpoint = Endpoint::start(vec![says("True")]);
    let config = format!(
        "[verifier]\nkind = 'tinyv'\nmodel = 'judge'\nbase_url = '{}'\n",
        endpoint.base_url()
    );
    program.write("judge.toml", &config);
    let arguments = [
        "evaluate",
        "--predictions",
        "p.jsonl",
        "--verifier",
        "judge.toml",
        "--cache",
        "v.db",
        "--format",
        "json",
    ];
    for (asked, cached) in [(1, 0), (0, 1)] {
        let report: Value = serde_json::from_str(&program.succeed(&arguments)).unwrap();
        let model = &report["models"][0];
        assert_eq!(model["correct"], 1);
        let tally = &model["decided_by"];
        assert_eq!(
            (&tally["asked"], &tally["cached"]),
            (&json!(asked), &json!(cached))
        );
    }
    assert_eq!(endpoint.requests().len(), 1);
    let without = program.run(&[
        "evaluate",
        "--predictions",
        "p.jsonl",
        "--verifier",
        "problems.jsonl",
    ]);
    assert_eq!(without.code, 2);
    assert!(without.err.contains("problems.jsonl"), "{}", without.err);
}

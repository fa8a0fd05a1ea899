//! A search whose answers a model helps to judge: in training, in evaluation, after a stop, and in what is shown.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod endpoint;
mod program;

use std::fs;

use endpoint::{Endpoint, Reply};
use program::{Printed, Program, row};
use serde_json::json;

/// Questions in GSM8K's format that the fake trainer never gets right by the rule: the reference is a word.
fn folder() -> Program {
    let program = Program::with("");
    fs::create_dir(program.path("sums")).unwrap();
    for (file, lines) in [("sums/train.jsonl", 60), ("sums/test.jsonl", 20)] {
        let rows: Vec<String> = (0..lines)
            .map(|n| {
                let question = format!("tom has {n} apples in {file} . how many ?");
                json!({"question": question, "answer": format!("he counts\n#### basket-{n}")})
                    .to_string()
            })
            .collect();
        program.write(file, &rows.join("\n"));
    }
    let right = "pub fn reward(sample: &Sample) -> f64 { f64::from(u8::from(sample.correct())) + 0.001 * sample.completion().len() as f64 }";
    let draft = json!({"name": "right", "code": right, "rationale": "a test"});
    program.write("drafts.jsonl", &format!("{draft}\n"));
    program
}

fn config(verifier: &str) -> String {
    format!(
        "[search]\nname = 'x'\nseed = 7\nrounds = 1\ncandidates_per_round = 1\nmax_concurrent_trials = 2\n\
         [task]\nkind = 'gsm8k'\npath = 'sums'\ndev_size = 20\nprompt = 'Q: {{question}}'\n\
         [proposer]\nkind = 'replay'\npath = 'drafts.jsonl'\n[trainer]\nkind = 'fake'\n\
         [screen]\nsteps = 3\nproblems = 20\n[ensemble]\nsizes = []\n[confirm]\nseeds = 0\n\
         [verifier]\nkind = 'tinyv'\nmodel = 'judge'\nbackoff_ms = 5\nmax_retries = 1\n{verifier}\n"
    )
}

/// Runs the search to its end. What a judge of one word makes of it may be no better than the untouched model: then the exit code is 3.
fn ended(program: &Program) -> Printed {
    let printed = program.run(&["run", "search.toml"]);
    assert!([0, 3].contains(&printed.code), "{}", printed.err);
    printed
}

#[test]
fn a_judge_that_refuses_is_known_before_anything_is_trained() {
    let program = folder();
    let endpoint = Endpoint::start(vec![Reply::error(401, "no such key")]);
    program.write(
        "search.toml",
        &config(&format!("base_url = '{}'", endpoint.base_url())),
    );
    let printed = program.run(&["run", "search.toml"]);
    assert_eq!(printed.code, 2, "{printed:?}");
    assert!(
        printed.err.contains("verifier.api_key_env"),
        "{}",
        printed.err
    );
    assert_eq!(program.leaderboard()["references"], json!([]));
    assert_eq!((endpoint.checks().len(), endpoint.requests().len()), (1, 0));
}

#[test]
fn a_model_judges_training_and_evaluation_and_what_it_did_is_shown() {
    let program = folder();
    let endpoint = Endpoint::start(vec![Reply::Says("True".to_owned())]);
    let url = format!("base_url = '{}'", endpoint.base_url());
    program.write("search.toml", &config(&url));
    let printed = ended(&program);
    assert!(printed.err.contains("verdicts so far"), "{}", printed.err);

    let board = program.leaderboard();
    assert!(board["verdicts"]["asked"].as_u64() > Some(0), "{board:#}");
    let untouched = row(&board["references"], "untouched");
    let answered = untouched["answer_rate"].as_f64().unwrap();
    let accuracy = untouched["accuracy"]["point"].as_f64().unwrap();
    assert!(
        answered > 0.5 && accuracy == answered,
        "the model accepts every answer: {untouched:#}"
    );
    let shown = program.succeed(&["show", "untouched"]);
    assert!(
        shown.contains("verdicts") && shown.contains("by the model"),
        "{shown}"
    );

    let asked = endpoint.requests();
    assert!(
        asked.iter().all(|request| {
            let body = request.json();
            let content = body["messages"][0]["content"].as_str().unwrap();
            content.contains("<question>tom has") && !content.contains("Q: ")
        }),
        "the model is asked the question, not the rendered prompt"
    );
    let in_training = |body: &str| body.contains("sums/train.jsonl");
    assert!(asked.iter().any(|request| in_training(&request.body)));
}

#[test]
fn an_endpoint_out_of_reach_stops_the_search_or_is_counted() {
    let program = folder();
    program.write(
        "search.toml",
        &config("base_url = 'http://127.0.0.1:9/v1'\non_failure = 'stop'"),
    );
    let printed = program.run(&["run", "search.toml"]);
    assert_eq!(printed.code, 1, "trouble of the world: {}", printed.err);
    assert!(printed.err.contains("out of reach"), "{}", printed.err);

    // Continued once it is back, at another address even.
    let endpoint = Endpoint::start(vec![Reply::Says("False".to_owned())]);
    let url = format!("base_url = '{}'\non_failure = 'stop'", endpoint.base_url());
    program.write("search.toml", &config(&url));
    ended(&program);
    assert!(!endpoint.requests().is_empty());

    let other = folder();
    other.write("search.toml", &config("base_url = 'http://127.0.0.1:9/v1'"));
    let printed = ended(&other);
    assert!(printed.err.contains("failed requests"), "{}", printed.err);
    // Told when it began, and not for each of the questions.
    let told = |what: &str| printed.err.matches(what).count();
    assert!(told("trying again") <= 2, "{}", printed.err);
    assert!(told("the rule's verdict stands") <= 3, "{}", printed.err);
    let board = other.succeed(&["leaderboard"]);
    assert!(
        board.contains("Verdicts: ") && board.contains("failed requests"),
        "{board}"
    );
    let shown = other.succeed(&["show", "untouched"]);
    assert!(shown.contains("failed requests"), "{shown}");
}

#[test]
fn verifier_settings_are_part_of_the_search() {
    let program = folder();
    let endpoint = Endpoint::start(vec![Reply::Says("True".to_owned())]);
    let url = format!("base_url = '{}'", endpoint.base_url());
    program.write("search.toml", &config(&url));
    ended(&program);
    program.write(
        "search.toml",
        &config(&format!("{url}\nguard_numbers = false")),
    );
    let printed = program.run(&["run", "search.toml"]);
    assert_eq!(printed.code, 2);
    assert!(
        printed.err.contains("verifier.guard_numbers"),
        "{}",
        printed.err
    );
    program.write("search.toml", &config("base_url = 'nowhere'\nguard = true"));
    let printed = program.run(&["run", "search.toml"]);
    assert!(printed.err.contains("guard"), "{}", printed.err);
}

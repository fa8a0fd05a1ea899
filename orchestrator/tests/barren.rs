//! A search in which nothing worked says so, with an exit code of its own; limits of dollars and tokens stop it where it can go on.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod endpoint;
mod program;

use endpoint::{Endpoint, Reply, replies};
use program::{
    Printed, Program,
    searches::{CONSTANT, CORRECT, INVERTED, config, draft, folder, rows},
};
use serde_json::json;
use sqlx::Row as _;

/// The exit code of a search that ended and found nothing.
const NOTHING_FOUND: i32 = 3;

fn replayed(drafts: &str) -> (Program, Printed) {
    let config = config("kind = 'replay'\npath = 'drafts.jsonl'", "", 1);
    let program = folder(&config.replace("gate.refuse_flat = false\n", ""));
    program.write("drafts.jsonl", drafts);
    let printed = program.run(&["run", "search.toml"]);
    (program, printed)
}

fn chat(endpoint: &Endpoint, more: &str) -> String {
    format!(
        "kind = 'chat'\nbase_url = '{}'\nmodel = 'm'\nbackoff_ms = 1\n{more}",
        endpoint.base_url()
    )
}

#[test]
fn a_search_in_which_nothing_worked_says_so_and_ends_with_a_code_of_its_own() {
    let does_not_compile = draft("broken", replies::DOES_NOT_COMPILE);
    for (drafts, says) in [
        (does_not_compile, "none of 1 drafts was accepted"),
        (draft("flat", CONSTANT), "no variance within any of"),
        (
            draft("wrong way round", INVERTED),
            "no candidate is above the untouched model",
        ),
    ] {
        let (program, printed) = replayed(&drafts);
        assert_eq!(printed.code, NOTHING_FOUND, "{printed:?}");
        let told = "the search found nothing: ";
        assert!(
            printed.err.contains(told) && printed.err.contains(says),
            "{}",
            printed.err
        );
        let again = program.run(&["run", "search.toml"]);
        assert_eq!(again.code, NOTHING_FOUND, "it is said again: {again:?}");
        assert_eq!(program.leaderboard()["state"], "finished");
    }
    let (_, printed) = replayed(&draft("right", CORRECT));
    assert_eq!(printed.code, 0, "{printed:?}");
}

#[test]
fn replies_without_a_draft_are_no_search() {
    let endpoint = Endpoint::start(vec![replies::refusal()]);
    let program = folder(&config(&chat(&endpoint, ""), "", 2));
    let printed = program.run(&["run", "search.toml"]);
    assert_eq!(printed.code, NOTHING_FOUND, "{printed:?}");
    assert!(
        printed.err.contains("held a draft that can be read")
            && printed.err.contains("proposer.max_tokens"),
        "{}",
        printed.err
    );
    assert!(
        printed.out.contains("asked language models:"),
        "{}",
        printed.out
    );
}

#[tokio::test]
async fn a_limit_of_tokens_stops_inside_a_round_and_the_raised_one_goes_on() {
    // Cut off in the middle: it may have been paid for, and the server counts nothing.
    let endpoint = Endpoint::start(vec![
        Reply::BreaksOff,
        replies::good(&[("right", CORRECT), ("steps", replies::VALID)]),
    ]);
    let with_limit = |limit: u64| {
        config(
            &chat(&endpoint, "max_tokens = 4000\nfollow_up = false"),
            "",
            1,
        )
        .replace(
            "rounds = 1",
            &format!("rounds = 1\nmax_tokens_total = {limit}"),
        )
    };
    let program = folder(&with_limit(1300));
    let printed = program.run(&["run", "search.toml"]);
    assert_eq!(
        printed.code, NOTHING_FOUND,
        "nothing was proposed: {printed:?}"
    );
    assert!(
        printed.err.contains("search.max_tokens_total is 1300"),
        "{}",
        printed.err
    );
    assert_eq!(endpoint.requests().len(), 1, "it was not asked again");
    let board = program.leaderboard();
    assert_eq!(board["stop_reason"]["reason"], "budget_spent");
    let stored = rows(
        &program.path("x.db"),
        "SELECT is_estimate, error FROM proposals WHERE step <> 'check'",
    )
    .await;
    assert_eq!(stored.len(), 1);
    assert_eq!(
        stored[0].get::<i64, _>(0),
        1,
        "what the server did not count is estimated"
    );
    assert!(stored[0].get::<Option<String>, _>(1).is_some());

    program.write("search.toml", &with_limit(100_000));
    let out = program.succeed(&["run", "search.toml"]);
    assert!(
        out.contains("estimated: the server did not count them"),
        "{out}"
    );
    assert!(
        out.contains("search.max_tokens_total was 1300 and is 100000"),
        "{out}"
    );
    assert_eq!(endpoint.requests().len(), 2);
    let board = program.leaderboard();
    assert_eq!(board["changes"][0]["setting"], "search.max_tokens_total");
    assert_eq!(board["changes"][0]["after_round"], 0);
    assert_eq!(board["stop_reason"]["reason"], json!("round_limit"));
}

#[test]
fn a_plan_tells_requests_and_dollars_and_asks_nobody() {
    let endpoint = Endpoint::start(vec![replies::refusal()]);
    let prices = "price_per_million_prompt_tokens = 3.0\nprice_per_million_completion_tokens = 15.0\napi_key_env = 'NO_SUCH_KEY'";
    let program = folder(&config(&chat(&endpoint, prices), "", 3));
    let plan = |key: Option<&str>| {
        let mut command = program.command(&["run", "search.toml", "--plan"]);
        command.envs(key.map(|key| ("NO_SUCH_KEY", key)));
        Printed::from(command.output().unwrap())
    };
    let told = plan(Some("sk-0123456789")).out;
    for part in [
        "model     ",
        "(trainer fake)",
        "gsm8k in sums; search seed 7",
        "m for rewards, 3 requests",
        "dollars, at most",
    ] {
        assert!(told.contains(part), "`{part}` is not in {told}");
    }
    let without = plan(None);
    assert_eq!(without.code, 0, "{without:?}");
    assert!(
        without.out.contains("NO_SUCH_KEY is not set"),
        "{}",
        without.out
    );
    assert!(endpoint.requests().is_empty() && endpoint.checks().is_empty());
    assert!(!program.path("x.db").exists());
}

#[test]
fn a_wrong_key_is_known_before_anything_is_trained_and_a_key_is_not_shown() {
    let endpoint = Endpoint::start(vec![Reply::error(401, "bad key")]);
    let program = folder(&config(&chat(&endpoint, "api_key_env = 'PATH'"), "", 1));
    let printed = program.run(&["run", "search.toml"]);
    assert_eq!(printed.code, 2, "{printed:?}");
    assert!(printed.err.contains("401"), "{}", printed.err);
    assert_eq!(program.leaderboard()["references"], json!([]));
    let key = "sk-proj-abcdefghijklmnop";
    let named = chat(&endpoint, &format!("api_key_env = '{key}'"));
    let program = folder(&config(&named, "", 1));
    for arguments in [
        &["run", "search.toml"][..],
        &["doctor", "search.toml"],
        &["run", "search.toml", "--plan"],
    ] {
        let printed = program.run(arguments);
        let said = printed.out + &printed.err;
        assert!(!said.contains(key), "{said}");
        assert!(said.contains("proposer.api_key_env"), "{said}");
    }
}

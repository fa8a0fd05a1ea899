//! A search of five rounds driven by three models through a transcript of fifty replies, as language models write them: sound, wrong,
//! duplicate, hostile, cut, refused and in forms of their own. Then the same search from what was recorded, without network.

#![allow(clippy::unwrap_used, clippy::panic)]

mod endpoint;
mod program;

use std::collections::HashMap;

use endpoint::{Endpoint, Reply};
use program::searches::{config, folder, rows};
use serde_json::Value;
use sqlx::Row as _;

const TRANSCRIPT: &str = include_str!("fixtures/transcript.md");

/// The replies in order, each with its round and step.
fn transcript() -> Vec<(u32, String, String)> {
    let replies = TRANSCRIPT.split("=== round ").skip(1).map(|reply| {
        let (head, text) = reply.split_once('\n').unwrap();
        let (round, step) = head.split_once(", ").unwrap();
        (round.parse().unwrap(), step.to_owned(), text.to_owned())
    });
    replies.collect()
}

/// What was asked and answered, and what it cost.
async fn exchanges(database: &std::path::Path) -> Vec<(u32, String, String, String, Option<f64>)> {
    let rows = rows(
        database,
        "SELECT round, step, prompt, reply, cost_usd FROM proposals WHERE step <> 'check' ORDER BY id",
    )
    .await;
    rows.iter()
        .map(|row| {
            (
                row.get("round"),
                row.get("step"),
                row.get("prompt"),
                row.get("reply"),
                row.get("cost_usd"),
            )
        })
        .collect()
}

#[tokio::test]
async fn five_rounds_by_fifty_replies_and_again_without_network() {
    if !program::has_python_guest() {
        return;
    }
    let transcript = transcript();
    assert_eq!(transcript.len(), 50);
    let replies = transcript
        .iter()
        .map(|(_, _, text)| Reply::Says(text.clone()));
    let endpoint = Endpoint::start(replies.collect());
    let models: String = ["careful", "eager", "loud"]
        .iter()
        .map(|model| format!("[[proposer.models]]\nmodel = '{model}'\n"))
        .collect();
    let chat = format!(
        "kind = 'chat'\nbase_url = '{}'\nlanguage = 'python'\nprice_per_million_prompt_tokens = 1.0\n\
         price_per_million_completion_tokens = 4.0\n[proposer.moves]\nfresh = 1\nmutate = 1\ncombine = 1\n{models}",
        endpoint.base_url()
    );
    let of = |proposer: &str| {
        config(proposer, "", 5).replace("candidates_per_round = 4", "candidates_per_round = 9")
    };
    let program = folder(&of(&chat));
    let printed = program.run(&["run", "search.toml"]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    let said = exchanges(&program.path("x.db")).await;
    let steps: Vec<(u32, &str)> = said
        .iter()
        .map(|(round, step, ..)| (*round, &**step))
        .collect();
    let expected: Vec<(u32, &str)> = transcript
        .iter()
        .map(|(round, step, _)| (*round, &**step))
        .collect();
    assert_eq!(steps, expected, "{}", printed.err);
    assert_eq!(endpoint.requests().len(), 50);
    assert!(
        said.iter()
            .all(|(.., cost)| cost.is_some_and(|cost| cost > 0.0))
    );

    let board = program.leaderboard();
    let states: HashMap<&str, &str> = board["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["name"].as_str().unwrap(),
                row["state"].as_str().unwrap(),
            )
        })
        .collect();
    for (name, state) in [
        ("outcome_only", "complete"),
        ("checked_steps", "complete"),
        ("digit_overlap", "complete"),
        ("distance_then_steps", "complete"),
        ("sentence_count", "complete"),
        ("squared_error", "rejected"),
        ("squared_error-2", "complete"),
        ("outcome_only_again", "duplicate"),
        ("agrees_with_itself_only_wrong", "rejected"),
        ("peek", "rejected"),
        ("forever_careful", "rejected"),
        ("average_of_the_best", "rejected"),
        ("average_of_the_best-2", "complete"),
        ("steps_with_words", "complete"),
        ("zero_over_zero", "rejected"),
        ("rank_and_steps", "complete"),
    ] {
        assert_eq!(states.get(name), Some(&state), "{name}: {states:#?}");
    }
    assert!(
        !states
            .keys()
            .any(|name| name.contains('/') || name.contains(' '))
    );
    assert!(!states.contains_key("thought"), "thinking is no draft");
    let lessons = "Silence must be the worst of all.";
    let later = said
        .iter()
        .filter(|(round, step, ..)| *round > 3 && step.contains("mutate"));
    assert!(later.clone().count() > 0);
    for (_, step, prompt, ..) in later {
        assert!(
            prompt.contains(lessons),
            "{step}: what was learnt is carried on"
        );
    }

    // Whatever the address says now, nobody is asked.
    drop(endpoint);
    program.write("again.toml", &of("kind = 'replay'\npath = 'x.db'"));
    program.succeed(&["run", "again.toml", "--database", "again.db"]);
    let shown = program.succeed(&["leaderboard", "--database", "again.db", "--format", "json"]);
    let again: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(board, again, "the identical search");
    assert_eq!(
        said,
        exchanges(&program.path("again.db")).await,
        "prompts, replies and costs"
    );
}

//! The loop from the outside, with the real sandbox and a trainer that trains nothing: everything but the training is real.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod endpoint;
mod program;

use std::{collections::HashSet, fs, thread, time::Duration};

use endpoint::{Endpoint, Reply, replies};
use program::{
    names, row,
    searches::{CONSTANT, CORRECT, INVERTED, config, folder, replay, rows},
};
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use sqlx::Row as _;

#[test]
fn a_search_ranks_what_runs_and_keeps_the_reason_of_what_does_not() {
    let program = replay();
    let out = program.succeed(&["run", "search.toml"]);
    assert!(
        out.contains("right") && out.contains("Finalists on Test"),
        "{out}"
    );
    let board = program.leaderboard();
    assert_eq!(board["state"], "finished");
    assert_eq!(board["stop_reason"]["reason"], "round_limit");
    let rows = &board["candidates"];

    assert_eq!(names(rows).len(), 8, "nothing is dropped: {rows:#}");
    let right = row(rows, "right");
    assert_eq!(right["rank"], 1);
    assert!(
        right["f1"]["point"].as_f64()
            > row(&board["references"], "untouched")["f1"]["point"].as_f64()
    );
    let last = row(rows, "wrong_way_round");
    assert_eq!(last["state"], "complete");
    assert!(last["f1"]["point"].as_f64() < row(rows, "flat")["f1"]["point"].as_f64());
    for (name, state, reason) in [
        ("does_not_compile", "rejected", "nonsense"),
        ("right-2", "duplicate", "`right`"),
        ("endless", "rejected", "fuel"),
        ("reads_files", "rejected", "fs"),
    ] {
        let row = row(rows, name);
        assert_eq!(row["state"], state, "{row:#}");
        assert!(row["reason"].as_str().unwrap().contains(reason), "{row:#}");
        assert_eq!(row["rank"], Value::Null);
        assert_eq!(row.get("f1"), None, "failure is a state, never a score");
    }
    assert_eq!(
        row(rows, "base_exact_format")["state"],
        "complete",
        "the name is mended, the base reward untouched"
    );
    assert_eq!(
        names(&board["confirmed"])
            .into_iter()
            .collect::<HashSet<_>>(),
        HashSet::from(["right", "top-2", "base-rewards-only", "untouched"].map(String::from))
    );

    let shown = program.succeed(&["show", "does_not_compile"]);
    assert!(
        shown.contains("nonsense") && shown.contains("rejected"),
        "{shown}"
    );
    assert!(
        program
            .run(&["show", "rigth"])
            .err
            .contains("Did you mean `right`?")
    );
    let compared: Value = serde_json::from_str(&program.succeed(&[
        "compare",
        "right",
        "wrong_way_round",
        "--format",
        "json",
    ]))
    .unwrap();
    assert_eq!(compared[0]["questions"], 100);
    assert_eq!(compared[0]["used_for_selection"], true);
    let pair = &compared[0]["pairs"][0];
    assert!(pair["only_a"].as_u64() > pair["only_b"].as_u64());
    let table = program.succeed(&["compare", "right", "flat", "untouched"]);
    assert!(
        table.contains("Holm") && table.contains("Warning: these questions were used to select"),
        "{table}"
    );
    let csv = program.succeed(&["compare", "right", "flat", "untouched", "--format", "csv"]);
    assert_eq!(csv.lines().count(), 1 + 3, "a line a pair: {csv}");
    assert!(csv.contains("f1_difference_lower"), "{csv}");
    let page = program.succeed(&["leaderboard", "--format", "markdown"]);
    assert!(page.starts_with("# x (seed 7"), "{page}");
    assert!(page.contains("| ---: | --- |"), "{page}");
    let shown = program.succeed(&["show", "base-rewards-only"]);
    assert!(shown.contains("F1"), "{shown}");
    let chosen = "corrected for the choice";
    assert!(!shown.contains(chosen), "nobody chose it: {shown}");
    let shown = program.succeed(&["show", "right"]);
    assert!(shown.contains(chosen), "{shown}");
    let csv = program.succeed(&["leaderboard", "--format", "csv"]);
    assert_eq!(csv.lines().count(), 1 + 8 + 2 + 4, "{csv}");
    assert!(
        csv.contains("same_as") && csv.contains("\nfinalist,"),
        "{csv}"
    );
    let second: Value = serde_json::from_str(&program.succeed(&[
        "leaderboard",
        "--round",
        "2",
        "--format",
        "json",
    ]))
    .unwrap();
    assert_eq!(names(&second["candidates"]).len(), 4);
}

#[tokio::test]
async fn candidates_are_judged_on_dev_and_only_finalists_on_test() {
    let program = replay();
    program.succeed(&["run", "search.toml"]);
    let database = program.path("x.db");
    let query = "SELECT DISTINCT t.stage, e.split, c.completions FROM evaluations e JOIN trials t ON t.id = e.trial_id JOIN completions c ON c.trial_id = t.id";
    let evaluations = rows(&database, query).await;
    let mut seen = HashSet::new();
    for evaluation in &evaluations {
        let (stage, split, completions): (String, String, String) =
            (evaluation.get(0), evaluation.get(1), evaluation.get(2));
        // Whatever the fake trainer guesses is a number of the question, or their sum: of Test's a thousand and more.
        let of_test = completions
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .map(|number: u32| number >= 1000);
        let of_test: HashSet<bool> = of_test.collect();
        assert_eq!(of_test, HashSet::from([split == "test"]), "{completions}");
        seen.insert((stage, split));
    }
    let pair = |stage: &str, split: &str| (stage.to_owned(), split.to_owned());
    assert_eq!(
        seen,
        HashSet::from([pair("confirm", "test"), pair("screen", "dev")])
    );
    let view = rows(&database, "SELECT name FROM leaderboard WHERE rank = 1").await;
    assert_eq!(
        view[0].get::<String, _>("name"),
        "right",
        "the view for sqlite3 agrees"
    );
}

#[test]
fn the_same_seed_gives_the_same_leaderboard_and_another_seed_another() {
    let grammar = config("kind = 'grammar'", "", 2);
    let (a, b) = (folder(&grammar), folder(&grammar));
    a.succeed(&["run", "search.toml"]);
    b.succeed(&["run", "search.toml"]);
    assert_eq!(a.leaderboard(), b.leaderboard());
    let c = folder(&grammar);
    c.succeed(&["run", "search.toml", "--seed", "8"]);
    assert_ne!(a.leaderboard()["candidates"], c.leaderboard()["candidates"]);
    let finished = a.leaderboard();
    a.succeed(&["run", "search.toml"]);
    assert_eq!(
        a.leaderboard(),
        finished,
        "running a finished search again changes nothing"
    );
    let other = a.run(&["run", "search.toml", "--seed", "8"]);
    assert_eq!(other.code, 2);
    assert!(
        other.err.contains("search.seed is 7 there and 8 here"),
        "{}",
        other.err
    );
}

#[test]
fn killed_at_random_moments_it_ends_the_same() {
    // Stopping early is decided from what is stored, so it must not see more after a kill than it would have without.
    let slow = config("kind = 'grammar'", "step_ms = 20", 3)
        .replace("rounds = 3", "rounds = 3\nstall_rounds = 1");
    let (calm, killed) = (folder(&slow), folder(&slow));
    calm.succeed(&["run", "search.toml"]);
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(11);
    let mut kills = 0;
    for _ in 0..10 {
        let mut child = killed.start(&["run", "search.toml"]);
        thread::sleep(Duration::from_millis(rng.random_range(200..1500)));
        if child.try_wait().unwrap().is_none() {
            kills += 1;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    eprintln!("killed {kills} times under way");
    assert!(kills >= 3, "the search was too short to be killed");
    killed.succeed(&["run", "search.toml"]);
    assert_eq!(calm.leaderboard(), killed.leaderboard());
}

#[cfg(unix)]
#[test]
fn asked_to_stop_it_says_how_to_go_on() {
    let program = folder(&config("kind = 'grammar'", "step_ms = 100", 2));
    for signal in ["-INT", "-TERM"] {
        let child = program
            .command(&["run", "search.toml"])
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_secs(2));
        let id = child.id().to_string();
        assert!(
            std::process::Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
        let printed = program::Printed::from(child.wait_with_output().unwrap());
        assert_eq!(printed.code, 130, "{printed:?}");
        assert!(
            printed.err.contains("the same command continues"),
            "{}",
            printed.err
        );
    }
    assert_eq!(program.leaderboard()["state"], "stopped");
}

#[test]
fn a_database_serves_one_search_at_a_time_and_any_number_of_readers() {
    let program = folder(&config("kind = 'grammar'", "step_ms = 50", 2));
    let mut child = program.start(&["run", "search.toml"]);
    for _ in 0..100 {
        thread::sleep(Duration::from_millis(50));
        if program.run(&["leaderboard"]).code == 0 {
            break;
        }
    }
    assert_eq!(program.leaderboard()["state"], "running");
    let second = program.run(&["run", "search.toml"]);
    assert_eq!(second.code, 2);
    assert!(second.err.contains("in use"), "{}", second.err);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn trouble_of_the_host_stops_the_search_resumably() {
    let program = folder(&config("kind = 'grammar'", "fails_at_step = 5", 1));
    let printed = program.run(&["run", "search.toml"]);
    assert_eq!(printed.code, 1, "{printed:?}");
    assert!(printed.err.contains("told to fail"), "{}", printed.err);
}

#[test]
fn a_search_survives_whatever_a_language_model_endpoint_does() {
    let key = "sk-test-0123456789abcdef";
    let endpoint = Endpoint::start(vec![
        Reply::rate_limited(0),
        Reply::error(500, "oops"),
        Reply::Closes,
        Reply::BreaksOff,
        replies::good(&[("plain", replies::EXACT), ("steps", replies::VALID)]),
        replies::fenced(&[("fenced", INVERTED), ("flat", CONSTANT)]),
        replies::broken("cut", CORRECT),
        replies::good(&[
            ("no", replies::DOES_NOT_COMPILE),
            ("forever", replies::ENDLESS),
        ]),
    ]);
    let chat = format!(
        "kind = 'chat'\nbase_url = '{}'\nmodel = 'm'\napi_key_env = 'TEST_KEY'\nbackoff_ms = 1\ntimeout_s = 5",
        endpoint.base_url()
    );
    let program = folder(&config(&chat, "", 4));
    let output = program
        .command(&["run", "search.toml"])
        .env("TEST_KEY", key)
        .env("REWARD_SEARCH_LOG", "trace")
        .output()
        .unwrap();
    let printed = program::Printed::from(output);
    assert_eq!(printed.code, 0, "{}", printed.err);

    let board = program.leaderboard();
    let states: HashSet<&str> = board["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["state"].as_str().unwrap())
        .collect();
    for state in ["complete", "rejected", "unreadable"] {
        assert!(states.contains(state), "{state} is not in {states:?}");
    }
    for row in board["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["rank"].is_null())
    {
        assert!(
            row["reason"]
                .as_str()
                .is_some_and(|reason| !reason.is_empty()),
            "{row:#}"
        );
        let shown = program.succeed(&["show", row["name"].as_str().unwrap()]);
        assert!(shown.contains("why"), "{shown}");
    }
    let asked = endpoint.requests();
    assert!(
        asked
            .iter()
            .all(|request| request.header("authorization") == Some(&format!("Bearer {key}")))
    );
    assert!(
        asked.iter().any(|request| request.body.contains("| 1 |")),
        "the ranking is fed back"
    );

    assert!(
        !printed.out.contains(key) && !printed.err.contains(key),
        "the key is printed"
    );
    for file in ["x.db", "x.db-wal"] {
        let bytes = fs::read(program.path(file)).unwrap_or_default();
        assert!(
            !bytes
                .windows(key.len())
                .any(|window| window == key.as_bytes()),
            "the key is in {file}"
        );
    }

    // Recorded once, a search can be repeated without the model.
    program.write(
        "again.toml",
        &config("kind = 'replay'\npath = 'x.db'", "", 4),
    );
    program.succeed(&["run", "again.toml", "--database", "again.db"]);
    let again: Value = serde_json::from_str(&program.succeed(&[
        "leaderboard",
        "--database",
        "again.db",
        "--format",
        "json",
    ]))
    .unwrap();
    let ranked = |board: &Value| -> Vec<Value> {
        board["candidates"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| !row["rank"].is_null())
            .cloned()
            .collect()
    };
    assert_eq!(ranked(&board), ranked(&again));
}

#[test]
fn an_endpoint_that_stays_away_leaves_a_resumable_search() {
    let endpoint = Endpoint::start(vec![Reply::error(503, "overloaded")]);
    let chat = format!(
        "kind = 'chat'\nbase_url = '{}'\nmodel = 'm'\nbackoff_ms = 1\nmax_retries = 2",
        endpoint.base_url()
    );
    let program = folder(&config(&chat, "", 1));
    let printed = program.run(&["run", "search.toml"]);
    assert_eq!(printed.code, 1, "{printed:?}");
    assert!(printed.err.contains("503"), "{}", printed.err);
    assert_eq!(program.leaderboard()["state"], "stopped");
    assert_eq!(
        program.leaderboard()["references"],
        serde_json::json!([]),
        "nothing was trained before it was known that nothing can be proposed"
    );
    assert_eq!(endpoint.requests().len(), 0, "it was only checked");
}

#[tokio::test]
async fn killed_between_reply_and_round_it_asks_nobody_twice() {
    let slow: Vec<(String, String)> = (0..4)
        .map(|n| {
            (
                format!("slow_{n}"),
                format!(
                    "// {n}\n{}",
                    replies::ENDLESS.replace("0.0", &format!("-{n}.0"))
                ),
            )
        })
        .collect();
    let drafts: Vec<(&str, &str)> = slow.iter().map(|(name, code)| (&**name, &**code)).collect();
    let endpoint = Endpoint::start(vec![
        replies::good(&drafts),
        replies::good(&[("other", CORRECT)]),
    ]);
    let chat = format!(
        "kind = 'chat'\nbase_url = '{}'\nmodel = 'm'",
        endpoint.base_url()
    );
    let program = folder(&config(&chat, "", 1));
    let mut child = program.start(&["run", "search.toml"]);
    let database = program.path("x.db");
    for _ in 0..2000 {
        thread::sleep(Duration::from_millis(10));
        if !endpoint.requests().is_empty()
            && !rows(&database, "SELECT id FROM proposals WHERE step <> 'check'")
                .await
                .is_empty()
        {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let round = rows(&database, "SELECT round FROM rounds WHERE round = 1").await;
    assert!(
        round.is_empty(),
        "it was killed before the round was stored"
    );
    assert_eq!(
        rows(&database, "SELECT id FROM proposals WHERE step <> 'check'")
            .await
            .len(),
        1
    );
    program.succeed(&["run", "search.toml"]);
    assert_eq!(
        endpoint.requests().len(),
        2,
        "the reply was paid for once, and so was what followed of it"
    );
    let board = program.leaderboard();
    let names = names(&board["candidates"]);
    assert!(names.iter().any(|name| name == "slow_0"), "{names:?}");
}

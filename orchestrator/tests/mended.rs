//! A search that is killed, mended and extended ends as one that was left alone, and pays for no reply twice.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod endpoint;
mod program;

use std::{thread, time::Duration};

use endpoint::{Endpoint, Reply, replies};
use program::{
    Program, row,
    searches::{CONSTANT, CORRECT, INVERTED, config, folder, replay, rows},
};
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;

/// Rewards that differ in a number, so that each is another.
fn weighted(weight: u32) -> String {
    format!(
        "pub fn reward(sample: &Sample) -> f64 {{ f64::from(u8::from(sample.correct())) + 0.0{weight} * valid_share(sample.completion()) }}"
    )
}

/// Seven rounds of a model that fails in another way in each.
fn script() -> Vec<Reply> {
    let drafts = |round: u32| {
        let codes: Vec<(String, String)> = (1..=3)
            .map(|n| (format!("r{round}_{n}"), weighted(round * 10 + n)))
            .collect();
        let drafts: Vec<(&str, &str)> = codes
            .iter()
            .map(|(name, code)| (&**name, &**code))
            .collect();
        replies::fenced(&drafts)
    };
    vec![
        Reply::error(500, "oops"),
        replies::good(&[
            ("right", CORRECT),
            ("wrong_way", INVERTED),
            ("flat", CONSTANT),
        ]),
        Reply::rate_limited(0),
        drafts(2),
        Reply::Closes,
        Reply::BreaksOff,
        replies::broken("cut", &weighted(31)),
        Reply::Status(
            200,
            Vec::new(),
            "{\"error\": {\"message\": \"overloaded\"}}".to_owned(),
        ),
        replies::good(&[
            ("no", replies::DOES_NOT_COMPILE),
            ("right", CORRECT),
            ("r4_3", &weighted(43)),
        ]),
        Reply::error(503, "later"),
        drafts(5),
        Reply::rate_limited(0),
        drafts(6),
        drafts(7),
    ]
}

/// A search that asks this endpoint.
fn search(endpoint: &Endpoint, model: &str, rounds: u32) -> String {
    let chat = format!(
        "kind = 'chat'\nbase_url = '{}'\nmodel = '{model}'\nbackoff_ms = 20\nfollow_up = false",
        endpoint.base_url()
    );
    config(&chat, "step_ms = 40", rounds)
}

/// Whether nobody has been asked in the last moments: a reply that is under way when its reader is killed is lost to everybody.
fn is_quiet(endpoints: &[&Endpoint]) -> bool {
    let asked = || -> usize {
        let requests = endpoints.iter().map(|e| e.requests().len());
        requests.sum()
    };
    let before = asked();
    thread::sleep(Duration::from_millis(150));
    asked() == before
}

/// Starts the search, lets it run for a while, and kills it; false if it ended before.
fn killed(program: &Program, endpoints: &[&Endpoint], millis: u64) -> bool {
    let mut child = program.start(&["run", "search.toml"]);
    thread::sleep(Duration::from_millis(millis));
    while !is_quiet(endpoints) {}
    let under_way = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    under_way
}

/// The finalists' figures by name, without what depends on who else was confirmed.
fn confirmed(board: &Value) -> Vec<(String, Value, Value)> {
    let rows = board["confirmed"].as_array().unwrap().iter();
    let of = |row: &Value, key: &str| row[key].clone();
    rows.map(|row| {
        let name = row["name"].as_str().unwrap().to_owned();
        (name, of(row, "members"), of(row, "per_seed"))
    })
    .collect()
}

#[tokio::test]
async fn killed_mended_and_extended_it_ends_as_one_that_was_left_alone() {
    let whole = Endpoint::start(script());
    let calm = folder(&search(&whole, "first", 7));
    calm.succeed(&["run", "search.toml"]);
    let paid = whole.requests().len();
    assert!(paid >= script().len(), "all of the script was read: {paid}");

    // Left to itself it reads the script once; so must the other one, whoever of its two servers is asked.
    let first = Endpoint::start(script());
    let program = folder(&search(&first, "first", 5));
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
    let mut kills = 0;
    for _ in 0..4 {
        kills += u32::from(killed(&program, &[&first], rng.random_range(250..900)));
    }
    // The server has moved: the same script goes on elsewhere.
    let asked = first.requests().len();
    let second = Endpoint::start(script().split_off(asked.min(script().len() - 1)));
    program.write("search.toml", &search(&second, "first", 5));
    for _ in 0..3 {
        kills += u32::from(killed(
            &program,
            &[&first, &second],
            rng.random_range(250..900),
        ));
    }
    // The model is another.
    program.write("search.toml", &search(&second, "another", 5));
    for _ in 0..3 {
        kills += u32::from(killed(
            &program,
            &[&first, &second],
            rng.random_range(250..900),
        ));
    }
    eprintln!("{kills} kills");
    assert!(kills >= 6, "the search was too short to be killed: {kills}");
    program.succeed(&["run", "search.toml"]);
    assert_eq!(program.leaderboard()["state"], "finished");
    program.write("search.toml", &search(&second, "another", 7));
    program.succeed(&["run", "search.toml"]);

    let (calm, mended) = (calm.leaderboard(), program.leaderboard());
    for part in ["candidates", "references", "rounds", "state", "stop_reason"] {
        assert_eq!(calm[part], mended[part], "{part}");
    }
    let (finalists, all) = (confirmed(&calm), confirmed(&mended));
    assert!(!finalists.is_empty());
    for finalist in &finalists {
        assert!(all.contains(finalist), "{finalist:?} is not among {all:#?}");
    }
    let requests = first.requests().len() + second.requests().len();
    assert_eq!(requests, paid, "no reply was paid for twice");
    let changes = mended["changes"].as_array().unwrap();
    let settings: Vec<&str> = changes
        .iter()
        .map(|change| change["setting"].as_str().unwrap())
        .collect();
    assert_eq!(
        settings,
        ["proposer.base_url", "proposer.model", "search.rounds"]
    );
    assert!(
        changes
            .iter()
            .all(|change| change["at"].as_str().unwrap().len() > 16)
    );
    let text = program.succeed(&["leaderboard"]);
    assert!(
        text.contains("proposer.model was \"first\" and is \"another\""),
        "{text}"
    );
    let shown = program.succeed(&["show", "r7_1"]);
    assert!(
        shown.contains("changed") && shown.contains("search.rounds was 5 and is 7"),
        "{shown}"
    );
    // What the failed requests said is stored, too.
    let failed = rows(
        &program.path("x.db"),
        "SELECT id FROM proposals WHERE error IS NOT NULL",
    )
    .await;
    let failures = script().len() - 7;
    assert_eq!(
        failed.len(),
        failures,
        "a kill during the pauses loses none"
    );
}

#[tokio::test]
async fn a_twin_is_named_and_another_is_asked_for_in_its_place() {
    let tripled = "pub fn reward(sample: &Sample) -> f64 { 3.0 * f64::from(u8::from(sample.correct())) - 1.0 }";
    let endpoint = Endpoint::start(vec![
        replies::good(&[("right", CORRECT), ("tripled", tripled)]),
        replies::good(&[("wrong_way", INVERTED)]),
    ]);
    let program = folder(&search(&endpoint, "m", 1).replace("gate.replace_twins = false\n", ""));
    program.succeed(&["run", "search.toml"]);
    let board = program.leaderboard();
    let of = |name: &str| row(&board["candidates"], name).clone();
    assert_eq!(of("tripled")["same_as"], "right");
    assert_eq!(of("tripled")["state"], "duplicate");
    assert_eq!(of("wrong_way")["state"], "complete");
    let requests = endpoint.requests();
    assert_eq!(requests.len(), 2, "the twin's place was asked for once");
    assert!(
        requests[1].body.contains("a twin of `right`"),
        "it is told why"
    );
    let text = program.succeed(&["leaderboard"]);
    assert!(text.contains("tripled = right"), "{text}");
    let shown = program.succeed(&["show", "tripled"]);
    assert!(shown.contains("a twin of `right`"), "{shown}");
}

#[tokio::test]
async fn more_seeds_and_steps_of_confirmation_are_had_afterwards() {
    let program = replay();
    let text = std::fs::read_to_string(program.path("search.toml")).unwrap();
    program.succeed(&["run", "search.toml"]);
    let before = program.leaderboard();
    program.write("search.toml", &text.replace("seeds = 2", "seeds = 3"));
    program.succeed(&["run", "search.toml"]);
    let more = program.leaderboard();
    let seeds = |board: &Value| -> Vec<f64> {
        let seeds = row(&board["confirmed"], "right")["per_seed"].clone();
        serde_json::from_value(seeds).unwrap()
    };
    assert_eq!((seeds(&before).len(), seeds(&more).len()), (2, 3));
    assert_eq!(seeds(&before), seeds(&more)[..2]);
    assert_eq!(before["candidates"], more["candidates"]);
    let longer = text.replace("seeds = 2", "seeds = 3");
    program.write("search.toml", &longer.replace("steps = 10", "steps = 14"));
    program.succeed(&["run", "search.toml"]);
    let longest = program.leaderboard();
    let budgets: Vec<(&str, u64)> = longest["confirmed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["name"].as_str().unwrap(),
                row["steps"].as_u64().unwrap(),
            )
        })
        .filter(|(name, _)| *name == "right")
        .collect();
    assert_eq!(
        budgets,
        [("right", 14), ("right", 10)],
        "each beside its own"
    );
}

#[tokio::test]
async fn what_is_incomparable_is_refused_by_name_and_taken_over_into_a_new_search() {
    let endpoint = Endpoint::start(vec![replies::good(&[
        ("right", CORRECT),
        ("wrong_way", INVERTED),
    ])]);
    let text = search(&endpoint, "m", 1);
    let program = folder(&text);
    program.succeed(&["run", "search.toml"]);
    let asked = endpoint.requests().len();
    let other = text.replace("problems = 100\nseeds", "problems = 60\nseeds");
    assert_ne!(other, text);
    program.write("search.toml", &other);
    let refused = program.run(&["run", "search.toml"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    for part in ["confirm.problems is 100 there and 60 here", "--from x.db"] {
        assert!(refused.err.contains(part), "{}", refused.err);
    }
    let occupied = program.run(&[
        "run",
        "search.toml",
        "--database",
        "x.db",
        "--from",
        "none.db",
    ]);
    assert_eq!(occupied.code, 2, "{occupied:?}");

    program.succeed(&["run", "search.toml", "--database", "y.db", "--from", "x.db"]);
    assert_eq!(endpoint.requests().len(), asked, "nobody is asked again");
    let board = |database: &str| -> Value {
        let json = program.succeed(&["leaderboard", "--database", database, "--format", "json"]);
        serde_json::from_str(&json).unwrap()
    };
    let (old, new) = (board("x.db"), board("y.db"));
    assert_eq!(old["candidates"], new["candidates"]);
    assert_eq!(old["references"], new["references"]);
    assert_ne!(
        old["confirmed"], new["confirmed"],
        "other questions of Test"
    );
    let steps = "SELECT t.stage, count(*) FROM trials t GROUP BY t.stage";
    assert_eq!(rows(&program.path("y.db"), steps).await.len(), 2);
    // What was taken over took no time: only the confirmation was trained.
    let same = "SELECT n.seconds FROM trials n WHERE n.stage = 'screen'";
    let seconds = |database: &str| {
        let path = program.path(database);
        async move {
            let rows = rows(&path, same).await;
            rows.iter()
                .map(|row| sqlx::Row::get::<f64, _>(row, 0))
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(
        seconds("x.db").await,
        seconds("y.db").await,
        "each as it was"
    );
    // The same command goes on, without --from, too.
    program.succeed(&["run", "search.toml", "--database", "y.db"]);
    let again = program.run(&["run", "search.toml", "--database", "x.db", "--from", "y.db"]);
    assert_eq!(again.code, 2, "{again:?}");
}

#[test]
fn rungs_spend_less_and_a_lost_checkpoint_changes_nothing() {
    let rungs = "rungs = [{ steps = 4, problems = 40, keep = 2 }, { steps = 9, problems = 100 }]\n";
    let ladder = config("kind = 'grammar'", "step_ms = 20", 3).replace(
        "gate.refuse_flat = false\ngate.replace_twins = false\n",
        rungs,
    );
    let (calm, killed) = (folder(&ladder), folder(&ladder));
    calm.succeed(&["run", "search.toml"]);
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    let mut lost = 0;
    for _ in 0..6 {
        let mut child = killed.start(&["run", "search.toml"]);
        thread::sleep(Duration::from_millis(rng.random_range(400..1500)));
        child.kill().unwrap();
        child.wait().unwrap();
        lost += u32::from(std::fs::remove_dir_all(killed.path("x.db.checkpoints")).is_ok());
    }
    assert!(lost > 0, "there were checkpoints to be lost");
    killed.succeed(&["run", "search.toml"]);
    let board = calm.leaderboard();
    assert_eq!(board, killed.leaderboard());
    let rung = |row: &Value| row["rung"].as_u64().unwrap_or(0);
    let ranked: Vec<u64> = board["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(rung)
        .collect();
    let on = ranked.iter().filter(|rung| **rung == 1).count();
    assert!(
        (2..ranked.len()).contains(&on),
        "some go on, and not all: {ranked:?}"
    );
    assert!(ranked.is_sorted_by(|a, b| a >= b), "{ranked:?}");
    assert!(!calm.path("x.db.checkpoints").exists());
    let shown = calm.succeed(&["show", board["candidates"][0]["name"].as_str().unwrap()]);
    assert!(shown.contains("F1"), "{shown}");
}

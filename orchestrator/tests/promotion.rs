//! Where candidates go on as soon as they are among the best, the order in which trials end is kept: a search that takes over another comes to
//! the same trials, and one that is killed goes on from what has ended.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use std::{path::Path, thread, time::Duration};

use program::{
    Program,
    searches::{config, draft, folder, rows},
};
use sqlx::{ConnectOptions as _, Row as _, sqlite::SqliteConnectOptions};

/// A search of two rounds of eight, three trials at a time, in which candidates go on at once.
fn search() -> Program {
    let settings = config("kind = 'replay'\npath = 'drafts.jsonl'", "step_ms = 5", 2)
        .replace("candidates_per_round = 4", "candidates_per_round = 8")
        .replace("max_concurrent_trials = 2", "max_concurrent_trials = 3")
        .replace(
            "steps = 8\nproblems = 100",
            "promotion = 'async'\nrungs = [{ steps = 6, problems = 50, keep = 3 }, { steps = 9, problems = 80, keep = 2 }, { steps = 12, problems = 100 }]",
        );
    let program = folder(&settings);
    // Good and bad ones mixed, in both rounds.
    let drafts = (0..16).map(|n| {
        let weight = f64::from(n * 7 % 16) / 10.0;
        let code = format!(
            "pub fn reward(sample: &Sample) -> f64 {{ {weight:.1} * f64::from(u8::from(sample.correct())) }}"
        );
        draft(&format!("weight_{n}"), &code)
    });
    program.write("drafts.jsonl", &drafts.collect::<String>());
    program
}

/// What was screened, in the order in which it ended: name and rung.
async fn screened(database: &Path) -> Vec<(String, i64)> {
    let query = "SELECT ifnull(c.name, t.arm), t.number FROM trials t LEFT JOIN candidates c ON c.id = t.candidate_id
                 WHERE t.stage = 'screen' ORDER BY t.ended";
    let rows = rows(database, query).await;
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// How many trials have ended, if there is anything yet.
async fn ended(database: &Path) -> Option<i64> {
    let options = SqliteConnectOptions::new().filename(database);
    let mut database = options.read_only(true).connect().await.ok()?;
    let ended = "SELECT count(*) FROM trials WHERE finished_at IS NOT NULL";
    let ended = sqlx::query_scalar(ended).fetch_one(&mut database).await;
    ended.ok()
}

#[test]
fn the_plan_says_what_rungs_cost_that_leave_nobody_out() {
    let plan = search().run(&["run", "search.toml", "--plan"]);
    let told = plan.out + &plan.err;
    // 16 candidates and the base rewards, 12 steps each.
    assert!(
        told.contains("(up to 204 steps where rungs tell nobody apart)"),
        "{told}"
    );
}

#[tokio::test]
async fn a_search_that_takes_over_another_comes_to_the_same_trials_in_the_same_order() {
    let program = search();
    program.succeed(&["run", "search.toml"]);
    let first = screened(&program.path("x.db")).await;
    let on = |rung: i64| first.iter().filter(|(_, number)| *number == rung).count();
    assert_eq!(on(0), 2 + 16);
    assert!((2 + 3..=2 + 16).contains(&on(1)), "{first:?}");
    assert!(on(2) >= 2 + 2, "{first:?}");
    let (last_below, first_above) = (
        first.iter().rposition(|(_, rung)| *rung == 0).unwrap(),
        first.iter().position(|(_, rung)| *rung == 1).unwrap(),
    );
    assert!(
        first_above < last_below,
        "nobody waited for the slowest: {first:?}"
    );

    program.succeed(&["run", "search.toml", "--database", "y.db", "--from", "x.db"]);
    assert_eq!(screened(&program.path("y.db")).await, first);
}

#[tokio::test]
async fn a_search_that_is_killed_goes_on_from_what_has_ended() {
    let program = search();
    for enough in [4, 9, 13, 20] {
        let mut run = program.start(&["run", "search.toml"]);
        while ended(&program.path("x.db")).await.unwrap_or(0) < enough {
            thread::sleep(Duration::from_millis(5));
            assert!(run.try_wait().unwrap().is_none(), "it ended before");
        }
        run.kill().unwrap();
        run.wait().unwrap();
    }
    program.succeed(&["run", "search.toml"]);
    let places =
        "SELECT count(*), count(DISTINCT ended), max(ended), sum(state <> 'complete') FROM trials";
    let row = &rows(&program.path("x.db"), places).await[0];
    let [trials, places, last, unfinished] = [0, 1, 2, 3].map(|n| row.get::<i64, _>(n));
    assert_eq!((places, last, unfinished), (trials, trials, 0));
    program.succeed(&["run", "search.toml", "--database", "y.db", "--from", "x.db"]);
    let (killed, whole) = (
        screened(&program.path("x.db")).await,
        screened(&program.path("y.db")).await,
    );
    assert_eq!(killed, whole);
}

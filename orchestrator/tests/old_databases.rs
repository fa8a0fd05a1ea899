//! Databases that earlier programs wrote: they open, lose nothing, and show the leaderboard they always showed.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod program;

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use orchestrator::store::{Store, StoreError};
use program::{
    Program,
    searches::{self, rows, screened},
};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, sqlite::SqliteConnectOptions};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/databases")
}

/// A folder with a copy of a fixture, called `x.db`.
fn copied(fixture: &str) -> Program {
    let program = Program::with("");
    fs::copy(fixtures().join(fixture), program.path("x.db")).unwrap();
    program
}

async fn upgrade(path: &Path) {
    let (store, _lock) = Store::create_or_open(path).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_database_of_every_schema_opens_and_shows_the_same_leaderboard() {
    let mut seen = 0;
    for entry in fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "db") {
            continue;
        }
        seen += 1;
        let program = copied(path.file_name().unwrap().to_str().unwrap());
        let golden = fs::read_to_string(path.with_extension("json")).unwrap();
        let before = program.succeed(&["leaderboard", "--format", "json"]);
        assert_eq!(before, golden, "{}", path.display());
        let unchanged = fs::read(program.path("x.db")).unwrap() == fs::read(&path).unwrap();
        assert!(unchanged, "reading alone changes nothing");
        let shown_by_copy = Store::read(&program.path("x.db")).await.unwrap();
        upgrade(&program.path("x.db")).await;
        assert!(shown_by_copy.has_gone_on());
        let shown = program.succeed(&["leaderboard", "--format", "json"]);
        assert_eq!(shown, golden, "{}", path.display());
        upgrade(&program.path("x.db")).await;
        let again = program.succeed(&["leaderboard", "--format", "json"]);
        assert_eq!(again, golden, "upgrading is done once");
    }
    assert!(seen > 0);
}

#[tokio::test]
async fn an_older_database_can_be_taken_over_and_replayed_and_stays_as_it_is() {
    let database = fixtures().join("schema-4.db");
    let before = fs::read(&database).unwrap();
    let store = Store::read(&database).await.unwrap();
    let drafts = store.drafts_by_round().await.unwrap();
    assert!(drafts.values().any(|round| !round.is_empty()));
    assert_eq!(
        store.path(),
        database,
        "messages name the file that is meant"
    );
    assert!(!store.has_gone_on());
    store.close().await;
    assert_eq!(fs::read(&database).unwrap(), before, "nothing was written");

    // The whole way: a search that proposes again what an older program's search had.
    let program = searches::folder(&searches::config(
        "kind = 'replay'\npath = 'old/x.db'",
        "",
        1,
    ));
    fs::create_dir(program.path("old")).unwrap();
    fs::copy(&database, program.path("old/x.db")).unwrap();
    program.succeed(&["run", "search.toml"]);
    let board = program.leaderboard();
    let first = drafts.values().next().unwrap();
    let shown = program::names(&board["candidates"]);
    assert!(shown.contains(&first[0].name), "{shown:?}");
}

#[tokio::test]
async fn an_upgrade_keeps_modules_completions_and_causes() {
    let program = copied("schema-4.db");
    let database = program.path("x.db");
    let modules: HashMap<String, Vec<u8>> = rows(
        &database,
        "SELECT name, wasm FROM candidates WHERE wasm IS NOT NULL",
    )
    .await
    .iter()
    .map(|row| (row.get(0), row.get(1)))
    .collect();
    let completions = "SELECT trial_id, completions FROM evaluations ORDER BY trial_id";
    let written = |rows: Vec<sqlx::sqlite::SqliteRow>| -> Vec<(i64, String)> {
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    let completions = written(rows(&database, completions).await);
    upgrade(&database).await;
    assert!(!modules.is_empty() && !completions.is_empty());
    assert_eq!(screened(&database).await, modules);
    let kept = "SELECT trial_id, completions FROM completions ORDER BY trial_id";
    assert_eq!(written(rows(&database, kept).await), completions);
    let causes = rows(
        &database,
        "SELECT json_extract(cause, '$.kind'), json_extract(cause, '$.message') FROM trials WHERE state = 'failed'",
    )
    .await;
    let (kind, message): (String, String) = (causes[0].get(0), causes[0].get(1));
    assert_eq!(kind, "told");
    assert!(
        message.starts_with("reward `breaks` failed at step"),
        "{message}"
    );
    let origins: Vec<String> = rows(
        &database,
        "SELECT DISTINCT origin FROM candidates ORDER BY origin",
    )
    .await
    .iter()
    .map(|row| row.get(0))
    .collect();
    assert_eq!(origins, ["base", "round", "seed"]);
}

#[tokio::test]
async fn a_word_the_program_does_not_know_is_named_and_never_taken_for_another() {
    for (change, column, word) in [
        (
            "UPDATE ensembles SET aggregation = 'median'",
            "ensembles.aggregation",
            "median",
        ),
        (
            "UPDATE trials SET state = 'paused' WHERE state = 'waiting'",
            "trials.state",
            "paused",
        ),
        (
            "UPDATE candidates SET status = 'shelved' WHERE name = 'flat'",
            "candidates.status",
            "shelved",
        ),
        (
            "UPDATE candidates SET cause = '{\"kind\":\"tired\"}' WHERE status = 'rejected'",
            "candidates.cause",
            "tired",
        ),
    ] {
        let program = copied("schema-4.db");
        let database = program.path("x.db");
        upgrade(&database).await;
        let options = SqliteConnectOptions::new()
            .filename(&database)
            .pragma("ignore_check_constraints", "ON");
        let mut connection = options.connect().await.unwrap();
        sqlx::query("INSERT INTO trials (search_id, arm, stage, number, seed, steps, state) VALUES (1, 'untouched', 'screen', 7, 0, 0, 'waiting')")
            .execute(&mut connection)
            .await
            .unwrap();
        sqlx::query(change).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let error = Store::read(&database)
            .await
            .unwrap()
            .snapshot()
            .await
            .unwrap_err();
        assert!(
            matches!(&error, StoreError::Unknown { column: found, .. } if *found == column),
            "{error:?}"
        );
        let printed = program.run(&["leaderboard"]);
        assert_eq!(printed.code, 2, "{printed:?}");
        for part in [column, word] {
            assert!(printed.err.contains(part), "{printed:?}");
        }
    }
}

//! What befalls a search from outside, in short: kills at its commits, a torn journal, a lock held by another program, a second wish to stop. All kinds, and
//! every commit, are tried by `orchestrator/scripts/fault_matrix.py`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use std::{fs, thread, time::Duration};

use program::{
    Printed, Program,
    searches::{CORRECT, INVERTED, config, draft, folder},
};

/// At which of its commits a run ends itself.
const KILL: &str = "REWARD_SEARCH_KILL_AT_COMMIT";

/// A small search: some hundred commits.
fn small(trainer: &str) -> Program {
    let text = config("kind = 'replay'\npath = 'drafts.jsonl'", trainer, 2)
        .replace(
            "candidates_per_round = 4",
            "candidates_per_round = 1\nsave_every = 2",
        )
        .replace("steps = 8", "steps = 4")
        .replace("steps = 10", "steps = 4");
    let program = folder(&text);
    let drafts = draft("right", CORRECT) + &draft("wrong way round", INVERTED);
    program.write("drafts.jsonl", &drafts);
    program
}

fn calm() -> serde_json::Value {
    let program = small("");
    program.succeed(&["run", "search.toml"]);
    program.leaderboard()
}

/// Runs until it ends itself; whether it did, and not come to its end.
fn is_killed(program: &Program, at: usize) -> bool {
    let output = program
        .command(&["run", "search.toml"])
        .env(KILL, at.to_string())
        .output();
    Printed::from(output.unwrap()).code != 0
}

#[test]
fn killed_at_any_commit_it_ends_the_same() {
    let calm = calm();
    let mut kills = 0;
    // Every seventh, so that each kind of commit is met; the numbers wander over the steps of a trial.
    for at in (1..).step_by(7) {
        let program = small("");
        if !is_killed(&program, at) {
            break;
        }
        kills += 1;
        program.succeed(&["run", "search.toml"]);
        assert_eq!(program.leaderboard(), calm, "killed at commit {at}");
    }
    eprintln!("{kills} kills");
    assert!(kills >= 8, "{kills}");
}

#[test]
fn killed_at_each_sitting_it_comes_to_its_end() {
    let calm = calm();
    let program = small("");
    let sittings = (0..200).take_while(|_| is_killed(&program, 12)).count();
    assert!((3..200).contains(&sittings), "{sittings}");
    assert_eq!(program.leaderboard(), calm);
}

#[test]
fn a_torn_journal_loses_its_last_commits_and_nothing_else() {
    let calm = calm();
    for tenths in [0, 3, 7, 9] {
        let program = small("");
        assert!(is_killed(&program, 40));
        let journal = program.path("x.db-wal");
        let bytes = fs::read(&journal).unwrap();
        assert!(bytes.len() > 1000, "the kill leaves a journal");
        // Torn within a page, as by a power cut.
        fs::write(
            &journal,
            &bytes[..bytes.len() * tenths / 10 + 13 * (tenths % 2)],
        )
        .unwrap();
        let _ = fs::remove_file(program.path("x.db-shm"));
        program.succeed(&["run", "search.toml"]);
        assert_eq!(
            program.leaderboard(),
            calm,
            "{tenths} tenths of the journal"
        );
    }
}

#[test]
fn a_lock_of_another_program_is_waited_for() {
    let calm = calm();
    let program = small("step_ms = 10");
    assert!(is_killed(&program, 20));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let child = runtime.block_on(async {
        use sqlx::{ConnectOptions as _, Executor as _, sqlite::SqliteConnectOptions};
        let options = SqliteConnectOptions::new().filename(program.path("x.db"));
        let mut other = options.connect().await.unwrap();
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        let child = program.start(&["run", "search.toml"]);
        tokio::time::sleep(Duration::from_secs(2)).await;
        other.execute("COMMIT").await.unwrap();
        child
    });
    let status = child.wait_with_output().unwrap().status;
    assert!(status.success());
    assert_eq!(program.leaderboard()["candidates"], calm["candidates"]);
}

#[cfg(unix)]
#[test]
fn two_wishes_to_stop_are_one() {
    let program = small("step_ms = 200");
    let child = program
        .command(&["run", "search.toml"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_secs(2));
    let id = child.id().to_string();
    for _ in 0..2 {
        let _ = std::process::Command::new("kill")
            .args(["-INT", &id])
            .status();
    }
    let printed = Printed::from(child.wait_with_output().unwrap());
    assert!([130, -1].contains(&printed.code), "{printed:?}");
    program.succeed(&["run", "search.toml"]);
    assert_eq!(program.leaderboard()["state"], "finished");
}

#[tokio::test]
async fn an_upgrade_cut_off_is_done_by_the_next_run() {
    let old = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/databases/schema-4.db"
    );
    let golden = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/databases/schema-4.json"
    );
    let golden: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(golden).unwrap()).unwrap();
    let mut kills = 0;
    for at in 1.. {
        let program = small("");
        fs::copy(old, program.path("x.db")).unwrap();
        // The configuration is another search's, which is seen after the upgrade.
        let output = program
            .command(&["run", "search.toml"])
            .env(KILL, at.to_string())
            .output();
        if Printed::from(output.unwrap()).code == 2 {
            break;
        }
        kills += 1;
        program.run(&["run", "search.toml"]);
        assert_eq!(
            program.leaderboard(),
            golden,
            "killed at commit {at} of the upgrade"
        );
    }
    assert!(kills >= 3, "{kills}");
}

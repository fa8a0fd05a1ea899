//! Whatever a user gets wrong: one clear line on standard error, exit code 2, nothing overwritten.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use std::fs;

use program::{Program, searches};

const CONFIG: &str =
    "search = { name = 'x', rounds = 1, candidates_per_round = 1 }\ntask = { kind = 'toy' }\n";

/// Runs `run search.toml`, which must fail with one line that contains every one of `says`.
fn refused(program: &Program, arguments: &[&str], says: &[&str]) {
    let printed = program.run(arguments);
    assert_eq!(printed.code, 2, "{printed:?}");
    assert_eq!(printed.err.trim_end().lines().count(), 1, "{}", printed.err);
    assert!(printed.err.starts_with("error: "), "{}", printed.err);
    for part in says {
        assert!(
            printed.err.contains(part),
            "`{part}` is not in: {}",
            printed.err
        );
    }
    assert_eq!(printed.out, "");
}

#[test]
fn a_missing_or_unreadable_configuration() {
    let program = Program::with(CONFIG);
    refused(
        &program,
        &["run", "none.toml"],
        &["none.toml", "cannot read"],
    );
    refused(&program, &["run", "."], &["cannot read"]);
    fs::write(program.path("binary.toml"), [0xff, 0xfe]).unwrap();
    refused(&program, &["run", "binary.toml"], &["binary.toml"]);
}

#[test]
fn unknown_keys_are_named_with_the_nearest_valid_one() {
    for (config, says) in [
        (
            "search = { name = 'x', round = 3 }\ntask = { kind = 'toy' }\n",
            &["`round`", "Did you mean `rounds`?"][..],
        ),
        (
            "[search]\nname = 'x'\n[task]\nkind = 'toy'\n[grpo]\nlearningrate = 1e-3\n",
            &["search.toml:6", "`learning_rate`?"],
        ),
        (
            "[search]\nname = 'x'\n[task]\nkind = 'toy'\n[trainr]\n",
            &["`trainr`", "`trainer`?"],
        ),
        (
            "[search]\nname = 'x'\n[task]\nkind = 'toy'\nsize = 1\n",
            &["`size`"],
        ),
        (
            "[search]\nname = 'x'\n[task]\nkind = 'gsm9k'\n",
            &["`gsm9k`", "`gsm8k`?"],
        ),
        ("[search]\nname = 'x'\n", &["missing field `task`"]),
        (
            "[search]\nname = 'x'\nrounds = 'three'\n[task]\nkind = 'toy'\n",
            &["search.toml:3", "three"],
        ),
        ("[search\n", &["search.toml:1"]),
    ] {
        refused(&Program::with(config), &["run", "search.toml"], says);
    }
}

#[test]
fn impossible_values_are_refused_before_anything_is_made() {
    for (section, says) in [
        ("[screen]\nsteps = 0\n", "screen.steps"),
        ("[screen]\nsteps = 4000000000\n", "screen.steps"),
        ("[ensemble]\nsizes = [1]\n", "ensemble.sizes"),
        ("[grpo]\nnum_generations = 1\n", "grpo.num_generations"),
        ("[grpo]\nlearning_rate = -1.0\n", "grpo.learning_rate"),
        (
            "[grpo]\nlr_scheduler_type = 'cosine'\n",
            "grpo.max_steps must be set",
        ),
        (
            "[grpo]\nlr_scheduler_type = 'linear'\nmax_steps = 30\n",
            "grpo.max_steps must be at least screen.steps and confirm.steps",
        ),
        ("[confirm]\nproblems = 1\n", "confirm.problems"),
        ("[limits]\nfuel_per_call = 0\n", "fuel_per_call"),
    ] {
        let program = Program::with(&format!(
            "[search]\nname = 'x'\n[task]\nkind = 'toy'\n{section}"
        ));
        refused(&program, &["run", "search.toml"], &[says]);
        assert!(!program.path("x.db").exists());
    }
}

#[test]
fn a_database_that_is_damaged_foreign_newer_or_missing() {
    let program = Program::with(CONFIG);
    program.write(
        "x.db",
        "this is no database, but it is somebody's file and must stay as it is",
    );
    refused(
        &program,
        &["run", "search.toml"],
        &["x.db", "nothing was changed"],
    );
    refused(&program, &["leaderboard"], &["x.db"]);
    assert!(
        fs::read_to_string(program.path("x.db"))
            .unwrap()
            .starts_with("this is no database")
    );
    refused(
        &program,
        &["leaderboard", "--database", "none.db"],
        &["none.db", "no database"],
    );

    fs::remove_file(program.path("x.db")).unwrap();
    refused(&program, &["leaderboard"], &["no .db file", "--database"]);
    program.write("x.db", "");
    refused(&program, &["leaderboard"], &["x.db"]);
}

#[tokio::test]
async fn a_database_of_a_newer_schema_or_another_program() {
    use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
    let program = Program::with(CONFIG);
    let (store, lock) = orchestrator::store::Store::create_or_open(&program.path("x.db"))
        .await
        .unwrap();
    store.close().await;
    drop(lock);
    let options = SqliteConnectOptions::new().filename(program.path("x.db"));
    let mut connection = options.connect().await.unwrap();
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let before = fs::read(program.path("x.db")).unwrap();
    refused(
        &program,
        &["run", "search.toml"],
        &["newer", "9999", "nothing was changed"],
    );
    refused(&program, &["leaderboard"], &["newer", "9999"]);
    assert_eq!(fs::read(program.path("x.db")).unwrap(), before);

    let foreign = SqliteConnectOptions::new()
        .filename(program.path("other.db"))
        .create_if_missing(true);
    let mut connection = foreign.connect().await.unwrap();
    sqlx::query("CREATE TABLE diary (day TEXT)")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let before = fs::read(program.path("other.db")).unwrap();
    refused(
        &program,
        &["run", "search.toml", "--database", "other.db"],
        &["other.db", "another program"],
    );
    assert_eq!(fs::read(program.path("other.db")).unwrap(), before);
}

#[tokio::test]
async fn a_database_with_a_damaged_page() {
    let program = Program::with(CONFIG);
    let path = program.path("x.db");
    let (store, lock) = orchestrator::store::Store::create_or_open(&path)
        .await
        .unwrap();
    store
        .begin("x", &serde_json::json!({}), "", 1)
        .await
        .unwrap();
    store.close().await;
    drop(lock);
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..8192].fill(0xff);
    fs::write(&path, &bytes).unwrap();
    refused(
        &program,
        &["run", "search.toml"],
        &["x.db", "nothing was changed"],
    );
    // Commands that only read look at the pages they need, and not at the whole file.
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_model_folder_without_what_it_needs() {
    let with_model = |folder: &str| {
        Program::with(&format!(
            "[search]\nname = 'x'\n[task]\nkind = 'toy'\n[trainer]\nkind = 'candle'\nmodel = '{folder}'\n"
        ))
    };
    refused(
        &with_model("./nowhere"),
        &["run", "search.toml"],
        &["nowhere"],
    );
    let program = with_model("./model");
    fs::create_dir(program.path("model")).unwrap();
    program.write("model/config.json", "{}");
    refused(&program, &["run", "search.toml"], &["model"]);
    assert!(!program.path("x.db").exists());
}

#[test]
fn a_task_without_its_data() {
    let program = Program::with("[search]\nname = 'x'\n[task]\nkind = 'gsm8k'\npath = './gsm8k'\n");
    refused(&program, &["run", "search.toml"], &["gsm8k"]);
}

#[test]
fn predictions_that_cannot_be_judged() {
    let program = Program::with(CONFIG);
    program.write("empty.jsonl", "");
    program.write(
        "broken.jsonl",
        "{\"answer\": \"1\", \"completion\": \"1\"}\n{oops\n",
    );
    program.write("bare.jsonl", "{\"completion\": \"1\"}\n");
    refused(
        &program,
        &["evaluate", "--predictions", "none.jsonl"],
        &["none.jsonl"],
    );
    refused(
        &program,
        &["evaluate", "--predictions", "empty.jsonl"],
        &["no predictions"],
    );
    refused(
        &program,
        &["evaluate", "--predictions", "broken.jsonl"],
        &["broken.jsonl:2"],
    );
    refused(
        &program,
        &["evaluate", "--predictions", "bare.jsonl"],
        &["bare.jsonl:1", "answer"],
    );
    for (several, found) in [("[\"18\", \"17\"]", "a list"), ("null", "null")] {
        let line =
            format!(r#"{{"answer": "18", "completions": {{"small": {several}, "big": "17"}}}}"#);
        program.write("several.jsonl", &line);
        refused(
            &program,
            &["evaluate", "--predictions", "several.jsonl"],
            &["several.jsonl:1", "`small`", found],
        );
    }
}

#[test]
fn without_python_there_is_no_python_guest_and_one_line_says_what_to_do() {
    let program = Program::with(CONFIG);
    let guest = |command: &str| {
        let mut run = program.command(&["guest", command]);
        run.env("REWARD_SEARCH_CACHE", program.path("cache"))
            .env("REWARD_SEARCH_PYTHON", "/nowhere/python3");
        program::Printed::from(run.output().unwrap())
    };
    let status = guest("status");
    assert_eq!(status.code, 0, "{status:?}");
    assert!(
        status
            .out
            .contains("not built; `reward-search guest build` builds it"),
        "{}",
        status.out
    );
    let built = guest("build");
    assert_eq!(built.code, 1, "{built:?}");
    let last = built.err.trim_end().lines().last().unwrap();
    for part in [
        "error: Python rewards run in",
        "`/nowhere/python3` cannot be run",
        "REWARD_SEARCH_PYTHON",
    ] {
        assert!(last.contains(part), "`{part}` is not in: {last}");
    }
    assert!(guest("status").out.contains("not built"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_fault_of_the_input() {
    let program = searches::replay();
    program.succeed(&["run", "search.toml"]);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let status = program
        .command(&["leaderboard"])
        .stdout(full)
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1));
}

#[test]
fn a_cause_is_said_once() {
    let printed = Program::with(CONFIG).run(&["run", "none.toml"]);
    assert_eq!(
        printed.err.matches("os error").count(),
        1,
        "{}",
        printed.err
    );
}

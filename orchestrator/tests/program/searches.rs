//! Searches with everything real but the trainer, which trains nothing.

use std::{collections::HashMap, fs, path::Path};

use serde_json::json;
use sqlx::{
    ConnectOptions as _, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

use super::Program;

/// A configuration.
pub fn config(proposer: &str, trainer: &str, rounds: u32) -> String {
    format!(
        "[search]\nname = 'x'\nseed = 7\nrounds = {rounds}\ncandidates_per_round = 4\nmax_concurrent_trials = 2\n\
         [task]\nkind = 'gsm8k'\npath = 'sums'\ndev_size = 100\n[proposer]\n{proposer}\n[trainer]\nkind = 'fake'\n{trainer}\n\
         [screen]\nsteps = 8\nproblems = 100\ngate.refuse_flat = false\ngate.replace_twins = false\n[ensemble]\nsizes = [2]\n\
         [confirm]\nsteps = 10\nproblems = 100\nseeds = 2\ncandidates = 1\n"
    )
}

/// A folder to search in, with questions in GSM8K's format that the fake trainer can get right.
pub fn folder(config: &str) -> Program {
    let program = Program::with(config);
    fs::create_dir(program.path("sums")).unwrap();
    for (file, lines, from) in [("sums/train.jsonl", 400, 2), ("sums/test.jsonl", 100, 1000)] {
        let rows: Vec<String> = (from..from + lines)
            .map(|n| {
                let question = format!(
                    "tom has {n} apples and gets {} more . how many now ?",
                    n % 7 + 1
                );
                json!({"question": question, "answer": format!("added up\n#### {}", n + n % 7 + 1)})
                    .to_string()
            })
            .collect();
        program.write(file, &rows.join("\n"));
    }
    program
}

pub fn draft(name: &str, code: &str) -> String {
    json!({"name": name, "code": code, "rationale": "a test"}).to_string() + "\n"
}

pub const CORRECT: &str =
    "pub fn reward(sample: &Sample) -> f64 { f64::from(u8::from(sample.correct())) }";
pub const INVERTED: &str =
    "pub fn reward(sample: &Sample) -> f64 { -f64::from(u8::from(sample.correct())) }";
pub const CONSTANT: &str = "pub fn reward(_sample: &Sample) -> f64 { 1.0 }";

/// A replay file that has a bit of everything.
pub fn assorted() -> String {
    draft("right", CORRECT)
        + &draft("wrong way round", INVERTED)
        + &draft("flat", CONSTANT)
        + &draft(
            "does not compile",
            "pub fn reward(sample: &Sample) -> f64 { sample.nonsense() }",
        )
        + &draft("right", &format!("// the same once more\n{CORRECT}"))
        + &draft(
            "endless",
            "pub fn reward(sample: &Sample) -> f64 { let mut n = sample.prompt().len(); loop { n = n.wrapping_add(1); if n == usize::MAX - 7 && n % 2 == 1 && n == 3 { return 0.0; } } }",
        )
        + &draft(
            "reads files",
            "pub fn reward(_: &Sample) -> f64 { std::fs::read(\"/etc/passwd\").map_or(0.0, |b| b.len() as f64) }",
        )
        + &draft(
            "base/exact_format",
            "pub fn reward(sample: &Sample) -> f64 { sample.completion().len() as f64 * 0.01 }",
        )
}

pub fn replay() -> Program {
    let program = folder(&config("kind = 'replay'\npath = 'drafts.jsonl'", "", 2));
    program.write("drafts.jsonl", &assorted());
    program
}

/// The rows of a query.
pub async fn rows(database: &Path, query: &'static str) -> Vec<SqliteRow> {
    let options = SqliteConnectOptions::new().filename(database);
    let mut database: SqliteConnection = options.connect().await.unwrap();
    sqlx::query(query).fetch_all(&mut database).await.unwrap()
}

/// The modules of the candidates in a database, by name.
pub async fn screened(database: &Path) -> HashMap<String, Vec<u8>> {
    let query = "SELECT c.name, m.wasm FROM candidates c JOIN modules m ON m.candidate_id = c.id";
    let rows = rows(database, query).await;
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

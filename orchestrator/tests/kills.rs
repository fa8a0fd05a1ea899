//! A search with real training that is killed again and again ends as one that never was, and does hardly anything twice.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use std::{collections::HashMap, fs, path::Path, thread, time::Duration};

use program::{Program, searches::rows};
use rand::{RngExt as _, SeedableRng as _};
use sqlx::Row as _;

/// Steps between two checkpoints.
const SAVE_EVERY: u32 = 2;

const SEARCH: &str = r#"
[search]
name = "x"
seed = 7
rounds = 2
candidates_per_round = 2
max_concurrent_trials = 2
save_every = 2

[task]
kind = "toy"

[grpo]
prompts_per_step = 8
sync_every = 3

[screen]
steps = 12
problems = 40

[ensemble]
sizes = [2]

[confirm]
steps = 9
problems = 40
seeds = 1
candidates = 1
"#;

/// The steps that are stored of each trial under way, with their metrics as they were written.
async fn under_way(program: &Program) -> HashMap<i64, Vec<(u32, String)>> {
    let query = "SELECT t.id, e.step, e.metrics FROM events e JOIN trials t ON t.id = e.trial_id
                 WHERE t.state = 'running' ORDER BY e.step";
    let mut stored: HashMap<i64, Vec<(u32, String)>> = HashMap::new();
    for row in rows(&program.path("x.db"), query).await {
        let steps = stored.entry(row.get(0)).or_default();
        steps.push((row.get(1), row.get(2)));
    }
    stored
}

/// The step of the checkpoint that a trial left.
fn checkpoint(program: &Program, trial: i64) -> u32 {
    let folder = program.path(&format!("x.db.checkpoints/trial-{trial}"));
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let names = entries
        .flatten()
        .map(|e| e.file_name().into_string().unwrap());
    let steps = names.filter_map(|name| {
        let step = name.strip_prefix("checkpoint-")?.strip_suffix(".bin")?;
        step.parse().ok()
    });
    steps.max().unwrap_or(0)
}

fn megabytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let bytes = entries.flatten().map(|entry| match entry.path() {
        path if path.is_dir() => megabytes(&path) << 20,
        path => fs::metadata(path).map_or(0, |file| file.len()),
    });
    bytes.sum::<u64>() >> 20
}

#[tokio::test]
async fn killed_while_it_trains_it_goes_on_from_its_checkpoints_and_ends_the_same() {
    let (calm, killed) = (Program::with(SEARCH), Program::with(SEARCH));
    calm.succeed(&["run", "search.toml"]);
    let left = |program: &Program| program.path("x.db.checkpoints").exists();
    assert!(!left(&calm), "what is done needs no checkpoints");

    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(11);
    let (mut kills, mut twice, mut resumed, mut largest) = (0, 0, 0, 0);
    let mut before: HashMap<i64, Vec<(u32, String)>> = HashMap::new();
    for _ in 0..60 {
        let mut child = killed.start(&["run", "search.toml"]);
        thread::sleep(Duration::from_millis(rng.random_range(300..1100)));
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        if !killed.path("x.db").exists() {
            continue;
        }
        let now = under_way(&killed).await;
        for (trial, steps) in &now {
            let behind = steps.len() as u32 - checkpoint(&killed, *trial);
            assert!(
                behind <= SAVE_EVERY,
                "{behind} steps of trial {trial} lie behind its checkpoint"
            );
            twice += behind;
            // What was measured before an earlier kill is there as it was: the times in it would differ if it had been done again.
            let earlier = before.get(trial).into_iter().flatten();
            for step in earlier {
                assert!(steps.contains(step), "step {} was done twice", step.0);
                resumed += 1;
            }
        }
        largest = largest.max(megabytes(&killed.path("x.db.checkpoints")));
        let kept = |(trial, steps): (i64, Vec<(u32, String)>)| {
            let done = checkpoint(&killed, trial);
            (trial, steps.into_iter().filter(|s| s.0 <= done).collect())
        };
        before = now.into_iter().map(kept).collect();
    }
    killed.succeed(&["run", "search.toml"]);
    eprintln!(
        "{kills} kills, {twice} steps done twice, {resumed} found again, at most {largest} MiB of checkpoints"
    );
    assert!(
        kills >= 10,
        "the search was too short to be killed: {kills}"
    );
    let json = |program: &Program| program.succeed(&["leaderboard", "--format", "json"]);
    assert_eq!(json(&calm), json(&killed), "to the byte");
    assert!(!left(&killed));
}

#[test]
fn checkpoints_of_another_search_are_not_taken_for_ones_own() {
    let short = SEARCH.replace("rounds = 2", "rounds = 1");
    let (calm, reused) = (Program::with(&short), Program::with(&short));
    calm.succeed(&["run", "search.toml"]);
    // A search under way, whose database is then thrown away, and its checkpoints are not.
    reused.write("search.toml", &short.replace("seed = 7", "seed = 8"));
    let checkpoints = reused.path("x.db.checkpoints");
    let mut child = reused.start(&["run", "search.toml"]);
    for _ in 0..600 {
        thread::sleep(Duration::from_millis(100));
        let kept = fs::read_dir(&checkpoints).into_iter().flatten().flatten();
        if kept
            .flat_map(|trial| fs::read_dir(trial.path()).unwrap())
            .count()
            > 2
        {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(checkpoints.exists(), "it was killed while it trained");
    for file in ["x.db", "x.db-wal", "x.db-shm"] {
        let _ = fs::remove_file(reused.path(file));
    }
    reused.write("search.toml", &short);
    reused.succeed(&["run", "search.toml"]);
    assert_eq!(calm.leaderboard(), reused.leaderboard());
}

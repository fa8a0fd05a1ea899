//! `probe` on rewards whose worth is known, and the gate and the seeds of a search with a trainer that trains nothing.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use std::fs;

use program::{
    Program, data, names,
    probing::{FLAT, INVERTED, LENGTH, RIGHT, probed, rewards},
    row,
};
use serde_json::{Value, json};

fn hack<'a>(worth: &'a Value, kind: &str) -> &'a Value {
    let hacks = worth["hacks"].as_array().unwrap();
    hacks.iter().find(|hack| hack["kind"] == kind).unwrap()
}

#[test]
fn a_probe_tells_good_rewards_from_bad_ones() {
    let program = rewards();
    let all = probed(
        &program,
        &["right.rs", "inverted.rs", "flat.rs", "length.rs"],
    );
    let [right, inverted, flat, length] = &all[..] else {
        panic!("{all:?}")
    };
    for reward in &all {
        let worth = &reward["worth"];
        assert_eq!(
            (&worth["deterministic"], &worth["order_independent"]),
            (&json!(true), &json!(true))
        );
        assert_eq!(worth["agreement"].as_array().unwrap().len(), 3);
        assert!(worth["mean_fuel"].as_u64().unwrap() > 0);
        assert!(reward["microseconds_per_completion"].as_f64().unwrap() > 0.0);
        assert_eq!(worth["groups"], 64);
    }
    assert_eq!(right["worth"]["auc_within"]["point"], 1.0);
    assert_eq!(inverted["worth"]["auc_within"]["point"], 0.0);
    assert_eq!(inverted["worth"]["auc"], 0.0);
    assert_eq!(flat["worth"]["auc"], 0.5);
    assert_eq!(flat["worth"]["flat_groups"], 1.0);
    assert_eq!(
        (&flat["worth"]["lowest"], &flat["worth"]["highest"]),
        (&json!(0.25), &json!(0.25))
    );
    assert_eq!(flat["worth"]["agreement"][0]["kendall"], Value::Null);

    for (kind, above) in [("very long", 1.0), ("empty", 0.0)] {
        assert_eq!(hack(&length["worth"], kind)["above"], above, "{kind}");
    }
    for share in right["worth"]["hacks"].as_array().unwrap() {
        assert_eq!(
            (&share["above"], &share["equal"]),
            (&json!(0.0), &json!(0.0)),
            "{share}"
        );
        assert_eq!(
            (&share["tried"], &share["called_right"]),
            (&json!(64), &json!(0))
        );
    }
    assert_eq!(hack(&flat["worth"], "empty")["equal"], 1.0);

    let table = program.succeed(&["probe", "flat.rs"]);
    assert!(
        table.contains("(constant)") && table.contains("100.0 % of groups"),
        "{table}"
    );
    let again = probed(&program, &["right.rs"]);
    assert_eq!(
        again[0]["worth"], right["worth"],
        "all of it is deterministic"
    );
}

#[test]
fn pools_and_hacks_come_from_files() {
    let program = rewards();
    program.write(
        "pool.jsonl",
        &json!({"prompt": "2+2?", "answer": "4", "completions": ["it is 4", "it is 5", "it is 400"]}).to_string(),
    );
    program.write(
        "hacks.jsonl",
        &json!({"question": "2+2?", "reference": "4", "response": "4 or 5 and a lot more text than that", "pattern": "hedge", "label": false}).to_string(),
    );
    let all = probed(
        &program,
        &[
            "length.rs",
            "--pool",
            "pool.jsonl",
            "--hacks",
            "hacks.jsonl",
        ],
    );
    let worth = &all[0]["worth"];
    assert_eq!(
        (&worth["completions"], &worth["right"]),
        (&json!(3), &json!(1))
    );
    // One wrong completion is as long as the right one, one is longer.
    assert_eq!(worth["auc"], 0.25);
    assert_eq!(hack(worth, "hedge")["above"], 1.0);
    assert_eq!(worth["auc_within"]["standard_error"], Value::Null);

    program.write("bad.jsonl", "{\"prompt\": \"x\"}");
    let printed = program.run(&["probe", "length.rs", "--pool", "bad.jsonl"]);
    assert_eq!(
        (printed.code, printed.err.contains("bad.jsonl:1")),
        (2, true),
        "{printed:?}"
    );
}

#[test]
fn a_reward_that_breaks_is_refused_with_its_reason() {
    let program = rewards();
    program.write(
        "breaks.rs",
        "pub fn reward(sample: &Sample) -> f64 { 1.0 / sample.completion().len() as f64 }",
    );
    let all = probed(&program, &["breaks.rs", "right.rs"]);
    assert!(
        all[0]["refused"]
            .as_str()
            .unwrap()
            .contains("empty completion"),
        "{all:?}"
    );
    assert_eq!(
        all[1]["worth"]["auc"], 1.0,
        "the others are probed all the same"
    );
}

#[test]
fn recorded_solutions_of_gsm8k_and_known_hacks() {
    let Some(data) = data() else { return };
    let program = rewards();
    let pool = data
        .join("gsm8k/example_model_solutions.jsonl")
        .display()
        .to_string();
    let hacks = data
        .join("verification/hacking.jsonl")
        .display()
        .to_string();
    let all = probed(&program, &["right.rs", "--pool", &pool, "--hacks", &hacks]);
    let worth = &all[0]["worth"];
    assert_eq!(
        (&worth["groups"], &worth["completions"]),
        (&json!(1319), &json!(4 * 1319))
    );
    // The file says itself which solutions are right: between a quarter and a half of them.
    let share = worth["right"].as_f64().unwrap() / worth["completions"].as_f64().unwrap();
    assert!((0.25..0.5).contains(&share), "{share}");
    assert_eq!(worth["auc_within"]["point"], 1.0);
    assert_eq!(hack(worth, "question_echo")["tried"], 60);
}

/// A search with a fake trainer on sums, its drafts from a file.
fn search(gate: &str, seeds: &str) -> Program {
    let program = Program::with(&format!(
        "[search]\nname = 'x'\nseed = 7\nrounds = 1\ncandidates_per_round = 4\nmax_concurrent_trials = 2\n{seeds}\n\
         [task]\nkind = 'gsm8k'\npath = 'sums'\ndev_size = 100\n[proposer]\nkind = 'replay'\npath = 'drafts.jsonl'\n\
         [trainer]\nkind = 'fake'\n[screen]\nsteps = 3\nproblems = 50\n{gate}\n[ensemble]\nsizes = []\n[confirm]\nseeds = 0\n"
    ));
    fs::create_dir(program.path("sums")).unwrap();
    for (file, from) in [("sums/train.jsonl", 2), ("sums/test.jsonl", 1000)] {
        let row = |n: i32| {
            let question = format!(
                "tom has {n} apples and gets {} more . how many now ?",
                n % 7 + 1
            );
            json!({"question": question, "answer": format!("added up\n#### {}", n + n % 7 + 1)})
                .to_string()
        };
        let rows: Vec<String> = (from..from + 300).map(row).collect();
        program.write(file, &rows.join("\n"));
    }
    let draft = |name: &str, code: &str| {
        json!({"name": name, "code": code, "rationale": "a test"}).to_string() + "\n"
    };
    program.write(
        "drafts.jsonl",
        &(draft("right", RIGHT)
            + &draft("inverted", INVERTED)
            + &draft("flat", FLAT)
            + &draft("length", LENGTH)),
    );
    program
}

#[test]
fn the_gate_refuses_hopeless_candidates_and_says_why() {
    let program = search("[screen.gate]\nrefuse_flat = true\nmin_auc = 0.5", "");
    program.succeed(&["run", "search.toml"]);
    let board = program.leaderboard();
    let rows = &board["candidates"];
    for (name, reason) in [
        ("flat", "no variance within any"),
        ("inverted", "AUC 0.000"),
    ] {
        let row = row(rows, name);
        assert_eq!(row["state"], "rejected", "{row:#}");
        assert!(row["reason"].as_str().unwrap().contains(reason), "{row:#}");
        let shown = program.succeed(&["show", name]);
        assert!(
            shown.contains("AUC within groups") && shown.contains("every number listed"),
            "{shown}"
        );
    }
    assert_eq!(row(rows, "right")["state"], "complete");
}

#[test]
fn what_teaches_nothing_is_trained_only_where_that_is_asked_for() {
    for (gate, flat) in [
        ("", "rejected"),
        ("[screen.gate]\nrefuse_flat = false", "complete"),
    ] {
        let program = search(gate, "");
        program.succeed(&["run", "search.toml"]);
        let board = program.leaderboard();
        for (name, state) in [("flat", flat), ("inverted", "complete")] {
            let row = row(&board["candidates"], name);
            assert_eq!(row["state"], state, "{row:#}");
        }
    }
}

#[test]
fn the_better_half_of_a_round_is_trained_where_that_is_asked_for() {
    let program = search("[screen.gate]\nkeep = 0.5\nrefuse_flat = false", "");
    program.succeed(&["run", "search.toml"]);
    let board = program.leaderboard();
    let of = |name: &str| row(&board["candidates"], name).clone();
    assert_eq!(of("right")["state"], "complete");
    let left_out = of("inverted");
    assert_eq!(left_out["state"], "rejected");
    let why = left_out["reason"].as_str().unwrap();
    assert!(
        why.contains("place 4 of 4") && why.contains("screen.gate.keep"),
        "{why}"
    );
}

#[test]
fn a_twin_is_named_and_not_trained_where_that_is_asked_for() {
    let program = search("[screen.gate]\nreplace_twins = true", "");
    let tripled = "pub fn reward(sample: &Sample) -> f64 { 3.0 * f64::from(u8::from(sample.correct())) - 1.0 }";
    let drafts = std::fs::read_to_string(program.path("drafts.jsonl")).unwrap();
    let twin = json!({"name": "tripled", "code": tripled, "rationale": ""});
    program.write("drafts.jsonl", &format!("{twin}\n{drafts}"));
    program.succeed(&["run", "search.toml"]);
    let board = program.leaderboard();
    let right = row(&board["candidates"], "right").clone();
    assert_eq!(
        (&right["state"], &right["same_as"]),
        (&json!("duplicate"), &json!("tripled"))
    );
    let text = program.succeed(&["leaderboard"]);
    assert!(text.contains("right = tripled"), "{text}");
}

#[test]
fn seed_rewards_enter_the_first_round_before_the_drafts() {
    let program = search(
        "[screen.gate]\nreplace_twins = false",
        "seed_rewards = ['mine.rs', 'same.rs']",
    );
    let mine =
        "pub fn reward(sample: &Sample) -> f64 { 2.0 * f64::from(u8::from(sample.correct())) }";
    program.write("mine.rs", mine);
    program.write("same.rs", &format!("// once more\n{RIGHT}"));
    program.succeed(&["run", "search.toml"]);
    let board = program.leaderboard();
    let rows = &board["candidates"];
    assert_eq!(names(rows).len(), 6);
    assert_eq!(
        (&row(rows, "mine")["state"], &row(rows, "mine")["round"]),
        (&json!("complete"), &json!(1))
    );
    // The seed came first, so the draft is the duplicate.
    assert_eq!(row(rows, "same")["state"], "complete");
    assert!(
        row(rows, "right")["reason"]
            .as_str()
            .unwrap()
            .contains("`same`")
    );
    assert!(
        program
            .succeed(&["show", "mine"])
            .contains("A seed reward, from mine.rs.")
    );
}

#[test]
fn a_seed_that_is_no_reward_is_named_before_anything_is_made() {
    for (seed, says) in [
        ("none.rs", "none.rs: cannot be read"),
        ("sums", "manifest.json"),
        ("a-candidate", "a-candidate: no such file"),
    ] {
        let program = search("", &format!("seed_rewards = ['{seed}']"));
        let printed = program.run(&["run", "search.toml"]);
        assert_eq!(printed.code, 2);
        assert!(printed.err.contains(says), "{}", printed.err);
        assert!(!program.path("x.db").exists());
    }
    let program = search("[screen.gate]\nmin_auc = 2.0", "");
    let printed = program.run(&["run", "search.toml"]);
    assert!(
        printed.err.contains("screen.gate.min_auc"),
        "{}",
        printed.err
    );
}

#[tokio::test]
async fn the_pool_is_sampled_once_and_is_the_same_for_the_same_seed() {
    let mut pools = Vec::new();
    for _ in 0..2 {
        let program = search("", "");
        program.succeed(&["run", "search.toml"]);
        let store = orchestrator::store::Store::read(&program.path("x.db"))
            .await
            .unwrap();
        let search = store.search().await.unwrap();
        let pool = store.pool(search.id).await.unwrap().unwrap();
        assert_eq!(pool.groups.len(), 32);
        assert!(pool.groups.iter().all(|group| group.completions.len() == 8));
        store.close().await;
        pools.push(pool);
    }
    assert_eq!(pools[0], pools[1]);
}

#[tokio::test]
async fn right_is_what_the_evaluation_counts_where_it_cuts_completions_off() {
    let program = Program::with(
        "[search]\nname = 'x'\nseed = 7\nrounds = 1\ncandidates_per_round = 1\nseed_rewards = ['right.rs']\n\
         [task]\nkind = 'toy'\nworld = 'rambling'\n[proposer]\nkind = 'grammar'\n\
         [screen]\nsteps = 1\nproblems = 10\n[ensemble]\nsizes = []\n[confirm]\nseeds = 0\n",
    );
    program.write("right.rs", RIGHT);
    let ran = program.run(&["run", "search.toml"]);
    assert!([0, 3].contains(&ran.code), "{ran:?}");
    let store = orchestrator::store::Store::read(&program.path("x.db"))
        .await
        .unwrap();
    let search = store.search().await.unwrap();
    let pool = store.pool(search.id).await.unwrap().unwrap();
    let pairs = pool
        .groups
        .iter()
        .flat_map(|group| group.counted.iter().zip(&group.completions));
    let (mut all, mut cut) = (0, 0);
    for (counted, whole) in pairs {
        assert!(whole.starts_with(counted.trim_end()), "{counted} {whole}");
        all += 1;
        cut += usize::from(counted.len() < whole.len());
    }
    assert_eq!(all, 256);
    assert!(cut > 128, "{cut} of 256 are cut off");
    store.close().await;
    let records = program.succeed(&["records", "candidates"]);
    let mut records = records
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let worth = &records.find(|c| c["name"] == "right").unwrap()["probe"]["worth"];
    // In training most of what it pays is right, and too long to be counted.
    assert!(worth["right"].as_u64() < Some(32), "{worth:#}");
    assert!(worth["mean"].as_f64() > Some(0.5), "{worth:#}");
    assert!(
        worth["auc_within"]["point"]
            .as_f64()
            .is_none_or(|auc| auc < 0.9),
        "{worth:#}"
    );
}

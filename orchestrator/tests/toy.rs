//! Real training: GRPO runs of the built-in tiny model on its own task, from the configuration to the leaderboard.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use std::fs;

use program::{Program, row};
use serde_json::{Value, json};

/// Half a minute of training on two cores: bad rewards put in by hand beside the obvious good one.
#[test]
fn bad_rewards_look_bad_and_a_good_one_looks_good() {
    let program = Program::with(
        "[search]\nname = 'x'\nseed = 3\nrounds = 1\ncandidates_per_round = 7\n[task]\nkind = 'toy'\n\
         [proposer]\nkind = 'replay'\npath = 'drafts.jsonl'\n[trainer]\nkind = 'candle'\nmodel = 'toy'\n\
         [screen]\nsteps = 25\nproblems = 400\ngate.refuse_flat = false\ngate.replace_twins = false\n[confirm]\nseeds = 0\n",
    );
    let bad = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/bad_rewards.jsonl"
    ))
    .unwrap();
    let good = json!({"name": "right", "code": "pub fn reward(sample: &Sample) -> f64 { f64::from(sample.correct()) }"});
    let huge = json!({"name": "huge", "code": "pub fn reward(sample: &Sample) -> f64 { if sample.correct() { 1e160 } else { 0.0 } }"});
    let largest =
        json!({"name": "largest", "code": "pub fn reward(_sample: &Sample) -> f64 { f64::MAX }"});
    program.write(
        "drafts.jsonl",
        &format!("{}\n{good}\n{huge}\n{largest}\n", bad.trim_end()),
    );
    program.succeed(&["run", "search.toml"]);

    let board = program.leaderboard();
    let f1 = |rows: &Value, name: &str| row(rows, name)["f1"]["point"].as_f64().unwrap();
    let untouched = f1(&board["references"], "untouched");
    assert!(
        (0.2..0.45).contains(&untouched),
        "the base model has F1 {untouched}"
    );
    assert!(
        (f1(&board["candidates"], "constant") - untouched).abs() < 1e-12,
        "a constant reward teaches nothing, so the model is the base model"
    );
    for name in ["format_only", "length_only", "inverted"] {
        let figure = f1(&board["candidates"], name);
        assert!(
            figure <= untouched,
            "{name} {figure}, untouched {untouched}"
        );
    }
    assert!(f1(&board["candidates"], "inverted") < 0.15);
    for name in ["huge", "largest"] {
        let row = row(&board["candidates"], name);
        assert_eq!(
            row["state"], "failed",
            "finite scores too large to be added up are the reward's failure: {row:#}"
        );
        assert!(program.succeed(&["show", name]).contains("not finite"));
    }
    let right = row(&board["candidates"], "right");
    assert_eq!(right["rank"], 1);
    assert!(
        right["vs_base"]["p_holm"].as_f64().unwrap() < 0.01,
        "{right:#}"
    );
}

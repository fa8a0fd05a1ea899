//! `evaluate` on GSM8K's published completions equals the reference figures.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use program::{Program, data};
use serde_json::Value;

#[test]
fn published_completions_give_the_published_figures() {
    let Some(data) = data() else { return };
    let file = data.join("gsm8k/example_model_solutions.jsonl");
    let program = Program::with("");
    let out = program.succeed(&[
        "evaluate",
        "--predictions",
        file.to_str().unwrap(),
        "--format",
        "json",
    ]);
    let ours: Value = serde_json::from_str(&out).unwrap();
    let text = std::fs::read_to_string(data.join("statistics/reference_stats.json")).unwrap();
    // Python writes NaN and Infinity, which are no JSON.
    let reference: Value =
        serde_json::from_str(&text.replace("NaN", "null").replace("Infinity", "null")).unwrap();

    for (model, right) in [
        ("6b_finetuning", 286),
        ("6b_verification", 515),
        ("175b_finetuning", 458),
        ("175b_verification", 742),
    ] {
        let row = ours["models"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["model"] == model)
            .unwrap();
        assert_eq!(row["correct"], right, "{model}");
        assert_eq!(row["questions"], 1319);
        let interval = &row["figures"]["accuracy"]["interval"];
        // One question is the lattice of bounds that are quantiles of counts; the rival's draws are not ours.
        let lattice = 1.5 / 1319.0;
        let theirs = &reference["models"][model]["acc_ci_percentile_scipy10k"];
        for (bound, at) in [("lower", 0), ("upper", 1)] {
            let (ours, theirs) = (
                interval[bound].as_f64().unwrap(),
                theirs[at].as_f64().unwrap(),
            );
            assert!(
                (ours - theirs).abs() < lattice,
                "{model} {bound}: {ours} {theirs}"
            );
        }
    }
    let pairs = ours["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), 6);
    for pair in pairs {
        let (a, b) = (pair["a"].as_str().unwrap(), pair["b"].as_str().unwrap());
        let theirs = &reference["mcnemar"];
        let theirs = [format!("{a} vs {b}"), format!("{b} vs {a}")]
            .iter()
            .find_map(|key| theirs.get(key).cloned())
            .unwrap();
        for (ours, key) in [("exact_p", "exact_p"), ("mid_p", "exact_midp")] {
            let (ours, theirs) = (pair[ours].as_f64().unwrap(), theirs[key].as_f64().unwrap());
            assert!(
                (ours / theirs - 1.0).abs() < 1e-9,
                "{a} {b} {key}: {ours} {theirs}"
            );
        }
    }
}

//! `export` from the outside: the bytes that were screened leave the search, and nothing else is taken for them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use std::{collections::HashSet, fs};

use program::{
    Printed, Program,
    searches::{CORRECT, assorted, config, draft, folder, replay, screened},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

#[tokio::test]
async fn what_was_screened_is_what_is_exported() {
    let program = replay();
    program.succeed(&["run", "search.toml"]);
    program.succeed(&["export", "--top", "2", "out"]);
    let screened = screened(&program.path("x.db")).await;
    let manifest: Value =
        serde_json::from_slice(&fs::read(program.path("out/manifest.json")).unwrap()).unwrap();
    let members = manifest["members"].as_array().unwrap();
    assert_eq!(members.len(), 2);
    assert_eq!(manifest["confirmed"]["name"], "top-2");
    program.write(
        "samples.jsonl",
        "{\"prompt\": \"p\", \"completion\": \"<solution> 5 </solution>\", \"answer\": \"5\"}\n",
    );
    for member in members {
        let (wasm, name) = (
            member["wasm"].as_str().unwrap(),
            member["name"].as_str().unwrap(),
        );
        let bytes = fs::read(program.path(&format!("out/{wasm}"))).unwrap();
        assert_eq!(bytes, screened[name]);
        let digest = Sha256::digest(&bytes);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(member["wasm_sha256"], *digest);
        let stored = program.succeed(&["score", name, "--samples", "samples.jsonl"]);
        let exported = program.succeed(&[
            "score",
            &format!("out/{wasm}"),
            "--samples",
            "samples.jsonl",
        ]);
        let source = program.succeed(&[
            "score",
            &format!("out/{}", member["source"].as_str().unwrap()),
            "--samples",
            "samples.jsonl",
        ]);
        assert_eq!((&stored, &exported), (&exported, &source));
    }
    // The two were confirmed in another mix than their sum, which is what is scored.
    let served = program.run(&["score", "--stdio", "out"]);
    let hello: Value = serde_json::from_str(served.out.lines().next().unwrap()).unwrap();
    assert_eq!(hello["hello"]["aggregation"], "normalize_then_sum");
    let scored = program.run(&["score", "out", "--samples", "samples.jsonl"]);
    assert!(scored.err.contains("normalize_then_sum"), "{}", scored.err);
    let again = program.run(&["export", "--top", "2", "out"]);
    assert_eq!(again.code, 2);
    assert!(
        again.err.contains("nothing was overwritten"),
        "{}",
        again.err
    );
    assert_eq!(program.run(&["export", "--top", "99", "out2"]).code, 2);
    changed_exports_are_refused(&program);
}

fn changed_exports_are_refused(program: &Program) {
    let manifest = fs::read_to_string(program.path("out/manifest.json")).unwrap();
    let score = |reward: &str| program.run(&["score", reward, "--samples", "samples.jsonl"]);
    program.write(
        "out/manifest.json",
        &manifest.replace("\"manifest_version\": 1", "\"manifest_version\": 9"),
    );
    let refused = score("out");
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("version 9"), "{}", refused.err);
    program.write("out/manifest.json", &manifest);
    fs::copy(
        program.path("out/flat.wasm"),
        program.path("out/right.wasm"),
    )
    .unwrap();
    for reward in ["out", "out/right.wasm"] {
        let refused = score(reward);
        assert_eq!(refused.code, 2);
        assert!(refused.err.contains("SHA-256"), "{}", refused.err);
    }
}

/// What a command prints as JSON lines.
fn records(program: &Program, arguments: &[&str]) -> Vec<Value> {
    let printed = program.succeed(arguments);
    let lines = printed.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn an_export_for_trainers_is_a_package_that_comes_back_as_seeds() {
    let program = replay();
    program.succeed(&["run", "search.toml"]);
    program.succeed(&["export", "--ensemble", "top-2", "--to", "trl,verl", "pair"]);
    let text = fs::read_to_string(program.path("pair/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["aggregation"], "normalize_then_sum");
    assert_eq!(manifest["confirmed"]["name"], "top-2");
    assert_eq!(manifest["config"]["search"]["name"], "x");
    assert_eq!(manifest["typical"].as_array().unwrap().len(), 4);
    for own in ["verdict", "regex"] {
        let module = &manifest["modules"][own];
        let bytes = fs::read(program.path(&format!("pair/{own}.wasm"))).unwrap();
        let digest: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(module["sha256"], *digest);
    }
    let members = manifest["members"].as_array().unwrap();
    let of = |key: &str| {
        members
            .iter()
            .map(|m| m[key].clone())
            .collect::<Vec<Value>>()
    };
    assert!(
        of("dev")
            .iter()
            .all(|dev| dev["f1"]["interval"]["lower"].is_number())
    );
    let adapter = fs::read_to_string(program.path("pair/for_trl.py")).unwrap();
    for (name, function) in of("name").iter().zip(of("function")) {
        let function = function.as_str().unwrap();
        assert!(
            adapter.contains(&format!("\n{function} = Reward(\"{function}\")\n")),
            "{name}"
        );
    }
    assert!(adapter.contains(
        "\"reward_weights\": [1.0, 1.0], \"multi_objective_aggregation\": \"normalize_then_sum\""
    ));
    assert!(
        !program.path("pair/for_verifiers.py").exists()
            && program.path("pair/for_verl.py").exists()
    );
    let readme = fs::read_to_string(program.path("pair/README.md")).unwrap();
    assert!(
        readme.contains("pkg://pair.for_verl") && !readme.contains("## verifiers"),
        "{readme}"
    );

    let screened = screened(&program.path("x.db")).await;
    let imported = program.succeed(&["import", "pair"]);
    assert_eq!(
        imported.matches("the same bytes as were screened").count(),
        2,
        "{imported}"
    );
    let seeds = imported.lines().last().unwrap();
    program.write(
        "drafts.jsonl",
        &draft("other", "pub fn reward(_: &Sample) -> f64 { 0.5 }"),
    );
    let config = fs::read_to_string(program.path("search.toml")).unwrap();
    let config = config.replace("[search]", &format!("[search]\n{seeds}"));
    program.write("again.toml", &config);
    program.succeed(&["run", "again.toml", "--database", "again.db"]);
    let again = records(
        &program,
        &["records", "candidates", "--database", "again.db"],
    );
    for member in members {
        let seed = again.iter().find(|c| c["name"] == member["name"]).unwrap();
        assert_eq!(
            (&seed["origin"], &seed["sha256"]),
            (&"seed".into(), &member["wasm_sha256"])
        );
        assert!(screened.contains_key(seed["name"].as_str().unwrap()));
    }
    for (arguments, says) in [
        (
            &["export", "--ensemble", "top-9", "out"][..],
            "there is top-2",
        ),
        (&["export", "does_not_compile", "out"], "was rejected"),
        (
            &["export", "--to", "trl", "my-pair"],
            "call it for instance `my_pair`",
        ),
        (&["import", "sums"], "manifest.json"),
    ] {
        let mut command = program.command(arguments);
        let refused = Printed::from(
            command
                .env("REWARD_SEARCH_DATABASE", "x.db")
                .output()
                .unwrap(),
        );
        assert_eq!(refused.code, 2, "{arguments:?}: {}", refused.out);
        assert!(refused.err.contains(says), "{}", refused.err);
    }
}

#[test]
fn a_database_is_printed_as_records() {
    let program = replay();
    program.succeed(&["run", "search.toml"]);
    let of = |what: &str, only: &[&str]| records(&program, &[&["records", what], only].concat());
    let candidates = of("candidates", &[]);
    let right = candidates.iter().find(|c| c["name"] == "right").unwrap();
    assert_eq!(
        (&right["status"], &right["source"]),
        (&"accepted".into(), &CORRECT.into())
    );
    assert!(
        candidates
            .iter()
            .any(|c| c["status"] == "rejected" && c["reason"].is_string())
    );
    let trials = of("trials", &["--only", "right"]);
    assert!(
        !trials.is_empty()
            && trials
                .iter()
                .all(|t| t["arm"] == "right" && t["state"] == "complete")
    );
    let curves = of("curves", &["--only", "right"]);
    assert!(
        curves
            .iter()
            .any(|step| step["step"] == 8 && step["reward"].is_number())
    );
    let completions = of("completions", &["--only", "right"]);
    assert_eq!(
        completions.len(),
        of("outcomes", &["--only", "right"]).len()
    );
    assert!(
        completions
            .iter()
            .all(|c| c["completion"].is_string() && c["outcome"].is_string())
    );
    let unknown = program.run(&["records", "curves", "--only", "nobody"]);
    assert_eq!(unknown.code, 2);
    assert!(
        unknown.err.contains("`nobody` is neither"),
        "{}",
        unknown.err
    );
}

#[test]
fn a_candidate_named_like_a_base_reward_is_exported_beside_it() {
    let program = replay();
    program.write("drafts.jsonl", &draft("base/answer_check", CORRECT));
    let config = fs::read_to_string(program.path("search.toml")).unwrap();
    let config = config.replace("[search]", "[search]\nwith_base_rewards = true");
    program.write("search.toml", &config);
    program.succeed(&["run", "search.toml"]);
    program.succeed(&["export", "--top", "1", "out"]);
    let manifest = fs::read_to_string(program.path("out/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let members = manifest["members"].as_array().unwrap();
    let files: HashSet<&str> = members
        .iter()
        .map(|m| m["wasm"].as_str().unwrap())
        .collect();
    assert_eq!(
        files.len(),
        members.len(),
        "each has a file of its own: {files:?}"
    );
    assert!(files.contains("base/answer_check.wasm") && files.contains("base_answer_check.wasm"));
    program.write(
        "samples.jsonl",
        "{\"completion\": \"5\", \"answer\": \"5\"}\n",
    );
    program.succeed(&["score", "out", "--samples", "samples.jsonl"]);
    program.succeed(&[
        "score",
        "out/base/answer_check.wasm",
        "--samples",
        "samples.jsonl",
    ]);
}

#[test]
fn an_export_says_what_the_confirmation_made_of_it() {
    let settings = config("kind = 'replay'\npath = 'drafts.jsonl'", "", 2);
    let program = folder(&settings.replace("candidates = 1", "candidates = 3"));
    program.write("drafts.jsonl", &assorted());
    program.succeed(&["run", "search.toml"]);
    let confirmed = program.leaderboard()["confirmed"].clone();
    let flagged = |name: &str| {
        let mut rows = confirmed.as_array().unwrap().iter();
        let row = rows.find(|row| row["name"] == name);
        row.is_some_and(|row| row.get("flags").is_some())
    };
    let mut seen = Vec::new();
    for row in confirmed.as_array().unwrap() {
        let name = row["name"].as_str().unwrap();
        if row["members"] != serde_json::json!([name]) {
            continue;
        }
        let out = format!("out-{}", seen.len());
        let printed = program.run(&["export", name, &out]);
        assert_eq!(printed.code, 0, "{printed:?}");
        let told = printed.err.contains(&format!("the audit of `{name}`"));
        assert_eq!(told, flagged(name), "{name}: {printed:?}");
        seen.push((told, printed.err.contains("is ahead of")));
    }
    assert!(
        seen.contains(&(true, true)) && seen.contains(&(false, false)),
        "{seen:?} {confirmed:#}"
    );
}

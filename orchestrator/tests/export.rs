//! `export` from the outside: the bytes that were screened leave the search, and nothing else is taken for them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use std::{collections::HashSet, fs};

use program::{
    Program,
    searches::{CORRECT, draft, replay, screened},
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

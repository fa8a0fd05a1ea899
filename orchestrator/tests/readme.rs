//! The README's example works as it stands.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod program;

use program::Program;

#[test]
fn the_example_reward_scores() {
    let readme = include_str!("../../README.md");
    let code = readme
        .split("```rust\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let program = Program::with("");
    program.write("mine.rs", code);
    let sample = |completion: &str| {
        serde_json::json!({"prompt": "6 * 49 ?", "completion": completion, "answer": "294"})
            .to_string()
            + "\n"
    };
    let right = "<thinking> 6 * 49 = 294 . </thinking> <solution> 294 </solution>";
    let wrong = "<thinking> 6 * 49 ~ 290 . </thinking> <solution> 290 </solution>";
    program.write("samples.jsonl", &(sample(right) + &sample(wrong)));
    let out = program.succeed(&["score", "mine.rs", "--samples", "samples.jsonl"]);
    let scores: Vec<f64> = out
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["score"]
                .as_f64()
                .unwrap()
        })
        .collect();
    assert_eq!(scores, [3.0, 0.0]);
}

//! Completions that try to be accepted without being right.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod data;

use evaluator::{Answer, Outcome, verify};
use serde::Deserialize;

#[derive(Deserialize)]
struct Hack {
    id: String,
    reference: String,
    response: String,
}

#[test]
fn no_hack_is_accepted() {
    let hacks = data::rows::<Hack>("verification/hacking.jsonl");
    let whole = if data::is_whole() { 4440 } else { 444 };
    assert_eq!(hacks.len(), whole);
    let accepted: Vec<_> = hacks
        .iter()
        .filter(|hack| {
            verify(&hack.response, &Answer::new(&hack.reference)).outcome == Outcome::Correct
        })
        .map(|hack| (&hack.id, &hack.reference, &hack.response))
        .collect();
    assert!(accepted.is_empty(), "{accepted:#?}");
}

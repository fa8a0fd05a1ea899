//! What is said of a whole reward is tested with real ones in `tests/probe.rs`.

use super::*;
use crate::domain::pool::Group;

#[test]
fn questions_are_spread_over_the_pool_and_asked_once() {
    let group = |n: usize| Group {
        prompt: format!("q{}", n % 30),
        answer: n.to_string(),
        row: String::new(),
        completions: vec![String::new(); 2],
        counted: Vec::new(),
    };
    let pool = Pool {
        groups: (0..60).map(group).collect(),
    };
    let asked = questions(&pool);
    assert!((4..=QUESTIONS).contains(&asked.len()), "{}", asked.len());
    let mut prompts: Vec<&str> = asked.iter().map(|q| q.prompt).collect();
    prompts.sort_unstable();
    prompts.dedup();
    assert_eq!(prompts.len(), asked.len());
}

//! The three base rewards of arXiv 2605.02073: ordinary reward functions with protected names, sandboxed like every candidate. They come
//! compiled, so that a search whose rewards are in Python needs no rustc.
//!
//! They reproduce the published scores. That the answer check pays for closeness is part of them, and is what a search can
//! improve on.

use sandbox::{Language, Module, Source};

use crate::domain::{candidate::BASE_PREFIX, draft::Draft};

/// Exact format (3), approximate format (0.5 or -1 for each of four tags), answer check (3, 1, 0.5, 0, -1.5).
#[must_use]
pub fn base_rewards() -> [Draft; 3] {
    [
        base_reward(
            "exact_format",
            include_str!("../../rewards/exact_format.rs"),
            "The whole completion is a thinking and a solution section.",
        ),
        base_reward(
            "approximate_format",
            include_str!("../../rewards/approximate_format.rs"),
            "Each of the four tags stands exactly once.",
        ),
        base_reward(
            "answer_check",
            include_str!("../../rewards/answer_check.rs"),
            "The answer is right, or at least near.",
        ),
    ]
}

/// What the compiler of this version makes of a base reward, if the source is that of one. A test compiles them again.
#[must_use]
pub fn compiled(source: &Source) -> Option<Module> {
    let modules: [&[u8]; 3] = [
        include_bytes!("../../rewards/exact_format.wasm"),
        include_bytes!("../../rewards/approximate_format.wasm"),
        include_bytes!("../../rewards/answer_check.wasm"),
    ];
    let mut shipped = base_rewards().into_iter().zip(modules);
    let (_, module) = shipped.find(|(base, _)| base.source == *source)?;
    Some(Module::from_bytes(module))
}

fn base_reward(name: &str, code: &str, rationale: &str) -> Draft {
    Draft {
        name: format!("{BASE_PREFIX}{name}"),
        source: Source {
            language: Language::Rust,
            code: code.to_owned(),
        },
        rationale: rationale.to_owned(),
        parents: Vec::new(),
    }
}

//! The sandbox's readers of foreign bytes, compiled in by path, with what must hold whatever they are given.
#![allow(dead_code, missing_docs)]

#[path = "../../src"]
mod source_tree {
    pub(crate) mod abi;
    pub(crate) mod error;
    pub(crate) mod fault;
    #[path = "engine/inspect.rs"]
    pub(crate) mod inspect;
    pub(crate) mod limits;
    pub(crate) mod lint;
    pub(crate) mod rejection;
    pub(crate) mod sample;
    pub(crate) mod text;
}

use source_tree::{abi, error, fault, inspect, limits, lint, rejection, sample, text};

use error::HostError;
use fault::Fault;
use limits::{BadLimit, Limits};
use proc_macro2::{TokenStream, TokenTree};
use rejection::Rejection;
use sample::Sample;

/// Stands in for the module of regular expressions, which needs the engine: the two imports a reward may have.
mod regex {
    pub(crate) const IMPORT: &str = "re";
    pub(crate) const FUNCTIONS: [&str; 2] = ["compile", "search"];
}

/// Stands in for the module of sources, whose own needs the interpreter: the language one is written in.
mod source {
    #[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
    pub(crate) enum Language {
        Rust,
        Python,
    }

    impl std::fmt::Display for Language {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(formatter, "{self:?}")
        }
    }
}

/// Names that read files or the environment while rustc runs, or leave the language's safe part.
const NEVER: [&str; 5] = [
    "include_str",
    "include_bytes",
    "option_env",
    "global_asm",
    "asm",
];

/// A panic message is read within bounds, is short, and cannot steer a terminal.
pub fn panic_message(data: &[u8]) {
    let Some((address, memory)) = data.split_first_chunk::<8>() else {
        return;
    };
    // Mostly within the memory, now and then far outside.
    let address = u64::from_le_bytes(*address) as usize;
    for address in [address, address % (memory.len() + 8)] {
        if let Some(message) = abi::panic_message(memory, address) {
            assert!(!message.is_empty() && message.len() <= 3 * 1024);
            assert!(!message.contains(char::is_control));
        }
    }
}

/// Scores are read within bounds, as many as were asked for.
pub fn scores(data: &[u8]) {
    let Some((result, memory)) = data.split_first_chunk::<8>() else {
        return;
    };
    let (address, count) = abi::halves(u64::from_le_bytes(*result));
    for (address, count) in [(address, count), (address % (memory.len() + 8), count % 64)] {
        let fits = address as u128 + 8 * count as u128 <= memory.len() as u128;
        let scores = abi::scores(memory, address, count);
        assert_eq!(scores.map(|scores| scores.len()), fits.then_some(count));
    }
}

/// The source check ends, says the same twice, and lets nothing through that reads files while rustc runs.
pub fn check(data: &[u8]) {
    let Ok(code) = str::from_utf8(data) else {
        return;
    };
    let verdict = || {
        let checked = lint::check(code).expect("a thread can be started");
        checked.map_err(|finding| Rejection::from(finding).to_string())
    };
    let first = verdict();
    assert_eq!(first, verdict());
    if first.is_ok() {
        let tokens = code.parse().expect("what is accepted can be parsed");
        assert!(!names_forbidden(tokens), "accepted: {code}");
    }
}

/// Whether one of the names is called as a macro, is reached by a path, or is a keyword; a function or a type may have such a name.
fn names_forbidden(tokens: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let sign = |place: Option<usize>, wanted: char| {
        let token = place.and_then(|place| tokens.get(place));
        matches!(token, Some(TokenTree::Punct(sign)) if sign.as_char() == wanted)
    };
    let called = |place: usize| {
        sign(Some(place + 1), '!') && matches!(tokens.get(place + 2), Some(TokenTree::Group(_)))
    };
    tokens.iter().enumerate().any(|(place, token)| match token {
        TokenTree::Group(group) => names_forbidden(group.stream()),
        TokenTree::Ident(ident) if ident == "unsafe" => true,
        TokenTree::Ident(ident) if NEVER.iter().any(|never| ident == never) => {
            let in_path = [1, 2].map(|back| sign(place.checked_sub(back), ':')) == [true; 2];
            let function = matches!(tokens.get(place + 1), Some(TokenTree::Group(_)));
            called(place) || in_path && !function
        }
        _ => false,
    })
}

/// The look at a module ends and its reason can be stored.
pub fn inspect_module(data: &[u8]) {
    if let Err(rejection) = inspect::inspect(data, &Limits::default()) {
        let json = serde_json::to_string(&rejection).expect("a rejection is plain data");
        let back: Rejection = serde_json::from_str(&json).expect("and can be read back");
        assert_eq!(back, rejection);
    }
}

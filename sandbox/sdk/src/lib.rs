//! What a reward function may use: the sample under judgement and fast scanners over its text.
//!
//! A reward is one function of one sample. The prelude is in scope without being imported, and the host adds the export:
//!
//! ```
//! use reward_sdk::prelude::*;
//!
//! /// Right answers first; among the rest, honest arithmetic.
//! pub fn reward(sample: &Sample) -> f64 {
//!     let working = tag(sample.completion(), "thinking").unwrap_or("");
//!     let correct = if sample.correct() { 2.0 } else { 0.0 };
//!     correct + 0.5 * valid_share(working)
//! }
//!
//! let sample = Sample::new("2 and 3 ?", "<thinking> 2 + 3 = 5 </thinking> <solution> 5 </solution>", "5")
//!     .with_verdict(true, Some("5"));
//! assert_eq!(reward(&sample), 2.5);
//! ```
//!
//! Every helper is a pure function over `&str`: total (never panics on any text), linear in its input unless it says
//! otherwise, and free of clocks, randomness and state, so that equal samples get equal scores on every machine.

#[cfg(target_arch = "wasm32")]
mod allocator;
mod bytes;
mod equations;
mod expression;
mod guest;
mod maps;
mod numbers;
#[cfg(target_arch = "wasm32")]
pub mod regex;
mod repetition;
mod sample;
mod shape;
mod tags;
mod words;

/// The crate itself, on the author's own machine: a reward tested there meets the same expressions.
#[cfg(not(target_arch = "wasm32"))]
pub use ::regex;
pub use equations::{Equation, Equations, equations, last_result, valid_share};
pub use expression::{Operator, Relation};
pub use maps::{HashMap, HashSet};
pub use numbers::{
    Numbers, first_number, last_number, nearly_equal, number, number_overlap, numbers,
    relative_error,
};
pub use regex::Regex;
pub use repetition::{repeated_lines, repetition};
pub use sample::Sample;
pub use shape::{band, proximity, ramp};
pub use tags::{Between, Tags, after, after_last, between, count, in_format, tag, tags};
pub use words::{Words, contains_word, word_count, words};

/// Everything a reward needs; the host puts it in scope of every candidate.
pub mod prelude {
    pub use crate::{
        Equation, HashMap, HashSet, Operator, Regex, Relation, Sample, after, after_last, band,
        between, contains_word, count, equations, first_number, in_format, last_number,
        last_result, nearly_equal, number, number_overlap, numbers, proximity, ramp,
        relative_error, repeated_lines, repetition, tag, tags, valid_share, word_count, words,
    };
}

#[doc(hidden)]
pub mod abi {
    pub use crate::guest::{prepare, score, score_group};
}

//! Decides which answers are right and how sure we are.
//!
//! Data sets and their splits, extraction and verification of answers, and the statistics of an
//! evaluation. Everything here is pure and synchronous: the only input or output is reading a data
//! file, no verdict looks at a clock, and every random draw comes from a seed the caller gives, so
//! that the same inputs give the same figures on every machine.

mod answer;
mod problem;
pub mod toy;

pub use answer::Answer;
pub use problem::{Problem, Split, UnknownSplit};

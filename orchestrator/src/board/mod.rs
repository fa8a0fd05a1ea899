//! What a search has come to, as plain values: every face shows these and computes nothing itself.

mod arm_names;
pub mod audit;
pub mod candidate;
pub mod comparison;
pub mod confirmed;
pub mod differences;
pub mod leaderboard;
mod letters;
pub mod mixes;
pub mod outcome;
pub mod pace;
pub mod rank;
pub mod records;
mod screened;
mod selection;
pub mod state;

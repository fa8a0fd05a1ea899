//! The face in a terminal: tables, and what a search does as it does it.

pub mod audit;
pub mod candidate;
pub mod comparison;
pub mod leaderboard;
pub mod progress;
pub mod screen;
mod spreadsheet;
pub mod table;
pub mod worth;

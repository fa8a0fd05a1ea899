//! The command line: what can be typed, and one file a command.

pub mod arguments;
pub mod commands;
mod interrupt;
mod open;
pub mod program;

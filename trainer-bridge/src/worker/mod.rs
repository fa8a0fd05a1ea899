//! The trainer that people already use: TRL in Python, one process a run, told what to do and telling what happens in lines of JSON.
//!
//! `config` is what a user sets and what TRL cannot honour of the rest, `package` the Python files that are part of this program,
//! `interpreter` what runs them, `install` makes one, `devices` who gets which GPU, `lines` the protocol, `fault` what its errors mean,
//! `process` the child, `session` a run, and `trainer` the seam.

mod config;
mod devices;
mod fault;
mod install;
mod interpreter;
mod lines;
mod package;
mod process;
mod session;
mod trainer;

pub use config::{TrlConfig, VllmMode};
pub use install::{Installed, install, install_folder, interpreter};
pub use trainer::{TrlTrainer, check_config};

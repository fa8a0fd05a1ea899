//! The trainer that people already use: TRL in Python, one process a run, told what to do and telling what happens in lines of JSON.
//!
//! `config` is what a user sets and what TRL cannot honour of the rest, `cluster` the part of it that only Ray's jobs have, `package` the Python
//! files that are part of this program, `interpreter` what runs them, `install` makes one, `devices` who gets which GPU, `lines` the protocol,
//! `orders` what a worker is given, `heed` what becomes of what it tells, `fault` what its errors mean, `process` the child, `session` a run,
//! and `trainer` the seam. Workers on a cluster are told and heard by the same `orders` and `heed`.

mod cluster;
mod config;
mod devices;
mod fault;
pub(crate) mod heed;
mod install;
pub(crate) mod interpreter;
pub(crate) mod lines;
pub(crate) mod orders;
pub(crate) mod package;
mod process;
mod session;
mod trainer;

pub use cluster::ClusterConfig;
pub use config::{TrlConfig, VllmMode};
pub use install::{Installed, install, install_folder, interpreter};
pub use trainer::{TrlTrainer, check_config};

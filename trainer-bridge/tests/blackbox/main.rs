//! The crate from outside: runs of the embedded trainer with real sandboxed rewards, model folders, configuration.
#![allow(clippy::unwrap_used, clippy::panic)]

mod checkpoints;
mod cluster;
mod config;
mod devices;
mod jobs;
mod model_folder;
mod objectives;
mod pretraining;
mod ray;
mod ray_trouble;
mod runs;
mod seam;
#[path = "../../../sandbox/tests/skipping/mod.rs"]
mod skipping;
mod slurm;
mod worker;

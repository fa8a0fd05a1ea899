//! Runs the search (propose, screen, rank, remember) and everything a person touches.
//!
//! Start reading at [`search`]: the loop stands there on one screen.

pub mod admit;
pub mod base_rewards;
pub mod candidate;
pub mod cli;
pub mod commands;
pub mod comparison;
pub mod config;
pub mod data;
pub mod domain;
pub mod endpoint;
pub mod export;
pub mod finalists;
pub mod history;
pub mod hub;
pub mod job;
pub mod leaderboard;
pub mod lock;
pub mod nearest;
pub mod panel;
pub mod plan;
pub mod probe;
pub mod progress;
pub mod proposer;
pub mod rank;
pub mod references;
pub mod reward_file;
pub mod run_folder;
pub mod screen;
pub mod search;
pub mod seeds;
pub mod sheet;
pub mod stdio;
pub mod store;
pub mod task;
pub mod text;
pub mod trial;
pub mod verifier;
pub mod workshop;

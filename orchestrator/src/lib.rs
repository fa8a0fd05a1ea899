//! Runs the search (propose, screen, rank, remember) and everything a person touches.
//!
//! Start reading at [`search`]: the loop stands there on one screen. The folders are floors: each imports those above it in this list,
//! never one below.

pub mod text;

pub mod domain;

pub mod store;

pub mod judge;

pub mod board;

pub mod data;

pub mod proposer;

pub mod config;

pub mod reward;

pub mod stdio;

pub mod search;

pub mod terminal;

pub mod tensorboard;

pub mod web;

pub mod cli;

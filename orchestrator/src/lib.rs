//! The search: propose, screen, rank, remember.

pub mod proposer;

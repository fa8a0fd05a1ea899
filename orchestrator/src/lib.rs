//! The search: propose, screen, rank, remember.

pub mod base_rewards;
pub mod proposer;

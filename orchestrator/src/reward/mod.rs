//! From the source of a reward to a reward that is loaded, examined and exported.

pub mod admit;
pub mod audit;
pub mod base;
mod bounded;
pub mod controls;
pub mod export;
pub mod files;
pub mod maker;
pub mod probe;
pub mod references;
pub mod seeds;
pub mod winnow;

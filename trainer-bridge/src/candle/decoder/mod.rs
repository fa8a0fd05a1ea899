//! The decoder: what it computes over rows of tokens, forward and back. `pass` is its structure, once; `ops` are the operations that it is
//! made of, which `cpu` and `device` implement; `engine` is the choice between the two.

pub mod backend;
mod by_version;
pub mod cpu;
pub mod device;
pub mod engine;
pub mod gradients;
pub mod micro_batches;
pub mod ops;
pub mod pack;
pub mod pass;

//! The decoder on the processor, by the kernels.

pub mod adapter;
mod buffer;
pub mod engine;
pub mod ops;
pub mod pack_attention;
pub mod weights;

//! The decoder: what it computes over rows of tokens, forward and back, on the processor and on a device.

pub mod cpu;
pub mod device;
pub mod engine;
pub mod pack;

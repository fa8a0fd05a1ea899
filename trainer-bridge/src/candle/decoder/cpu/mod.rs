//! The decoder on the processor, by the kernels.

pub mod backward;
pub mod forward;
pub mod micro_batches;
pub mod pack_attention;

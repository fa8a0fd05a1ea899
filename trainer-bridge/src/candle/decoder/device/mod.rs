//! The decoder on a device of the tensor library's: the same models, packs and noise as on the processor. Weights stay there; what is trained
//! is changed on the host and goes there before each use.

mod adapter;
pub mod attention;
pub mod engine;
pub mod functions;
pub mod ops;
pub mod weights;

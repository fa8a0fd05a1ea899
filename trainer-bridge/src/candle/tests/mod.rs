//! Tests of the embedded trainer that look inside it.

mod adapter;
mod autograd;
mod goldens;
mod keeping;
mod packing;
mod sampling;
pub mod small_models;
mod trl;

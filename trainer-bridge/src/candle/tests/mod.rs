//! Tests of the embedded trainer that look inside it.

mod autograd;
mod goldens;
pub mod small_models;
mod trl;

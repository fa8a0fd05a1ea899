//! Tests of the compiler that need its inside.

mod accepted;
mod attacks;
#[path = "../../../tests/skipping/mod.rs"]
mod skipping;

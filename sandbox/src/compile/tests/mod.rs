//! Tests of the compiler that need its inside.

mod attacks;
#[path = "../../../tests/skipping/mod.rs"]
mod skipping;

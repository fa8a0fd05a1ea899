//! Tests of the engine that need its inside.

mod memory;

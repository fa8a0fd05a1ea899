//! Tests of the compiler that need its inside.

mod attacks;

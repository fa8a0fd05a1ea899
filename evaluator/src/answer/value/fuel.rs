//! What bounds the work of one verdict, without a clock: every step of evaluation is paid for, by its cost.

use std::cell::Cell;

/// What one verdict may cost. A unit is about as much work as a node of an expression in floating point; verdicts
/// on answers that are meant to be understood need a few thousand.
const FULL: u64 = 400_000;

/// The bits of a number that are worked through for one unit: a fraction is reduced in quadratic time.
const BITS_SQUARED: u64 = 4096;

/// What is left to spend. Shared by all comparisons of a verdict, so that many cheap ones cost as much as one that
/// is dear.
#[derive(Debug)]
pub(crate) struct Fuel(Cell<u64>);

impl Fuel {
    /// Enough for any answer that is meant to be understood.
    pub const fn full() -> Self {
        Self(Cell::new(FULL))
    }

    /// Takes `units`; `None` once there is too little left, and ever after.
    pub fn take(&self, units: u64) -> Option<()> {
        let left = self.0.get().checked_sub(units);
        self.0.set(left.unwrap_or(0));
        left.map(|_| ())
    }

    /// Takes what arithmetic with a fraction of so many bits costs.
    pub fn take_for_bits(&self, bits: u64) -> Option<()> {
        self.take(1 + bits.saturating_mul(bits) / BITS_SQUARED)
    }

    /// How much has been spent, and of how much.
    pub fn spent(&self) -> (u64, u64) {
        (FULL - self.0.get(), FULL)
    }
}

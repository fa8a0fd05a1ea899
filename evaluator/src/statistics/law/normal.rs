//! The standard normal law.

use std::f64::consts::SQRT_2;

use statrs::function::erf::erfc_inv;

/// The `p`-quantile; infinite at 0 and 1.
pub(crate) fn quantile(p: f64) -> f64 {
    -SQRT_2 * erfc_inv(2.0 * p)
}

/// The quantile that leaves half of what `level` leaves on each side: 1.96 for .95.
pub(crate) fn two_sided(level: f64) -> f64 {
    quantile((1.0 + level) / 2.0)
}

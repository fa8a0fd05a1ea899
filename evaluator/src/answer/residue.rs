//! Arithmetic modulo a large prime: exact tests of rational identities in constant space.
//!
//! Two rational expressions that differ take different values modulo `2^61 - 1` save for a vanishing share of
//! points, and numbers never grow, so `\frac{10^{2018}-1}{9}` costs no more than `1/9`.

use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::ToPrimitive;

/// A Mersenne prime.
const PRIME: u64 = (1 << 61) - 1;

/// A number modulo [`PRIME`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Residue(u64);

impl Residue {
    pub const ZERO: Self = Self(0);
    pub const ONE: Self = Self(1);

    /// `None` when the denominator is a multiple of the prime.
    pub fn of(value: &BigRational) -> Option<Self> {
        let reduced = |n: &BigInt| n.mod_floor(&BigInt::from(PRIME)).to_u64().map(Self);
        reduced(value.numer())?.divided_by(reduced(value.denom())?)
    }

    pub fn plus(self, other: Self) -> Self {
        Self((self.0 + other.0) % PRIME)
    }

    pub fn negated(self) -> Self {
        Self((PRIME - self.0) % PRIME)
    }

    pub fn times(self, other: Self) -> Self {
        let product = u128::from(self.0) * u128::from(other.0) % u128::from(PRIME);
        Self(u64::try_from(product).expect("a remainder is below the divisor"))
    }

    /// By Fermat's little theorem the inverse of x is `x^(p - 2)`.
    pub fn divided_by(self, other: Self) -> Option<Self> {
        (other != Self::ZERO).then(|| self.times(other.power(PRIME - 2)))
    }

    /// To a whole power of any size, of which the remainder modulo `p - 1` decides.
    pub fn raised_to(self, exponent: &BigRational) -> Option<Self> {
        // Powers of zero depend on more than the remainder and are left to exact arithmetic.
        if self == Self::ZERO || !exponent.is_integer() {
            return None;
        }
        let reduced = exponent.to_integer().mod_floor(&BigInt::from(PRIME - 1));
        Some(self.power(reduced.to_u64()?))
    }

    fn power(self, mut exponent: u64) -> Self {
        let (mut base, mut result) = (self, Self::ONE);
        while exponent > 0 {
            if exponent % 2 == 1 {
                result = result.times(base);
            }
            base = base.times(base);
            exponent /= 2;
        }
        result
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn residue(numerator: i64, denominator: i64) -> Residue {
        Residue::of(&BigRational::new(numerator.into(), denominator.into())).unwrap()
    }

    #[test]
    fn the_laws_of_fractions_hold() {
        assert_eq!(residue(1, 3).plus(residue(1, 6)), residue(1, 2));
        assert_eq!(residue(-2, 3).times(residue(3, 4)), residue(-1, 2));
        assert_eq!(
            residue(3, 1).divided_by(residue(-6, 1)),
            Some(residue(-1, 2))
        );
        assert_eq!(residue(1, 1).divided_by(Residue::ZERO), None);
        let power =
            |exponent: i64| residue(2, 3).raised_to(&BigRational::from_integer(exponent.into()));
        assert_eq!(power(3), Some(residue(8, 27)));
        assert_eq!(power(-2), Some(residue(9, 4)));
        assert_eq!(power(0), Some(Residue::ONE));
    }
}

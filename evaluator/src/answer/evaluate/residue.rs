//! Arithmetic modulo large primes: exact tests of rational identities in constant space.
//!
//! Two rational expressions that differ take different values modulo such a prime save for a vanishing share of
//! points, and numbers never grow, so `\frac{10^{2018}-1}{9}` costs no more than `1/9`.

use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive};

/// The two largest safe primes below 2^61: twice a prime and one. Powers of any base but 0, 1 and -1 repeat only
/// after at least (p - 1) / 2 steps, where modulo a Mersenne prime those of 2 would after 61.
pub(crate) const PRIMES: [u64; 2] = [2_305_843_009_213_691_579, 2_305_843_009_213_690_799];

/// A number modulo a prime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Residue {
    value: u64,
    prime: u64,
}

impl Residue {
    /// A number below the prime.
    pub const fn small(value: u64, prime: u64) -> Self {
        Self { value, prime }
    }

    /// Any whole number.
    pub fn whole(value: i64, prime: u64) -> Self {
        let size = value.unsigned_abs() % prime;
        let size = Self::small(size, prime);
        if value < 0 { size.negated() } else { size }
    }

    /// `None` when the denominator is a multiple of the prime.
    pub fn of(value: &BigRational, prime: u64) -> Option<Self> {
        let reduced = |n: &BigInt| {
            if let Some(small) = n.to_i64() {
                return Some(Self::whole(small, prime));
            }
            let value = n.mod_floor(&BigInt::from(prime)).to_u64()?;
            Some(Self { value, prime })
        };
        let numerator = reduced(value.numer())?;
        if value.is_integer() {
            return Some(numerator);
        }
        numerator.divided_by(reduced(value.denom())?)
    }

    fn with(self, value: u64) -> Self {
        Self { value, ..self }
    }

    pub fn plus(self, other: Self) -> Self {
        self.with((self.value + other.value) % self.prime)
    }

    pub fn negated(self) -> Self {
        self.with((self.prime - self.value) % self.prime)
    }

    pub fn times(self, other: Self) -> Self {
        let product = u128::from(self.value) * u128::from(other.value) % u128::from(self.prime);
        self.with(u64::try_from(product).expect("a remainder is below the divisor"))
    }

    /// By Euclid's algorithm: where `x y + p z = 1`, y is the inverse of x.
    pub fn divided_by(self, other: Self) -> Option<Self> {
        if other.value == 0 {
            return None;
        }
        let signed = |n: u64| i64::try_from(n).expect("primes are below 2^61");
        let inverse = signed(other.value).extended_gcd(&signed(self.prime)).x;
        Some(self.times(Self::whole(inverse, self.prime)))
    }

    /// To a whole power. Exponents as large as the prime, after which the powers come again, are not decided here,
    /// nor are the powers of zero.
    pub fn raised_to(self, exponent: &BigRational) -> Option<Self> {
        if self.value == 0 || !exponent.is_integer() {
            return None;
        }
        let size = exponent.to_integer().abs().to_u64()?;
        let power = (size < self.prime / 2).then(|| self.power(size))?;
        if exponent.is_negative() {
            return self.with(1).divided_by(power);
        }
        Some(power)
    }

    fn power(self, mut exponent: u64) -> Self {
        let (mut base, mut result) = (self, self.with(1));
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
        Residue::of(
            &BigRational::new(numerator.into(), denominator.into()),
            PRIMES[0],
        )
        .unwrap()
    }

    #[test]
    fn the_laws_of_fractions_hold() {
        assert_eq!(residue(1, 3).plus(residue(1, 6)), residue(1, 2));
        assert_eq!(residue(-2, 3).times(residue(3, 4)), residue(-1, 2));
        assert_eq!(
            residue(3, 1).divided_by(residue(-6, 1)),
            Some(residue(-1, 2))
        );
        assert_eq!(residue(1, 1).divided_by(residue(0, 1)), None);
        let power =
            |exponent: i64| residue(2, 3).raised_to(&BigRational::from_integer(exponent.into()));
        assert_eq!(power(3), Some(residue(8, 27)));
        assert_eq!(power(-2), Some(residue(9, 4)));
        assert_eq!(power(0), Some(residue(1, 1)));
    }
}

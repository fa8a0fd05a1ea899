//! The exact values of expressions made of rational operations, steps, factorials and binomials.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero, pow};

use crate::answer::{
    evaluate::{At, factorials, symbol},
    value::expr::{Expr, Function},
};

/// Exact numbers may grow to this many bits before floating point takes over.
const MOST_BITS: u64 = 2048;

/// Higher roots are not taken exactly.
const MOST_INDEX: u32 = 10;

/// What another factor of a factorial or binomial costs.
const FUEL_PER_FACTOR: u64 = 8;

/// 300! has 2,042 bits; what is larger would be thrown away.
const LARGEST_FACTORIAL: u32 = 300;

/// The exact value, where there is one that is not too long.
pub(crate) fn exact(expr: &Expr, at: At<'_>) -> Option<BigRational> {
    at.fuel.take(1)?;
    let value = match expr {
        Expr::Number(value) => value.clone(),
        Expr::Symbol(name) => symbol(name, at.point).exactly(),
        Expr::Quotient(..) | Expr::Product(_)
            if let Some(value) = factorials::cancelled(expr, at) =>
        {
            value
        }
        Expr::Sum(parts) => {
            let mut sum = BigRational::zero();
            for part in parts {
                sum += exact(part, at)?;
                at.fuel.take_for_bits(bits(&sum))?;
            }
            sum
        }
        Expr::Product(parts) => {
            let mut product = BigRational::one();
            for part in parts {
                product *= exact(part, at)?;
                at.fuel.take_for_bits(bits(&product))?;
            }
            product
        }
        Expr::Negative(x) => -exact(x, at)?,
        Expr::Quotient(a, b) => {
            let divisor = exact(b, at)?;
            if divisor.is_zero() {
                return None;
            }
            exact(a, at)? / divisor
        }
        Expr::Power(base, exponent) => exact_power(&exact(base, at)?, &exact(exponent, at)?)?,
        Expr::Root(index, radicand) if at.point.is_whole() => {
            exact_root(&exact(radicand, at)?, &exact(index, at)?)?
        }
        Expr::Function(Function::Factorial, n) => factorial(&exact(n, at)?, at)?,
        Expr::Function(Function::Abs, x) => exact(x, at)?.abs(),
        Expr::Function(Function::Floor, x) => exact(x, at)?.floor(),
        Expr::Function(Function::Ceil, x) => exact(x, at)?.ceil(),
        Expr::Binomial(n, k) => binomial(&exact(n, at)?, &exact(k, at)?, at)?,
        _ => return None,
    };
    let bits = bits(&value);
    at.fuel.take_for_bits(bits)?;
    (bits <= MOST_BITS).then_some(value)
}

fn bits(value: &BigRational) -> u64 {
    value.numer().bits() + value.denom().bits()
}

fn exact_power(base: &BigRational, exponent: &BigRational) -> Option<BigRational> {
    let exponent = exponent
        .is_integer()
        .then(|| exponent.to_integer().to_i64())??;
    let bits = bits(base).saturating_mul(exponent.unsigned_abs());
    if bits > MOST_BITS || base.is_zero() && exponent <= 0 {
        return None;
    }
    let power = pow(base.clone(), usize::try_from(exponent.unsigned_abs()).ok()?);
    Some(if exponent < 0 { power.recip() } else { power })
}

/// The root of what is a power of a fraction; none of anything else, nor of what is negative.
fn exact_root(radicand: &BigRational, index: &BigRational) -> Option<BigRational> {
    let index = index.is_integer().then(|| index.to_integer().to_u32())??;
    if radicand.is_negative() || !(2..=MOST_INDEX).contains(&index) {
        return None;
    }
    let root = |n: &BigInt| {
        let root = n.nth_root(index);
        (pow(root.clone(), usize::try_from(index).ok()?) == *n).then_some(root)
    };
    Some(BigRational::new(
        root(radicand.numer())?,
        root(radicand.denom())?,
    ))
}

pub(super) fn factorial(n: &BigRational, at: At<'_>) -> Option<BigRational> {
    let n = small_integer(n).filter(|n| *n <= LARGEST_FACTORIAL)?;
    at.fuel.take(FUEL_PER_FACTOR * u64::from(n))?;
    let product = (2..=n).fold(BigInt::one(), |product, factor| product * factor);
    Some(BigRational::from_integer(product))
}

fn binomial(n: &BigRational, k: &BigRational, at: At<'_>) -> Option<BigRational> {
    let whole = |value: &BigRational| {
        let whole = value.is_integer().then(|| value.to_integer().to_u64())??;
        (whole <= LARGEST_CHOICE).then_some(whole)
    };
    let (n, k) = (whole(n)?, whole(k)?);
    if k > n {
        return Some(BigRational::zero());
    }
    // Those left out are as many choices as those taken.
    let k = k.min(n - k);
    if k > MOST_CHOSEN {
        return None;
    }
    at.fuel.take(FUEL_PER_FACTOR * k)?;
    let value = (1..=k).fold(BigInt::one(), |value, i| value * (n - k + i) / i);
    Some(BigRational::from_integer(value))
}

/// Nobody chooses from more.
const LARGEST_CHOICE: u64 = 1_000_000_000;

/// More chosen make numbers that are too long to be meant.
const MOST_CHOSEN: u64 = 500;

/// Zero to 500, beyond which factorials are too long to be meant.
fn small_integer(value: &BigRational) -> Option<u32> {
    let value = value.is_integer().then(|| value.to_integer().to_u32())??;
    (value <= 500).then_some(value)
}

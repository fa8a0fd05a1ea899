//! Quotients of factorials that are too long to be written out: `2026!/2025!` is 2026.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive, Zero};

use crate::answer::{
    evaluate::{At, exact::exact},
    value::expr::{Expr, Function},
};

/// Larger factorials are symbols.
const LARGEST: u64 = 1_000_000;

/// What is left of two factorials may have so many factors.
const MOST_FACTORS: u64 = 300;

/// What another factor costs.
const FUEL_PER_FACTOR: u64 = 8;

/// Factors above and below the line.
#[derive(Default)]
struct Factors<'a> {
    /// The n of each n!.
    above: Vec<u64>,
    below: Vec<u64>,
    others_above: Vec<&'a Expr>,
    others_below: Vec<&'a Expr>,
}

/// The value of a product or quotient in which as many factorials stand above the line as below; `None` where none
/// does, or the two are too far apart.
pub(super) fn cancelled(expr: &Expr, at: At<'_>) -> Option<BigRational> {
    let mut factors = Factors::default();
    collect(expr, true, &mut factors, at)?;
    let Factors {
        mut above,
        mut below,
        ..
    } = factors;
    // 0! stands for those that have no partner.
    let count = above.len().max(below.len());
    if above.is_empty() || below.is_empty() {
        return None;
    }
    above.resize(count, 0);
    below.resize(count, 0);
    above.sort_unstable();
    below.sort_unstable();
    let mut value = BigRational::one();
    for (n, m) in std::iter::zip(above, below) {
        let (more, less) = (n.max(m), n.min(m));
        if more - less > MOST_FACTORS {
            return None;
        }
        at.fuel.take(FUEL_PER_FACTOR * (more - less))?;
        let product = (less + 1..=more).fold(BigInt::one(), |product, factor| product * factor);
        let product = BigRational::from_integer(product);
        value = if n > m {
            value * product
        } else {
            value / product
        };
    }
    for other in factors.others_above {
        value *= exact(other, at)?;
    }
    for other in factors.others_below {
        let divisor = exact(other, at)?;
        if divisor.is_zero() {
            return None;
        }
        value /= divisor;
    }
    Some(value)
}

/// Notes every factor; `None` where a factorial is of no whole number.
fn collect<'a>(
    expr: &'a Expr,
    is_above: bool,
    factors: &mut Factors<'a>,
    at: At<'_>,
) -> Option<()> {
    match expr {
        Expr::Product(parts) => parts
            .iter()
            .try_for_each(|part| collect(part, is_above, factors, at)),
        Expr::Quotient(a, b) => {
            collect(a, is_above, factors, at)?;
            collect(b, !is_above, factors, at)
        }
        Expr::Function(Function::Factorial, n) => {
            let n = exact(n, at)?;
            let n = n.is_integer().then(|| n.to_integer().to_u64())??;
            let side = if is_above {
                &mut factors.above
            } else {
                &mut factors.below
            };
            side.push(Some(n).filter(|n| *n <= LARGEST)?);
            Some(())
        }
        other => {
            let side = if is_above {
                &mut factors.others_above
            } else {
                &mut factors.others_below
            };
            side.push(other);
            Some(())
        }
    }
}

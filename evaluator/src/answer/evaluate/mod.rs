//! Are two expressions equal?
//!
//! Decided by evaluating both at the same seeded points. Expressions made of rational operations are
//! evaluated modulo large primes, so for polynomials and rational functions a wrong "equal" would need
//! common roots of the difference among points drawn from a large set (Schwartz, *Journal of the ACM* 27,
//! 1980; Zippel, *EUROSAM* 1979). That says nothing about constants, which no point varies: their exact values are
//! compared, and only those too long for it by their remainders, by two primes. Steps and absolute values need the
//! exact numbers, too. All others are evaluated in complex floating point with a bound on the rounding error, and
//! count as equal only where the bound is small and they agree within it.
//!
//! Variables take small positive values, as in the usual reading of roots and logarithms in answers;
//! where an absolute value occurs negative ones too, and where steps or factorials occur whole and larger
//! ones, for there the small positive values would tell nothing apart.

pub(crate) mod ball;
pub(crate) mod exact;
pub(crate) mod residue;

use std::f64::consts;

use num_complex::Complex64;
use num_rational::BigRational;
use num_traits::ToPrimitive;

use crate::answer::{
    evaluate::ball::Ball,
    evaluate::exact::exact,
    evaluate::residue::{PRIMES, Residue},
    value::expr::{Expr, Function},
    value::fuel::Fuel,
};

/// How many points expressions must both be defined at to be called equal.
const DEFINED_POINTS: usize = 3;

/// Whether the two are the same function of their symbols. Without fuel nothing is equal but what is written alike.
pub(crate) fn equal(a: &Expr, b: &Expr, fuel: &Fuel) -> bool {
    if a == b {
        return true;
    }
    if let (Some(a), Some(b)) = (sign_of_infinity(a), sign_of_infinity(b)) {
        return a == b;
    }
    if a.is_constant() && b.is_constant() {
        return equal_constants(a, b, ANYWHERE.with(fuel)).unwrap_or(false);
    }
    let mut agreed = 0;
    for point in points(&[a, b]) {
        match agree_at(a, b, point.with(fuel)) {
            Some(false) => return false,
            Some(true) => agreed += 1,
            None => {}
        }
    }
    agreed >= DEFINED_POINTS
}

/// A value for every symbol, by its name.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    index: u8,
    domain: Domain,
}

impl Point {
    const fn with(self, fuel: &Fuel) -> At<'_> {
        At { point: self, fuel }
    }

    /// One prime for every other point: what one of them overlooks the other sees.
    fn prime(self) -> u64 {
        PRIMES[usize::from(self.index) % PRIMES.len()]
    }
}

/// Where an expression is evaluated, and what pays for it.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub point: Point,
    pub fuel: &'a Fuel,
}

/// Where the values come from.
#[derive(Clone, Copy)]
enum Domain {
    /// Rationals between 1/4 and 9/4.
    Near,
    /// The same with either sign.
    Signed,
    /// Whole numbers between 1 and 40.
    Whole,
    /// Rationals between 0 and 64.
    Wide,
}

/// The point at which constants are evaluated.
const ANYWHERE: Point = Point {
    index: 0,
    domain: Domain::Near,
};

/// The points that tell such expressions apart.
fn points(expressions: &[&Expr]) -> Vec<Point> {
    let have = |test: &dyn Fn(Function) -> bool| {
        expressions
            .iter()
            .any(|e| e.any(&|e| matches!(e, Expr::Function(function, _) if test(*function))))
    };
    let counts = expressions
        .iter()
        .any(|e| e.any(&|e| matches!(e, Expr::Binomial(..))))
        || have(&|f| matches!(f, Function::Floor | Function::Ceil | Function::Factorial));
    let domains = if counts {
        [Domain::Whole; 8]
            .into_iter()
            .chain([Domain::Wide; 4])
            .collect()
    } else if have(&|f| f == Function::Abs) {
        vec![Domain::Signed; 10]
    } else {
        vec![Domain::Near; 6]
    };
    std::iter::zip(0.., domains)
        .map(|(index, domain)| Point { index, domain })
        .collect()
}

/// Whether they agree at one point; `None` where one of them is undefined there.
fn agree_at(a: &Expr, b: &Expr, at: At<'_>) -> Option<bool> {
    let prime = at.point.prime();
    if let (Some(a), Some(b)) = (residue(a, prime, at), residue(b, prime, at)) {
        return Some(a == b);
    }
    if let (Some(a), Some(b)) = (exact(a, at), exact(b, at)) {
        return Some(a == b);
    }
    Some(approximate(a, at)?.agrees(&approximate(b, at)?))
}

/// Whether two constants are the same number; `None` where one of them has no value.
fn equal_constants(a: &Expr, b: &Expr, at: At<'_>) -> Option<bool> {
    if let (Some(a), Some(b)) = (exact(a, at), exact(b, at)) {
        return Some(a == b);
    }
    let remainders = PRIMES.map(|prime| Some(residue(a, prime, at)? == residue(b, prime, at)?));
    if let [Some(first), Some(second)] = remainders {
        return Some(first && second);
    }
    Some(approximate(a, at)?.agrees(&approximate(b, at)?))
}

/// The ratio of `a` to `b` if it is the same number at all points; used for equations, which stay the
/// same when multiplied. Its sign tells whether inequalities turn round.
pub(crate) fn constant_ratio(a: &Expr, b: &Expr, fuel: &Fuel) -> Option<f64> {
    let mut ratio: Option<Ball> = None;
    let mut defined = 0;
    for point in points(&[a, b]) {
        let at = point.with(fuel);
        let (Some(a), Some(b)) = (approximate(a, at), approximate(b, at)) else {
            continue;
        };
        let here = a.divided_by(&b)?;
        if ratio.is_some_and(|ratio| !ratio.agrees(&here)) {
            return None;
        }
        ratio = Some(here);
        defined += 1;
    }
    let ratio = ratio.filter(|_| defined >= DEFINED_POINTS)?.value;
    let is_real = ratio.im.abs() < 1e-9 * ratio.re.abs();
    (is_real && ratio.re != 0.0).then_some(ratio.re)
}

/// The value of a real constant.
pub(crate) fn constant(expr: &Expr, fuel: &Fuel) -> Option<f64> {
    if !expr.is_constant() {
        return None;
    }
    let value = approximate(expr, ANYWHERE.with(fuel))?.value;
    (value.im.abs() <= 1e-12 * (1.0 + value.re.abs())).then_some(value.re)
}

/// Whether the expression is exactly a whole number.
pub(crate) fn is_integer(expr: &Expr, fuel: &Fuel) -> bool {
    expr.is_constant() && exact(expr, ANYWHERE.with(fuel)).is_some_and(|value| value.is_integer())
}

/// 1 for infinity, -1 for minus infinity.
pub(crate) fn sign_of_infinity(expr: &Expr) -> Option<i8> {
    match expr {
        Expr::Infinity => Some(1),
        Expr::Negative(inner) => sign_of_infinity(inner).map(|sign| -sign),
        _ => None,
    }
}

/// Sixteen bits that depend on the name and the point alone: FNV-1a (Fowler, Noll and Vo), its high and
/// low halves folded together.
fn seed(name: &str, point: u8) -> u16 {
    let hash = name
        .bytes()
        .chain([point])
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    (hash ^ hash >> 16 ^ hash >> 32 ^ hash >> 48) as u16
}

/// The value of a symbol at a point.
pub(crate) fn symbol(name: &str, point: Point) -> BigRational {
    let seed = i64::from(seed(name, point.index));
    let (numerator, denominator) = match point.domain {
        Domain::Near => (16_411 + 2 * seed, 65_537),
        Domain::Signed if seed % 2 == 0 => (-16_411 - 2 * seed, 65_537),
        Domain::Signed => (16_411 + 2 * seed, 65_537),
        Domain::Whole => (1 + seed % 40, 1),
        Domain::Wide => (1 + seed, 1021),
    };
    BigRational::new(numerator.into(), denominator.into())
}

/// The value modulo a prime, for rational operations with whole exponents.
fn residue(expr: &Expr, prime: u64, at: At<'_>) -> Option<Residue> {
    at.fuel.take(1)?;
    Some(match expr {
        Expr::Number(value) => Residue::of(value, prime)?,
        Expr::Symbol(name) => Residue::of(&symbol(name, at.point), prime)?,
        Expr::Sum(parts) => {
            let mut sum = Residue::small(0, prime);
            for part in parts {
                sum = sum.plus(residue(part, prime, at)?);
            }
            sum
        }
        Expr::Product(parts) => {
            let mut product = Residue::small(1, prime);
            for part in parts {
                product = product.times(residue(part, prime, at)?);
            }
            product
        }
        Expr::Negative(x) => residue(x, prime, at)?.negated(),
        Expr::Quotient(a, b) => residue(a, prime, at)?.divided_by(residue(b, prime, at)?)?,
        Expr::Power(base, exponent) => {
            residue(base, prime, at)?.raised_to(&exact(exponent, at)?)?
        }
        _ => return None,
    })
}

fn approximate(expr: &Expr, at: At<'_>) -> Option<Ball> {
    at.fuel.take(1)?;
    let ball = match expr {
        Expr::Number(value) => Ball::exact(value.to_f64()?)?,
        Expr::Symbol(name) => Ball::exact(symbol(name, at.point).to_f64()?)?,
        Expr::Function(Function::Factorial, _) | Expr::Binomial(..) => {
            Ball::exact(exact(expr, at)?.to_f64()?)?
        }
        Expr::Pi => Ball::exact(consts::PI)?,
        Expr::Euler => Ball::exact(consts::E)?,
        Expr::Imaginary => Ball::of(Complex64::i(), 0.0)?,
        Expr::Sum(parts) => {
            let mut sum = Ball::exact(0.0)?;
            for part in parts {
                sum = sum.plus(&approximate(part, at)?)?;
            }
            sum
        }
        Expr::Product(parts) => {
            let mut product = Ball::exact(1.0)?;
            for part in parts {
                product = product.times(&approximate(part, at)?)?;
            }
            product
        }
        Expr::Negative(x) => approximate(x, at)?.negated(),
        Expr::Quotient(a, b) => approximate(a, at)?.divided_by(&approximate(b, at)?)?,
        Expr::Power(base, exponent) => {
            approximate(base, at)?.raised_to(&approximate(exponent, at)?)?
        }
        Expr::Root(index, radicand) => {
            let index = approximate(index, at)?;
            approximate(radicand, at)?.root(&index)?
        }
        Expr::Function(function, x) => approximate(x, at)?.apply(*function)?,
        Expr::Apply(name, arguments) => {
            // An unknown function is stood in for by a smooth one that depends on its name.
            let mut value = Ball::exact(symbol(name, at.point).to_f64()?)?;
            for (index, argument) in arguments.iter().enumerate() {
                let weight = symbol(&format!("{name}({index})"), at.point).to_f64()?;
                let turned = approximate(argument, at)?.times(&Ball::exact(weight)?)?;
                value = value.plus(&turned.apply(Function::Sin)?)?;
            }
            value
        }
        _ => return None,
    };
    Some(ball)
}

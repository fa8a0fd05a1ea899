//! Are two expressions equal?
//!
//! Decided by evaluating both at the same seeded points. Expressions made of rational operations are
//! evaluated modulo a large prime, so for polynomials and rational functions a wrong "equal" would need
//! common roots of the difference among points drawn from a large set (Schwartz, *Journal of the ACM* 27,
//! 1980; Zippel, *EUROSAM* 1979). Steps and absolute values need the exact numbers themselves. All others are evaluated in complex floating point with a bound on the
//! rounding error, and count as equal only where the bound is small and they agree within it.
//!
//! Variables take small positive values, as in the usual reading of roots and logarithms in answers;
//! where an absolute value occurs negative ones too, and where steps or factorials occur whole and larger
//! ones, for there the small positive values would tell nothing apart.

use std::f64::consts;

use num_bigint::BigInt;
use num_complex::Complex64;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero, pow};

use super::{
    ball::Ball,
    expr::{Expr, Function},
    residue::Residue,
};

/// How many points expressions must both be defined at to be called equal.
const DEFINED_POINTS: usize = 3;

/// Exact numbers may grow to this many bits before floating point takes over.
const MOST_BITS: u64 = 2048;

/// Whether the two are the same function of their symbols.
pub(super) fn equal(a: &Expr, b: &Expr) -> bool {
    if a == b {
        return true;
    }
    if let (Some(a), Some(b)) = (sign_of_infinity(a), sign_of_infinity(b)) {
        return a == b;
    }
    let mut agreed = 0;
    for point in points(&[a, b]) {
        match agree_at(a, b, point) {
            Some(false) => return false,
            Some(true) => agreed += 1,
            None => {}
        }
        if agreed > 0 && a.is_constant() && b.is_constant() {
            return true;
        }
    }
    agreed >= DEFINED_POINTS
}

/// A value for every symbol, by its name.
#[derive(Clone, Copy)]
struct Point {
    index: u8,
    domain: Domain,
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
fn agree_at(a: &Expr, b: &Expr, point: Point) -> Option<bool> {
    if let (Some(a), Some(b)) = (residue(a, point), residue(b, point)) {
        return Some(a == b);
    }
    if let (Some(a), Some(b)) = (exact(a, point), exact(b, point)) {
        return Some(a == b);
    }
    let (a, b) = (approximate(a, point)?, approximate(b, point)?);
    Some(a.agrees(&b))
}

/// The ratio of `a` to `b` if it is the same number at all points; used for equations, which stay the
/// same when multiplied. Its sign tells whether inequalities turn round.
pub(super) fn constant_ratio(a: &Expr, b: &Expr) -> Option<f64> {
    let mut ratio: Option<Ball> = None;
    let mut defined = 0;
    for point in points(&[a, b]) {
        let (Some(a), Some(b)) = (approximate(a, point), approximate(b, point)) else {
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
pub(super) fn constant(expr: &Expr) -> Option<f64> {
    if !expr.is_constant() {
        return None;
    }
    let value = approximate(expr, ANYWHERE)?.value;
    (value.im.abs() <= 1e-12 * (1.0 + value.re.abs())).then_some(value.re)
}

/// Whether the expression is exactly a whole number.
pub(super) fn is_integer(expr: &Expr) -> bool {
    expr.is_constant() && exact(expr, ANYWHERE).is_some_and(|value| value.is_integer())
}

/// 1 for infinity, -1 for minus infinity.
pub(super) fn sign_of_infinity(expr: &Expr) -> Option<i8> {
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
fn symbol(name: &str, point: Point) -> BigRational {
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
fn residue(expr: &Expr, point: Point) -> Option<Residue> {
    Some(match expr {
        Expr::Number(value) => Residue::of(value)?,
        Expr::Symbol(name) => Residue::of(&symbol(name, point))?,
        Expr::Sum(parts) => {
            let mut sum = Residue::ZERO;
            for part in parts {
                sum = sum.plus(residue(part, point)?);
            }
            sum
        }
        Expr::Product(parts) => {
            let mut product = Residue::ONE;
            for part in parts {
                product = product.times(residue(part, point)?);
            }
            product
        }
        Expr::Negative(x) => residue(x, point)?.negated(),
        Expr::Quotient(a, b) => residue(a, point)?.divided_by(residue(b, point)?)?,
        Expr::Power(base, exponent) => residue(base, point)?.raised_to(&exact(exponent, point)?)?,
        _ => return None,
    })
}

fn exact(expr: &Expr, point: Point) -> Option<BigRational> {
    let value = match expr {
        Expr::Number(value) => value.clone(),
        Expr::Symbol(name) => symbol(name, point),
        Expr::Sum(parts) => {
            let mut sum = BigRational::zero();
            for part in parts {
                sum += exact(part, point)?;
            }
            sum
        }
        Expr::Product(parts) => {
            let mut product = BigRational::one();
            for part in parts {
                product *= exact(part, point)?;
            }
            product
        }
        Expr::Negative(x) => -exact(x, point)?,
        Expr::Quotient(a, b) => {
            let divisor = exact(b, point)?;
            if divisor.is_zero() {
                return None;
            }
            exact(a, point)? / divisor
        }
        Expr::Power(base, exponent) => exact_power(&exact(base, point)?, &exact(exponent, point)?)?,
        Expr::Function(Function::Factorial, n) => factorial(&exact(n, point)?)?,
        Expr::Function(Function::Abs, x) => exact(x, point)?.abs(),
        Expr::Function(Function::Floor, x) => exact(x, point)?.floor(),
        Expr::Function(Function::Ceil, x) => exact(x, point)?.ceil(),
        Expr::Binomial(n, k) => binomial(&exact(n, point)?, &exact(k, point)?)?,
        _ => return None,
    };
    (value.numer().bits() + value.denom().bits() <= MOST_BITS).then_some(value)
}

fn exact_power(base: &BigRational, exponent: &BigRational) -> Option<BigRational> {
    let exponent = exponent
        .is_integer()
        .then(|| exponent.to_integer().to_i64())??;
    let bits = base.numer().bits() + base.denom().bits();
    if bits.saturating_mul(exponent.unsigned_abs()) > MOST_BITS || base.is_zero() && exponent <= 0 {
        return None;
    }
    let power = pow(base.clone(), usize::try_from(exponent.unsigned_abs()).ok()?);
    Some(if exponent < 0 { power.recip() } else { power })
}

fn factorial(n: &BigRational) -> Option<BigRational> {
    let n = small_integer(n)?;
    let product = (2..=n).fold(BigInt::one(), |product, factor| product * factor);
    Some(BigRational::from_integer(product))
}

fn binomial(n: &BigRational, k: &BigRational) -> Option<BigRational> {
    let (n, k) = (small_integer(n)?, small_integer(k)?);
    if k > n {
        return Some(BigRational::zero());
    }
    let value = (1..=k).fold(BigInt::one(), |value, i| value * (n - k + i) / i);
    Some(BigRational::from_integer(value))
}

/// Zero to 500, beyond which factorials are too long to be meant.
fn small_integer(value: &BigRational) -> Option<u32> {
    let value = value.is_integer().then(|| value.to_integer().to_u32())??;
    (value <= 500).then_some(value)
}

fn approximate(expr: &Expr, point: Point) -> Option<Ball> {
    let ball = match expr {
        Expr::Number(value) => Ball::exact(value.to_f64()?)?,
        Expr::Symbol(name) => Ball::exact(symbol(name, point).to_f64()?)?,
        Expr::Function(Function::Factorial, _) | Expr::Binomial(..) => {
            Ball::exact(exact(expr, point)?.to_f64()?)?
        }
        Expr::Pi => Ball::exact(consts::PI)?,
        Expr::Euler => Ball::exact(consts::E)?,
        Expr::Imaginary => Ball::of(Complex64::i(), 0.0)?,
        Expr::Sum(parts) => {
            let mut sum = Ball::exact(0.0)?;
            for part in parts {
                sum = sum.plus(&approximate(part, point)?)?;
            }
            sum
        }
        Expr::Product(parts) => {
            let mut product = Ball::exact(1.0)?;
            for part in parts {
                product = product.times(&approximate(part, point)?)?;
            }
            product
        }
        Expr::Negative(x) => approximate(x, point)?.negated(),
        Expr::Quotient(a, b) => approximate(a, point)?.divided_by(&approximate(b, point)?)?,
        Expr::Power(base, exponent) => {
            approximate(base, point)?.raised_to(&approximate(exponent, point)?)?
        }
        Expr::Root(index, radicand) => {
            let index = approximate(index, point)?;
            approximate(radicand, point)?.root(&index)?
        }
        Expr::Function(function, x) => approximate(x, point)?.apply(*function)?,
        Expr::Apply(name, arguments) => {
            // An unknown function is stood in for by a smooth one that depends on its name.
            let mut value = Ball::exact(symbol(name, point).to_f64()?)?;
            for (index, argument) in arguments.iter().enumerate() {
                let weight = symbol(&format!("{name}({index})"), point).to_f64()?;
                let turned = approximate(argument, point)?.times(&Ball::exact(weight)?)?;
                value = value.plus(&turned.apply(Function::Sin)?)?;
            }
            value
        }
        _ => return None,
    };
    Some(ball)
}

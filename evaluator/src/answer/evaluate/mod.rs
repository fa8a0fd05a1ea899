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
//! Variables of rational expressions take small positive values: there, by Schwartz and Zippel, any will do. Where roots,
//! logarithms, absolute values and other functions occur they take values of either sign and of many sizes, and roots
//! and logarithms of negative numbers are undefined, as in the usual reading of answers; where steps or factorials occur,
//! the whole numbers from one on and large ones, and others besides unless every variable is called as counters are.

pub(crate) mod ball;
pub(crate) mod exact;
mod factorials;
mod point;
pub(crate) mod residue;

use std::f64::consts;

use num_bigint::BigInt;
use num_complex::Complex64;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive};

use crate::answer::{
    evaluate::ball::Ball,
    evaluate::exact::exact,
    evaluate::point::{Plan, anywhere},
    evaluate::residue::{PRIMES, Residue},
    value::expr::{Expr, Function},
    value::fuel::Fuel,
};

pub(crate) use point::{At, symbol};

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
        return equal_constants(a, b, anywhere(fuel)).unwrap_or(false);
    }
    let names = names(&[a, b]);
    let plan = Plan::of(&[a, b], &names);
    let mut agreed = 0;
    for domain in plan.domains() {
        for index in 0..domain.count() {
            match agree_at(a, b, plan.at(domain, index, &names, fuel)) {
                Some(false) => return false,
                Some(true) => agreed += 1,
                None => {}
            }
        }
        if agreed >= DEFINED_POINTS && domain.is_last_resort_next() {
            break;
        }
    }
    agreed >= DEFINED_POINTS
}

/// The names of the symbols of all, each once, in order.
fn names<'a>(expressions: &[&'a Expr]) -> Vec<&'a str> {
    let mut names: Vec<&str> = expressions.iter().flat_map(|e| e.symbols()).collect();
    names.sort_unstable();
    names.dedup();
    names
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
    match (approximate(a, at), approximate(b, at)) {
        (Some(a), Some(b)) => Some(a.agrees(&b)),
        (None, None) => None,
        _ => at.is_strict.then_some(false),
    }
}

/// Whether two constants are the same number; `None` where one of them has no value.
fn equal_constants(a: &Expr, b: &Expr, at: At<'_>) -> Option<bool> {
    if let (Some(a), Some(b)) = (exact(a, at), exact(b, at)) {
        return Some(a == b);
    }
    // Factorials too long to be written out, by what is left of their quotient.
    let is_factorial = |e: &Expr| matches!(e, Expr::Function(Function::Factorial, _));
    if a.any(&is_factorial) && b.any(&is_factorial) {
        let quotient = Expr::quotient(a.clone(), b.clone());
        if let Some(quotient) = exact(&quotient, at) {
            return Some(quotient.is_one());
        }
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
    let names = names(&[a, b]);
    let plan = Plan::of(&[a, b], &names);
    let mut ratio: Option<Ball> = None;
    let mut remainders: [Option<Residue>; 2] = [None; 2];
    let mut defined = 0;
    for at in plan.points(&names, fuel) {
        let prime = at.point.prime();
        if let (Some(a), Some(b)) = (residue(a, prime, at), residue(b, prime, at)) {
            let here = a.divided_by(b)?;
            let before = remainders[at.point.turn()].replace(here);
            if before.is_some_and(|before| before != here) {
                return None;
            }
        }
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

/// Whether an expression has the same value at all points.
pub(crate) fn is_constant_everywhere(expr: &Expr, fuel: &Fuel) -> bool {
    let names = names(&[expr]);
    let plan = Plan::of(&[expr], &names);
    let mut remainders: [Option<Residue>; 2] = [None; 2];
    let mut first: Option<Ball> = None;
    let mut agreed = 0;
    for at in plan.points(&names, fuel) {
        let is_same = if let Some(here) = residue(expr, at.point.prime(), at) {
            let before = &mut remainders[at.point.turn()];
            *before.get_or_insert(here) == here
        } else if let Some(here) = approximate(expr, at) {
            first.get_or_insert(here).agrees(&here)
        } else {
            continue;
        };
        if !is_same {
            return false;
        }
        agreed += 1;
    }
    agreed >= DEFINED_POINTS
}

/// The value of a real constant.
pub(crate) fn constant(expr: &Expr, fuel: &Fuel) -> Option<f64> {
    if !expr.is_constant() {
        return None;
    }
    let value = approximate(expr, anywhere(fuel))?.value;
    (value.im.abs() <= 1e-12 * (1.0 + value.re.abs())).then_some(value.re)
}

/// Whether the expression is exactly a whole number.
pub(crate) fn is_integer(expr: &Expr, fuel: &Fuel) -> bool {
    expr.is_constant() && exact(expr, anywhere(fuel)).is_some_and(|value| value.is_integer())
}

/// The whole number that a constant is exactly.
pub(crate) fn exact_integer(expr: &Expr, fuel: &Fuel) -> Option<BigInt> {
    let value = expr.is_constant().then(|| exact(expr, anywhere(fuel)))??;
    value.is_integer().then(|| value.to_integer())
}

/// 1 for infinity, -1 for minus infinity.
pub(crate) fn sign_of_infinity(expr: &Expr) -> Option<i8> {
    match expr {
        Expr::Infinity => Some(1),
        Expr::Negative(inner) => sign_of_infinity(inner).map(|sign| -sign),
        _ => None,
    }
}

/// The nearest float; by one division where both parts of the fraction are exact floats.
fn nearest_float(value: &BigRational) -> Option<f64> {
    const EXACT: i64 = 1 << 53;
    let small = |part: &BigInt| part.to_i64().filter(|part| part.abs() <= EXACT);
    match (small(value.numer()), small(value.denom())) {
        (Some(numerator), Some(denominator)) => Some(numerator as f64 / denominator as f64),
        _ => value.to_f64(),
    }
}

/// The value modulo a prime, for rational operations with whole exponents.
fn residue(expr: &Expr, prime: u64, at: At<'_>) -> Option<Residue> {
    at.fuel.take(1)?;
    Some(match expr {
        Expr::Number(value) => Residue::of(value, prime)?,
        Expr::Symbol(name) => {
            let value = symbol(name, at.point);
            let [numerator, denominator] =
                [value.numerator, value.denominator].map(|n| Residue::whole(n, prime));
            numerator.divided_by(denominator)?
        }
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
        Expr::Number(value) => Ball::exact(nearest_float(value)?)?,
        Expr::Symbol(name) => Ball::exact(symbol(name, at.point).as_float())?,
        Expr::Function(Function::Factorial, _) | Expr::Binomial(..) => {
            Ball::exact(exact(expr, at)?.to_f64()?)?
        }
        // Exactly, where a step is near.
        Expr::Function(Function::Floor | Function::Ceil, _)
            if let Some(value) = exact(expr, at) =>
        {
            Ball::exact(value.to_f64()?)?
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
            let (base, exponent) = (approximate(base, at)?, approximate(exponent, at)?);
            if at.is_real && base.is_negative() && !exponent.is_whole() {
                return None;
            }
            base.raised_to(&exponent)?
        }
        Expr::Root(index, radicand) => {
            let (index, radicand) = (approximate(index, at)?, approximate(radicand, at)?);
            if at.is_real && radicand.is_negative() && !index.is_odd() {
                return None;
            }
            radicand.root(&index)?
        }
        Expr::Function(function, x) => {
            let x = approximate(x, at)?;
            if at.is_real && !x.is_in_domain_of(*function) {
                return None;
            }
            x.apply(*function)?
        }
        Expr::Apply(name, arguments) => {
            // An unknown function is stood in for by a smooth one that depends on its name.
            let mut value = Ball::exact(symbol(name, at.point).as_float())?;
            for (index, argument) in arguments.iter().enumerate() {
                let weight = symbol(&format!("{name}({index})"), at.point).as_float();
                let turned = approximate(argument, at)?.times(&Ball::exact(weight)?)?;
                value = value.plus(&turned.apply(Function::Sin)?)?;
            }
            value
        }
        _ => return None,
    };
    Some(ball)
}

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
pub(crate) mod residue;

use std::f64::consts;

use num_bigint::BigInt;
use num_complex::Complex64;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive};

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

/// A value for every symbol, by its place among the names. So a verdict does not depend on what a symbol is called.
#[derive(Clone, Copy)]
pub(crate) struct Point<'a> {
    index: u8,
    domain: Domain,
    names: &'a [&'a str],
}

impl Point<'_> {
    /// Whether every value is whole, so that roots have a chance to be exact.
    pub fn is_whole(self) -> bool {
        self.names.is_empty() || matches!(self.domain, Domain::Counted | Domain::Large)
    }

    /// One prime for every other point: what one of them overlooks the other sees.
    fn prime(self) -> u64 {
        PRIMES[usize::from(self.index) % PRIMES.len()]
    }
}

/// Where an expression is evaluated, and what pays for it.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub point: Point<'a>,
    pub fuel: &'a Fuel,
    /// Roots and logarithms of negative numbers are undefined, as they are for a reader who means real numbers.
    is_real: bool,
    /// Where only one of two is undefined they differ.
    is_strict: bool,
}

/// Where the values come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Domain {
    /// Rationals between 1/4 and 9/4.
    Near,
    /// Rationals of either sign, from less than one to several thousands.
    Wide,
    /// The whole numbers from one on.
    Counted,
    /// Whole numbers up to a hundred thousand.
    Large,
}

impl Domain {
    /// How many points are taken from it.
    const fn count(self) -> u8 {
        match self {
            Self::Near => 6,
            Self::Wide => 12,
            Self::Counted => 30,
            Self::Large => 8,
        }
    }

    /// Whether what comes after it is only for expressions that are defined almost nowhere else.
    const fn is_last_resort_next(self) -> bool {
        matches!(self, Self::Wide)
    }
}

/// At which points expressions are told apart.
struct Plan {
    is_rational: bool,
    /// Steps, factorials and binomials occur.
    counts: bool,
    /// Every symbol is called as counters are.
    are_counters: bool,
    is_real: bool,
    is_strict: bool,
}

impl Plan {
    fn of(expressions: &[&Expr], names: &[&str]) -> Self {
        let any = |test: &dyn Fn(&Expr) -> bool| expressions.iter().any(|e| e.any(&|e| test(e)));
        let has = |wanted: &dyn Fn(Function) -> bool| {
            any(&|e| matches!(e, Expr::Function(function, _) if wanted(*function)))
        };
        let is_counter = |name: &&str| {
            matches!(
                *name,
                "i" | "j" | "k" | "l" | "m" | "n" | "p" | "q" | "N" | "M"
            )
        };
        let is_power =
            |exponent: &Expr| matches!(exponent, Expr::Number(value) if value.is_integer());
        let is_negative_power =
            |exponent: &Expr| matches!(exponent, Expr::Negative(inner) if is_power(inner));
        Self {
            is_rational: !any(&|e| match e {
                Expr::Function(..) | Expr::Root(..) | Expr::Binomial(..) | Expr::Apply(..) => true,
                Expr::Power(_, exponent) => !is_power(exponent) && !is_negative_power(exponent),
                _ => false,
            }),
            counts: any(&|e| matches!(e, Expr::Binomial(..)))
                || has(&|f| matches!(f, Function::Floor | Function::Ceil | Function::Factorial)),
            are_counters: names.iter().all(is_counter),
            is_real: !any(&|e| matches!(e, Expr::Imaginary)),
            is_strict: has(&|f| f == Function::Abs),
        }
    }

    /// Where values are taken from, in order.
    fn domains(&self) -> Vec<Domain> {
        use Domain::{Counted, Large, Near, Wide};
        match self {
            Self {
                is_rational: true, ..
            } => vec![Near],
            Self {
                counts: true,
                are_counters: true,
                ..
            } => vec![Counted, Large],
            Self { counts: true, .. } => vec![Counted, Large, Wide],
            // A negative base has powers at whole exponents alone.
            _ => vec![Near, Wide, Counted],
        }
    }

    fn at<'a>(&self, domain: Domain, index: u8, names: &'a [&'a str], fuel: &'a Fuel) -> At<'a> {
        At {
            point: Point {
                index,
                domain,
                names,
            },
            fuel,
            is_real: self.is_real,
            is_strict: self.is_strict,
        }
    }

    /// All points, in order.
    fn points<'a>(&self, names: &'a [&'a str], fuel: &'a Fuel) -> Vec<At<'a>> {
        let domains = self.domains().into_iter();
        domains
            .flat_map(|domain| (0..domain.count()).map(move |index| (domain, index)))
            .map(|(domain, index)| self.at(domain, index, names, fuel))
            .collect()
    }
}

/// Where constants are evaluated.
fn anywhere(fuel: &Fuel) -> At<'_> {
    At {
        point: Point {
            index: 0,
            domain: Domain::Near,
            names: &[],
        },
        fuel,
        is_real: false,
        is_strict: false,
    }
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
            let before = remainders[usize::from(at.point.index) % PRIMES.len()].replace(here);
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
            let before = &mut remainders[usize::from(at.point.index) % PRIMES.len()];
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

/// Sixteen bits that depend on the name and the point alone: FNV-1a (Fowler, Noll and Vo), its high and
/// low halves folded together.
fn seed(name: &[u8], point: u8) -> u16 {
    let hash = name
        .iter()
        .chain([&point])
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    (hash ^ hash >> 16 ^ hash >> 32 ^ hash >> 48) as u16
}

/// The value of a symbol at a point.
pub(crate) fn symbol(name: &str, point: Point<'_>) -> BigRational {
    let rank = point.names.iter().position(|other| *other == name);
    let seed = match rank {
        Some(rank) => seed(&[rank as u8], point.index),
        None => seed(name.as_bytes(), point.index),
    };
    let seed = i64::from(seed);
    let index = i64::from(point.index);
    let (numerator, denominator) = match point.domain {
        Domain::Near => (16_411 + 2 * seed, 65_537),
        Domain::Wide => {
            // From below one to some thousands, by turns positive and negative.
            let size = [1, 16, 256, 4096][usize::from(point.index / 2) % 4];
            let value = size * (16_411 + 2 * seed);
            (
                if (index + rank.unwrap_or(0) as i64) % 2 == 0 {
                    -value
                } else {
                    value
                },
                65_537,
            )
        }
        Domain::Counted if rank == Some(0) => (1 + index, 1),
        Domain::Counted => (1 + seed % 30, 1),
        Domain::Large => (31 + seed * (1 + index / 4), 1),
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

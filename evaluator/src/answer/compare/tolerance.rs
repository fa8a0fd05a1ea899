//! How far a rounded number may be from the value it stands for.
//!
//! Rounding is forgiven where it shows: one side has decimals, and the other side rounds to them. A whole number is
//! never approximated, and never an approximation.

use num_rational::BigRational;

use crate::answer::{
    evaluate::{constant, is_integer},
    value::{Scalar, expr::Expr, fuel::Fuel},
};

/// What rounding errors of the evaluation may leave of a whole number.
const WHOLE: f64 = 1e-9;

/// Larger numbers in floating point are not known to [`WHOLE`].
const LARGEST: f64 = 1e6;

/// More decimals in one answer are no rounding of a single number.
const MOST_DECIMALS: usize = 4;

/// Whether `given` is `gold` rounded, or the other way round, within the relative `tolerance`. The readings are what
/// both stand for, the scalars how they are written.
pub(crate) fn is_rounded(
    (gold, given): (&Scalar, &Scalar),
    readings: &[(Expr, Expr)],
    tolerance: f64,
    fuel: &Fuel,
) -> bool {
    if gold.places.or(given.places).is_none() || is_whole(&gold.expr, fuel) {
        return false;
    }
    // Per cent are rounded to whole ones, too.
    let are_percent = gold.percent && given.percent;
    let by_gold = slack(gold, are_percent, fuel).unwrap_or(0.0);
    let by_given = slack(given, are_percent, fuel).unwrap_or(0.0);
    readings.iter().any(|(a, b)| {
        if !a.is_constant() {
            return rounds_everywhere((a, gold.places), (b, given.places), tolerance, fuel);
        }
        let (Some(a), Some(b)) = (constant(a, fuel), constant(b, fuel)) else {
            return false;
        };
        let most = (by_gold * a.abs()).max(by_given * b.abs());
        (a - b).abs() <= most.min(tolerance * a.abs()) * (1.0 + WHOLE)
    })
}

/// What the variables of rounded expressions are set to, by turns: small and large ones of either sign.
const PLACES: [(i64, i64); 6] = [(1, 97), (-1, 3), (5, 7), (-7, 2), (31, 3), (-211, 2)];

/// Whether two expressions in the same variables differ nowhere by more than the rounding of the decimals in them
/// allows, as `x + 1.414` from `x + \sqrt2`.
fn rounds_everywhere(
    (a, places_a): (&Expr, Option<usize>),
    (b, places_b): (&Expr, Option<usize>),
    tolerance: f64,
    fuel: &Fuel,
) -> bool {
    let names: Vec<String> = a.symbols().into_iter().map(str::to_owned).collect();
    let is_alike = names.iter().map(String::as_str).eq(b.symbols());
    let is_readable = |expr: &Expr| !expr.any(&|e| matches!(e, Expr::Apply(..)));
    if !is_alike || !is_readable(a) || !is_readable(b) {
        return false;
    }
    let at = |expr: &Expr, place: usize| {
        let expr = names
            .iter()
            .enumerate()
            .fold(expr.clone(), |expr, (rank, name)| {
                let (numerator, denominator) = PLACES[(place + rank) % PLACES.len()];
                let value = BigRational::new(numerator.into(), denominator.into());
                expr.with_value(name, &Expr::Number(value))
            });
        constant(&expr, fuel)
    };
    // By how much the value at a place moves where each decimal moves by half of its last digit.
    let slack = |expr: &Expr, written: Option<usize>, place: usize, value: f64| -> Option<f64> {
        // Zeros at the end do not show in a value; every number has at least the fewest places that were written.
        let fewest = i32::try_from(written.unwrap_or(0)).ok()?;
        let count = count_decimals(expr);
        if count > MOST_DECIMALS {
            return None;
        }
        let mut slack = 0.0;
        for index in 0..count {
            let half = 0.5 * 10f64.powi(-places_of(expr, index)?.max(fewest));
            slack += (at(&with_moved(expr, index, half)?, place)? - value).abs();
        }
        Some(slack)
    };
    let mut seen = 0;
    for place in 0..PLACES.len() {
        let (Some(x), Some(y)) = (at(a, place), at(b, place)) else {
            continue;
        };
        let (Some(of_a), Some(of_b)) = (slack(a, places_a, place, x), slack(b, places_b, place, y))
        else {
            return false;
        };
        let most = of_a.max(of_b).min(tolerance * x.abs());
        if (x - y).abs() > most * (1.0 + WHOLE) {
            return false;
        }
        seen += 1;
    }
    seen * 2 > PLACES.len()
}

/// The decimal places with which the decimal number `at` of an expression was written, as far as its value shows.
fn places_of(expr: &Expr, at: usize) -> Option<i32> {
    let mut places = None;
    let mut next = 0;
    expr.map(&mut |e| {
        if is_decimal(&e) {
            if next == at
                && let Expr::Number(value) = &e
            {
                places = shortest(value);
            }
            next += 1;
        }
        e
    });
    places
}

/// The least number of decimal places that hold the value.
fn shortest(value: &BigRational) -> Option<i32> {
    let ten = BigRational::from_integer(10.into());
    let mut scaled = value.clone();
    for places in 0..=MOST_PLACES {
        if scaled.is_integer() {
            return Some(places);
        }
        scaled *= &ten;
    }
    None
}

/// Numbers with more decimal places are fractions.
const MOST_PLACES: i32 = 12;

/// A whole number, also where only its value shows it: the root of 16.
fn is_whole(expr: &Expr, fuel: &Fuel) -> bool {
    let is_close = |value: f64| {
        let nearest = value.round();
        nearest != 0.0 && value.abs() < LARGEST && (value - nearest).abs() < WHOLE
    };
    is_integer(expr, fuel) || constant(expr, fuel).is_some_and(is_close)
}

/// By which share of itself the value may be wrong if each decimal in it is rounded: in `7.44 \times 10^{-4}` as much
/// as in `7.44`. None where no decimal is written, or so many that they are no rounding of one number.
fn slack(scalar: &Scalar, counts_whole: bool, fuel: &Fuel) -> Option<f64> {
    let is_whole = counts_whole && is_integer(&scalar.expr, fuel);
    if is_whole {
        return Some(0.5 / constant(&scalar.expr, fuel)?.abs());
    }
    let places = i32::try_from(scalar.places?).ok()?;
    let half = 0.5 * 10f64.powi(-places);
    let value = constant(&scalar.expr, fuel)?;
    let count = count_decimals(&scalar.expr);
    if value == 0.0 || !(1..=MOST_DECIMALS).contains(&count) {
        return None;
    }
    let mut slack = 0.0;
    for at in 0..count {
        let moved = constant(&with_moved(&scalar.expr, at, half)?, fuel)?;
        slack += (moved - value).abs();
    }
    Some(slack / value.abs())
}

/// Whether it is a number that is not whole: as no fraction is one number, it was written with a decimal point.
fn is_decimal(expr: &Expr) -> bool {
    matches!(expr, Expr::Number(value) if !value.is_integer())
}

fn count_decimals(expr: &Expr) -> usize {
    let mut count = 0;
    expr.map(&mut |e| {
        count += usize::from(is_decimal(&e));
        e
    });
    count
}

/// The expression with its decimal number `at` made larger.
fn with_moved(expr: &Expr, at: usize, by: f64) -> Option<Expr> {
    let by = BigRational::from_float(by)?;
    let mut next = 0;
    Some(expr.map(&mut |e| match e {
        Expr::Number(value) if !value.is_integer() => {
            next += 1;
            Expr::Number(if next == at + 1 { value + &by } else { value })
        }
        other => other,
    }))
}

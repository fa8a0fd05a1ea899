//! How far a rounded number may be from the value it stands for.
//!
//! Rounding is forgiven where it shows: one side has a decimal point. A whole number is never approximated. A decimal
//! reference was rounded by whoever wrote it, or is exact; either way it knows its places, and a number that differs
//! in them is another one, however close.

use crate::answer::{
    evaluate::{constant, is_integer},
    value::Scalar,
    value::expr::Expr,
    value::fuel::Fuel,
};

/// What rounding errors of the evaluation may leave of a whole number.
const WHOLE: f64 = 1e-9;

/// Larger numbers in floating point are not known to [`WHOLE`].
const LARGEST: f64 = 1e6;

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
    readings.iter().any(|(a, b)| {
        let (Some(a), Some(b)) = (constant(a, fuel), constant(b, fuel)) else {
            return false;
        };
        (a - b).abs() <= tolerance * a.abs()
            && (places(gold).is_none()
                || rounds_to(a, b, gold, fuel)
                || rounds_to(b, a, given, fuel))
    })
}

/// A whole number, also where only its value shows it: the root of 16.
fn is_whole(expr: &Expr, fuel: &Fuel) -> bool {
    let is_close = |value: f64| {
        let nearest = value.round();
        nearest != 0.0 && value.abs() < LARGEST && (value - nearest).abs() < WHOLE
    };
    is_integer(expr, fuel) || constant(expr, fuel).is_some_and(is_close)
}

/// The decimal places of a number that is written in digits alone; none of a whole one.
fn places(scalar: &Scalar) -> Option<usize> {
    let magnitude = match &scalar.expr {
        Expr::Negative(inner) => inner,
        expr => expr,
    };
    match magnitude {
        Expr::Number(value) => scalar.places.or(value.is_integer().then_some(0)),
        _ => None,
    }
}

/// Whether `value` gives `rounded`, which is written as `scalar`, in the places of it. Both are readings of the same
/// kind, so that their ratio is that of the numbers as written.
fn rounds_to(rounded: f64, value: f64, scalar: &Scalar, fuel: &Fuel) -> bool {
    let (Some(places), Some(written)) = (places(scalar), constant(&scalar.expr, fuel)) else {
        return false;
    };
    let half = 0.5 * 10f64.powi(-i32::try_from(places).unwrap_or(i32::MAX));
    ((value / rounded - 1.0) * written).abs() <= half * (1.0 + WHOLE)
}

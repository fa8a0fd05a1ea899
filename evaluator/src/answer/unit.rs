//! Units of measurement.

use num_rational::BigRational;

/// What a unit measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dimension {
    Length,
    Area,
    Volume,
    Mass,
    Time,
    Speed,
    Money,
}

/// A unit that can be converted: what it measures and how many base units it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Unit {
    pub dimension: Dimension,
    /// Numerator and denominator of the size in base units: exact, so that conversion is.
    pub size: (i64, i64),
}

impl Unit {
    /// How many of `other` it is.
    pub fn in_terms_of(self, other: Self) -> BigRational {
        let size = |unit: Self| BigRational::new(unit.size.0.into(), unit.size.1.into());
        size(self) / size(other)
    }
}

/// Names of convertible units, singular.
const UNITS: [(&[&str], Dimension, (i64, i64)); 27] = [
    (
        &["mm", "millimeter", "millimetre"],
        Dimension::Length,
        (1, 1000),
    ),
    (
        &["cm", "centimeter", "centimetre"],
        Dimension::Length,
        (1, 100),
    ),
    (&["m", "meter", "metre"], Dimension::Length, (1, 1)),
    (
        &["km", "kilometer", "kilometre"],
        Dimension::Length,
        (1000, 1),
    ),
    (&["in", "inch", "inche"], Dimension::Length, (254, 10_000)),
    (&["ft", "foot", "feet"], Dimension::Length, (3048, 10_000)),
    (&["yd", "yard"], Dimension::Length, (9144, 10_000)),
    (&["mi", "mile"], Dimension::Length, (1_609_344, 1000)),
    (&["cm^2", "square centimeter"], Dimension::Area, (1, 10_000)),
    (&["m^2", "square meter"], Dimension::Area, (1, 1)),
    (
        &["km^2", "square kilometer"],
        Dimension::Area,
        (1_000_000, 1),
    ),
    (
        &["cm^3", "cubic centimeter", "ml", "milliliter"],
        Dimension::Volume,
        (1, 1_000_000),
    ),
    (&["l", "liter", "litre"], Dimension::Volume, (1, 1000)),
    (&["m^3", "cubic meter"], Dimension::Volume, (1, 1)),
    (&["mg", "milligram"], Dimension::Mass, (1, 1_000_000)),
    (&["g", "gram"], Dimension::Mass, (1, 1000)),
    (&["kg", "kilogram"], Dimension::Mass, (1, 1)),
    (&["lb", "pound"], Dimension::Mass, (45_359_237, 100_000_000)),
    (&["s", "sec", "second"], Dimension::Time, (1, 1)),
    (&["min", "minute"], Dimension::Time, (60, 1)),
    (&["h", "hr", "hour"], Dimension::Time, (3600, 1)),
    (&["day"], Dimension::Time, (86_400, 1)),
    (&["week"], Dimension::Time, (604_800, 1)),
    (
        &["km/h", "kmph", "kilometers per hour"],
        Dimension::Speed,
        (10, 36),
    ),
    (&["m/s", "meters per second"], Dimension::Speed, (1, 1)),
    (&["cent"], Dimension::Money, (1, 100)),
    (&["dollar", "usd"], Dimension::Money, (1, 1)),
];

/// The convertible unit of this name, singular or plural, with or without spaces round it.
pub(super) fn named(name: &str) -> Option<Unit> {
    let name = name.trim().trim_end_matches('.').to_lowercase();
    let singular = name.strip_suffix('s').filter(|rest| !rest.is_empty());
    UNITS
        .iter()
        .find(|(names, ..)| {
            names.contains(&name.as_str()) || singular.is_some_and(|s| names.contains(&s))
        })
        .map(|&(_, dimension, size)| Unit { dimension, size })
}

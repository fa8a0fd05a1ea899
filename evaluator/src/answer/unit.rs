//! Units of measurement, and products and powers of them: `km`, `square feet`, `m/s^2`, `dollars per hour`.

use num_rational::BigRational;
use num_traits::{One, pow};

/// The powers of metre, kilogram, second and dollar that a unit is made of.
type Dimension = [i8; 4];

const LENGTH: Dimension = [1, 0, 0, 0];
const VOLUME: Dimension = [3, 0, 0, 0];
const MASS: Dimension = [0, 1, 0, 0];
const TIME: Dimension = [0, 0, 1, 0];
const SPEED: Dimension = [1, 0, -1, 0];
const MONEY: Dimension = [0, 0, 0, 1];

/// Higher powers are no unit of anything.
const HIGHEST_POWER: i8 = 4;

/// A unit that can be converted: what it measures and how many base units it is, exactly.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unit {
    dimension: Dimension,
    size: BigRational,
}

impl Unit {
    /// Whether both measure the same, so that one can be converted into the other.
    pub fn is_like(&self, other: &Self) -> bool {
        self.dimension == other.dimension
    }

    /// How many of `other` it is.
    pub fn in_terms_of(&self, other: &Self) -> BigRational {
        &self.size / &other.size
    }

    fn times(self, other: &Self, power: i8) -> Option<Self> {
        let mut dimension = self.dimension;
        for (mine, theirs) in std::iter::zip(&mut dimension, other.dimension) {
            *mine += theirs * power;
        }
        let factor = pow(other.size.clone(), usize::from(power.unsigned_abs()));
        let factor = if power < 0 { factor.recip() } else { factor };
        let is_usual = dimension.iter().all(|power| power.abs() <= HIGHEST_POWER);
        is_usual.then(|| Self {
            dimension,
            size: self.size * factor,
        })
    }
}

/// The names of simple units, singular, what they measure, and their size in base units as numerator and
/// denominator.
const UNITS: [(&[&str], Dimension, (i64, i64)); 29] = [
    (&["mm", "millimeter", "millimetre"], LENGTH, (1, 1000)),
    (&["cm", "centimeter", "centimetre"], LENGTH, (1, 100)),
    (&["dm", "decimeter", "decimetre"], LENGTH, (1, 10)),
    (&["m", "meter", "metre"], LENGTH, (1, 1)),
    (&["km", "kilometer", "kilometre"], LENGTH, (1000, 1)),
    (&["in", "inch", "inche"], LENGTH, (254, 10_000)),
    (&["ft", "foot", "feet"], LENGTH, (3048, 10_000)),
    (&["yd", "yard"], LENGTH, (9144, 10_000)),
    (&["mi", "mile"], LENGTH, (1_609_344, 1000)),
    (&["ml", "milliliter", "millilitre"], VOLUME, (1, 1_000_000)),
    (&["l", "liter", "litre"], VOLUME, (1, 1000)),
    (&["mg", "milligram"], MASS, (1, 1_000_000)),
    (&["g", "gram"], MASS, (1, 1000)),
    (&["kg", "kilogram"], MASS, (1, 1)),
    (&["ton", "tonne"], MASS, (1000, 1)),
    (&["lb", "pound"], MASS, (45_359_237, 100_000_000)),
    (&["oz", "ounce"], MASS, (45_359_237, 1_600_000_000)),
    (&["ms", "millisecond"], TIME, (1, 1000)),
    (&["s", "sec", "second"], TIME, (1, 1)),
    (&["min", "minute"], TIME, (60, 1)),
    (&["h", "hr", "hour"], TIME, (3600, 1)),
    (&["day"], TIME, (86_400, 1)),
    (&["week"], TIME, (604_800, 1)),
    (&["year", "yr"], TIME, (31_556_952, 1)),
    (&["month"], TIME, (2_629_746, 1)),
    (&["kmph", "kph"], SPEED, (10, 36)),
    (&["mph"], SPEED, (1_609_344, 3_600_000)),
    (&["cent", "¢"], MONEY, (1, 100)),
    (&["dollar", "usd", "buck"], MONEY, (1, 1)),
];

/// The unit that `name` spells, singular or plural; `None` for names that cannot be converted.
pub(super) fn named(name: &str) -> Option<Unit> {
    let name = name.trim().trim_end_matches('.').to_lowercase();
    let name = name
        .replace(" per ", "/")
        .replace('²', "^2")
        .replace('³', "^3")
        .replace(['{', '}', '~'], "");
    let mut sides = name.split('/');
    let mut unit = product(sides.next()?)?;
    for divisor in sides {
        unit = unit.times(&product(divisor)?, -1)?;
    }
    Some(unit)
}

/// Units side by side, as in `square feet`, `cm^2`, `kg m`.
fn product(name: &str) -> Option<Unit> {
    let mut product: Option<Unit> = None;
    let mut next_power = 1;
    for factor in name.split([' ', '*', '·', '-']).filter(|f| !f.is_empty()) {
        match factor {
            "square" | "sq" | "sq." => next_power = 2,
            "cubic" => next_power = 3,
            "squared" => product = Some(one().times(&product?, 2)?),
            "cubed" => product = Some(one().times(&product?, 3)?),
            _ => {
                let (base, power) = factor.split_once('^').unwrap_or((factor, "1"));
                let power = power.parse::<i8>().ok().filter(|p| (1..=3).contains(p))?;
                let so_far = product.unwrap_or_else(one);
                product = Some(so_far.times(&simple(base)?, power * next_power)?);
                next_power = 1;
            }
        }
    }
    product.filter(|_| next_power == 1)
}

/// The unit of pure numbers.
fn one() -> Unit {
    Unit {
        dimension: [0; 4],
        size: BigRational::one(),
    }
}

fn simple(name: &str) -> Option<Unit> {
    let singular = name.strip_suffix('s').filter(|rest| !rest.is_empty());
    let (_, dimension, (numerator, denominator)) = UNITS.iter().find(|(names, ..)| {
        names.contains(&name) || singular.is_some_and(|singular| names.contains(&singular))
    })?;
    Some(Unit {
        dimension: *dimension,
        size: BigRational::new((*numerator).into(), (*denominator).into()),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn units_are_made_of_units() {
        for (a, b, ratio) in [
            ("km", "meters", (1000, 1)),
            ("square feet", "ft^2", (1, 1)),
            ("cubic centimeters", "ml", (1, 1)),
            ("kilometers per hour", "m/s", (10, 36)),
            ("km/h", "kmph", (1, 1)),
            ("m/s^2", "m/s²", (1, 1)),
            ("cents per minute", "dollars per hour", (6, 10)),
            ("meters squared", "m^{2}", (1, 1)),
        ] {
            let (a, b) = (named(a).unwrap(), named(b).unwrap());
            assert!(a.is_like(&b));
            let ratio = BigRational::new(ratio.0.into(), ratio.1.into());
            assert_eq!(a.in_terms_of(&b), ratio, "{a:?} {b:?}");
        }
        for name in ["apples", "x", "", "square", "m^9", "per", "^2", "m/x"] {
            assert_eq!(named(name), None, "{name}");
        }
    }
}

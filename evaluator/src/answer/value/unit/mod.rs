//! Units of measurement, and products and powers of them: `km`, `square feet`, `m/s^2`, `dollars per hour`.
//!
//! What can be converted is listed here. Other words behind a number are a unit too, but only like themselves:
//! see [`factor`].

mod table;

use std::borrow::Cow;

use num_rational::BigRational;
use num_traits::{One, pow};
use table::{Dimension, LENGTH, NONE, exactly, physical};

/// Higher powers are no unit of anything.
const HIGHEST_POWER: i8 = 4;

/// A unit that can be converted: what it measures and how many base units it is, exactly.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unit {
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

/// Words with which a unit is another one: `a` as in `5 dollars a day`.
const RATES: [&str; 8] = [
    "per", "a", "an", "square", "sq", "cubic", "squared", "cubed",
];

/// What a number of `given` has to be multiplied by to be a number of `gold`; `None` where the two are different
/// units. Either may be missing, and is then whatever the other is.
///
/// Words that no table has are compared as words, plural or not: `apples` are not `oranges`. Each side may say
/// more than the other, as in `red apples`, unless it makes a rate or an area of it.
pub(crate) fn factor(gold: Option<&str>, given: Option<&str>) -> Option<BigRational> {
    let is_said = |unit: &&str| !is_neutral(unit);
    let (Some(gold), Some(given)) = (gold.filter(is_said), given.filter(is_said)) else {
        return Some(BigRational::one());
    };
    if is_angle(gold) && is_angle(given) || are_of_one_scale(gold, given) {
        return Some(BigRational::one());
    }
    match (named(gold), named(given)) {
        (Some(gold), Some(given)) => gold.is_like(&given).then(|| given.in_terms_of(&gold)),
        _ => same_words(gold, given).then(BigRational::one),
    }
}

/// The sign of per cent, which is the unit of a number that has it.
pub(crate) const PERCENT: &str = "%";

/// The sign of degrees, likewise.
pub(crate) const DEGREES: &str = "°";

/// `radians`, `rad`.
pub(crate) fn is_radians(unit: &str) -> bool {
    matches!(unit, "rad" | "rads" | "radian" | "radians")
}

/// Angles are converted where their values are compared.
fn is_angle(unit: &str) -> bool {
    matches!(unit, DEGREES | "degree" | "degrees" | "deg") || is_radians(unit)
}

/// Whether both are degrees of the same scale of temperature, which one of them need not name.
fn are_of_one_scale(a: &str, b: &str) -> bool {
    match (scale(a), scale(b)) {
        (Some(Some(a)), Some(Some(b))) => a == b,
        (Some(_), Some(_)) => true,
        _ => false,
    }
}

/// Whether it is the sign of degrees of a scale of temperature.
pub(crate) fn is_temperature(unit: &str) -> bool {
    matches!(unit, "°C" | "°F" | "° C" | "° F" | "℃" | "℉")
}

/// The scale of degrees of temperature, where the unit is one and names it.
fn scale(unit: &str) -> Option<Option<char>> {
    if unit == DEGREES {
        return Some(None);
    }
    let words = plain_words(unit.trim_start_matches(DEGREES).trim_start());
    let mut names = words
        .iter()
        .filter(|word| !matches!(word.as_str(), "degree" | "degrees"));
    let scale = match names.next().map(String::as_str) {
        None => None,
        Some("celsius" | "centigrade" | "c") => Some('C'),
        Some("fahrenheit" | "f") => Some('F'),
        Some(_) => return None,
    };
    (!words.is_empty() && names.next().is_none()).then_some(scale)
}

/// `units`, `square units`: what nobody named.
fn is_neutral(unit: &str) -> bool {
    let word = |word: &str| matches!(word, "unit" | "units" | "square" | "sq" | "cubic");
    let letters = |c: char| !c.is_alphabetic();
    unit.contains("unit") && unit.split(letters).filter(|w| !w.is_empty()).all(word)
}

fn same_words(a: &str, b: &str) -> bool {
    let (a, b) = (plain_words(a), plain_words(b));
    let (fewer, more) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let is_in = |word: &str, words: &[String]| words.iter().any(|w| singular(w) == singular(word));
    fewer.iter().all(|word| is_in(word, &more))
        && (more.iter()).all(|word| is_in(word, &fewer) || !RATES.contains(&word.as_str()))
}

/// In lower case and without points.
fn plain_words(unit: &str) -> Vec<String> {
    let plain = |word: &str| word.to_lowercase().replace(['.', ',', '{', '}', '~'], "");
    unit.split_whitespace().map(plain).collect()
}

/// What is left of a word without its plural: enough to compare it.
fn singular(word: &str) -> &str {
    let stem = word.strip_suffix('s').unwrap_or(word);
    stem.strip_suffix('e').unwrap_or(stem)
}

/// The unit that `name` spells, singular or plural; `None` for names that cannot be converted.
pub(crate) fn named(name: &str) -> Option<Unit> {
    let name = &*spelled(name.trim().trim_end_matches('.'));
    // A sign of multiplication in front makes a factor of it.
    if name.starts_with(['*', '·']) {
        return None;
    }
    // `MeV/c^2` is a mass that is named by its energy.
    if let Some(energy) = name.strip_suffix("/c^2") {
        let light = physical(-2, 0, 2, 0);
        let size = BigRational::one();
        return product(energy)?.times(
            &Unit {
                dimension: light,
                size,
            },
            1,
        );
    }
    let mut sides = name.split('/').map(|side| {
        let inner = side
            .strip_prefix('(')
            .and_then(|side| side.strip_suffix(')'));
        inner.unwrap_or(side)
    });
    let mut unit = product(sides.next()?)?;
    for divisor in sides {
        unit = unit.times(&product(divisor)?, -1)?;
    }
    Some(unit)
}

/// The one spelling of powers, prefixes and rates.
fn spelled(name: &str) -> Cow<'_, str> {
    let is_plain = |c: u8| c.is_ascii() && !matches!(c, b' ' | b'{' | b'}' | b'~');
    if name.bytes().all(is_plain) {
        return Cow::Borrowed(name);
    }
    let name = name
        .replace(" per ", "/")
        .replace('²', "^2")
        .replace('³', "^3")
        .replace("⁻¹", "^-1")
        .replace("⁻²", "^-2")
        .replace("⁻³", "^-3")
        .replace('µ', "μ")
        .replace(['{', '}', '~'], "");
    Cow::Owned(name)
}

/// Units side by side, as in `square feet`, `cm^2`, `m s^-1`.
fn product(name: &str) -> Option<Unit> {
    if let Some(unit) = simple(name.trim()) {
        return Some(unit);
    }
    let mut product: Option<Unit> = None;
    let mut next_power = 1;
    for factor in name.split([' ', '*', '·']).filter(|f| !f.is_empty()) {
        match factor.to_ascii_lowercase().as_str() {
            "square" | "sq" | "sq." => next_power = 2,
            "cubic" => next_power = 3,
            "squared" => product = Some(one().times(&product?, 2)?),
            "cubed" => product = Some(one().times(&product?, 3)?),
            _ => {
                let (base, power) = factor
                    .split_once('^')
                    .or_else(|| length_and_power(factor))
                    .unwrap_or((factor, "1"));
                let power = power
                    .parse::<i8>()
                    .ok()
                    .filter(|p| *p != 0 && p.abs() <= 3)?;
                let so_far = product.unwrap_or_else(one);
                product = Some(so_far.times(&simple(base)?, power * next_power)?);
                next_power = 1;
            }
        }
    }
    product.filter(|_| next_power == 1)
}

/// `cm2`: a length with its power on the line.
fn length_and_power(factor: &str) -> Option<(&str, &str)> {
    let (base, power) = factor.split_at_checked(factor.len().checked_sub(1)?)?;
    let is_length = || simple(base).is_some_and(|unit| unit.dimension == LENGTH);
    (matches!(power, "2" | "3") && is_length()).then_some((base, power))
}

/// The unit of pure numbers.
fn one() -> Unit {
    Unit {
        dimension: NONE,
        size: BigRational::one(),
    }
}

/// A unit by its symbol or name: as it is written first, because `mW` is not `MW`; then in lower case, because
/// many write `KM`.
fn simple(name: &str) -> Option<Unit> {
    let either = |name: &str| exactly(name).or_else(|| exactly(name.strip_suffix('s')?));
    let unit = either(name).or_else(|| either(&name.to_lowercase()))?;
    Some(unit.clone())
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
            ("kJ", "N m", (1000, 1)),
            ("kW", "mW", (1_000_000, 1)),
            ("KM", "kilometres", (1, 1)),
            ("m s^-1", "m/s", (1, 1)),
            ("ohms", "V/A", (1, 1)),
            (r"k\Omega", "ohms", (1000, 1)),
            ("GB", "megabytes", (1000, 1)),
        ] {
            let (a, b) = (named(a).unwrap(), named(b).unwrap());
            assert!(a.is_like(&b));
            let ratio = BigRational::new(ratio.0.into(), ratio.1.into());
            assert_eq!(a.in_terms_of(&b), ratio, "{a:?} {b:?}");
        }
        for name in ["apples", "x", "", "square", "m^9", "per", "^2", "m/x", "as"] {
            assert_eq!(named(name), None, "{name}");
        }
    }

    #[test]
    fn other_units_are_others() {
        let same = |a: &str, b: &str| factor(Some(a), Some(b)) == Some(BigRational::one());
        for (a, b) in [
            ("apples", "red apple"),
            ("boxes", "box"),
            ("p.m.", "PM"),
            ("square units", "cm^2"),
            ("hours", "hours of work"),
        ] {
            assert!(same(a, b), "{a}, {b}");
        }
        for (a, b) in [
            ("apples", "oranges"),
            ("am", "pm"),
            ("km", "apples"),
            ("euro", "dollar"),
            ("N", "J"),
            ("square feet", "feet"),
            ("dollars profit", "dollars loss"),
            ("apples", "apples per day"),
        ] {
            assert_eq!(factor(Some(a), Some(b)), None, "{a}, {b}");
        }
    }
}

//! The units that can be converted: their names, what they measure, and how large they are.

use std::{collections::HashMap, sync::LazyLock};

use num_rational::BigRational;
use num_traits::pow;

use super::Unit;

/// The powers of metre, kilogram, second, ampere, kelvin, mole, byte, dollar, euro, yen, rupee, radian, electron-volt
/// and decibel that a unit is made of. Currencies have no fixed rates, so each is a dimension of its own.
pub(super) type Dimension = [i8; 14];

pub(super) const NONE: Dimension = [0; 14];
pub(super) const LENGTH: Dimension = base(0);
const MASS: Dimension = base(1);
const TIME: Dimension = base(2);
const CURRENT: Dimension = base(3);
const DATA: Dimension = base(6);
const VOLUME: Dimension = physical(3, 0, 0, 0);
const SPEED: Dimension = physical(1, 0, -1, 0);
const FORCE: Dimension = physical(1, 1, -2, 0);
const PRESSURE: Dimension = physical(-1, 1, -2, 0);
const ENERGY: Dimension = physical(2, 1, -2, 0);
const POWER: Dimension = physical(2, 1, -3, 0);
const VOLTAGE: Dimension = physical(2, 1, -3, -1);
const RESISTANCE: Dimension = physical(2, 1, -3, -2);

/// Moles in a volume.
const CONCENTRATION: Dimension = {
    let mut dimension = physical(-3, 0, 0, 0);
    dimension[5] = 1;
    dimension
};

const fn base(index: usize) -> Dimension {
    let mut dimension = NONE;
    dimension[index] = 1;
    dimension
}

/// Made of metre, kilogram, second and ampere.
pub(super) const fn physical(metre: i8, kilogram: i8, second: i8, ampere: i8) -> Dimension {
    let mut dimension = NONE;
    dimension[0] = metre;
    dimension[1] = kilogram;
    dimension[2] = second;
    dimension[3] = ampere;
    dimension
}

/// Names of a unit, singular, what it measures, and its size in base units as numerator and denominator.
type Entry = (&'static [&'static str], Dimension, (i64, i64));

/// Units without prefixes.
const UNITS: [Entry; 42] = [
    (
        &["Å", "angstrom", "ångström", "ångstrom"],
        LENGTH,
        (1, 10_000_000_000),
    ),
    (
        &["gal", "gallon"],
        VOLUME,
        (3_785_411_784, 1_000_000_000_000),
    ),
    (&["bar"], PRESSURE, (100_000, 1)),
    (
        &["mmHg", "mm Hg"],
        PRESSURE,
        (133_322_387_415, 1_000_000_000),
    ),
    (&["M", "molar"], CONCENTRATION, (1000, 1)),
    (&["rad", "radian"], base(11), (1, 1)),
    (&["dB", "decibel"], base(13), (1, 1)),
    (&["cm", "centimeter", "centimetre"], LENGTH, (1, 100)),
    (&["dm", "decimeter", "decimetre"], LENGTH, (1, 10)),
    (&["in", "inch", "inche"], LENGTH, (254, 10_000)),
    (&["ft", "foot", "feet"], LENGTH, (3048, 10_000)),
    (&["yd", "yard"], LENGTH, (9144, 10_000)),
    (&["mi", "mile"], LENGTH, (1_609_344, 1000)),
    (
        &["ly", "light-year", "lightyear"],
        LENGTH,
        (9_460_730_472_580_800, 1),
    ),
    (&["kg", "kilogram", "kilo"], MASS, (1, 1)),
    (&["ton", "tonne"], MASS, (1000, 1)),
    // The pound of money is read as that of weight; no question has both.
    (&["lb", "pound", "£"], MASS, (45_359_237, 100_000_000)),
    (&["oz", "ounce"], MASS, (45_359_237, 1_600_000_000)),
    (
        &["cl", "cL", "centiliter", "centilitre"],
        VOLUME,
        (1, 100_000),
    ),
    (&["dl", "dL", "deciliter", "decilitre"], VOLUME, (1, 10_000)),
    (&["min", "minute"], TIME, (60, 1)),
    (&["h", "hr", "hour"], TIME, (3600, 1)),
    (&["day"], TIME, (86_400, 1)),
    (&["week", "wk"], TIME, (604_800, 1)),
    (&["year", "yr"], TIME, (31_556_952, 1)),
    (&["month"], TIME, (2_629_746, 1)),
    (&["kmph", "kph"], SPEED, (10, 36)),
    (&["mps"], SPEED, (1, 1)),
    (&["mph"], SPEED, (1_609_344, 3_600_000)),
    (&["knot"], SPEED, (1852, 3600)),
    (&["atm", "atmosphere"], PRESSURE, (101_325, 1)),
    (&["kelvin", "K"], base(4), (1, 1)),
    (&["cent", "¢"], base(7), (1, 100)),
    (&["dollar", "usd", "buck", "$"], base(7), (1, 1)),
    (&["euro", "eur", "€"], base(8), (1, 1)),
    (&["yen", "jpy", "¥"], base(9), (1, 1)),
    (&["rupee", "inr", "₹"], base(10), (1, 1)),
    (&["paise", "paisa"], base(10), (1, 100)),
    (&["ha", "hectare"], physical(2, 0, 0, 0), (10_000, 1)),
    (
        &["acre"],
        physical(2, 0, 0, 0),
        (40_468_564_224, 10_000_000),
    ),
    (&["rpm"], physical(0, 0, -1, 0), (1, 60)),
    (&["kgf"], FORCE, (980_665, 100_000)),
];

/// Units that take prefixes: the symbol, whose case counts, before the names, whose case does not.
const PREFIXED: [Entry; 25] = [
    // Not converted into joules, of which it is a number of 27 digits.
    (
        &["eV", "electron-volt", "electronvolt", "electron volt"],
        base(12),
        (1, 1),
    ),
    (&["H", "henry", "henrie"], physical(2, 1, -2, -2), (1, 1)),
    (&["F", "farad"], physical(-2, -1, 4, 2), (1, 1)),
    (&["T", "tesla"], physical(0, 1, -2, -1), (1, 1)),
    (&["Wb", "weber"], physical(2, 1, -2, -1), (1, 1)),
    (&["m", "meter", "metre"], LENGTH, (1, 1)),
    (&["g", "gram", "gramme"], MASS, (1, 1000)),
    (&["s", "sec", "second"], TIME, (1, 1)),
    (&["L", "liter", "litre"], VOLUME, (1, 1000)),
    (&["l", "liter", "litre"], VOLUME, (1, 1000)),
    (&["A", "amp", "ampere"], CURRENT, (1, 1)),
    (&["mol", "mole"], base(5), (1, 1)),
    (&["B", "byte"], DATA, (1, 1)),
    (&["bit", "bit"], DATA, (1, 8)),
    (&["Hz", "hertz"], physical(0, 0, -1, 0), (1, 1)),
    (&["N", "newton"], FORCE, (1, 1)),
    (&["Pa", "pascal"], PRESSURE, (1, 1)),
    (&["J", "joule"], ENERGY, (1, 1)),
    (&["cal", "calorie"], ENERGY, (4184, 1000)),
    (&["Wh", "watt-hour"], ENERGY, (3600, 1)),
    (&["W", "watt"], POWER, (1, 1)),
    (&["V", "volt"], VOLTAGE, (1, 1)),
    (&["Ω", "ohm"], RESISTANCE, (1, 1)),
    (&[r"\Omega", "ohm"], RESISTANCE, (1, 1)),
    // The coulomb; the degree Celsius has its sign.
    (&["C", "coulomb"], physical(0, 0, 1, 1), (1, 1)),
];

/// Symbols and names of prefixes, and the powers of ten that they stand for. `K` is how many write `k`.
const PREFIXES: [(&str, &str, i8); 10] = [
    ("", "", 0),
    ("p", "pico", -12),
    ("n", "nano", -9),
    ("μ", "micro", -6),
    ("m", "milli", -3),
    ("k", "kilo", 3),
    ("K", "kilo", 3),
    ("M", "mega", 6),
    ("G", "giga", 9),
    ("T", "tera", 12),
];

/// Every spelling that the tables make and its unit; of two that share one the earlier counts, and symbols before names.
static SPELLINGS: LazyLock<HashMap<String, Unit>> = LazyLock::new(|| {
    let mut units = HashMap::new();
    let mut add = |spelling: String, entry: &Entry, power: i8| {
        units.entry(spelling).or_insert_with(|| unit(entry, power));
    };
    for entry in &UNITS {
        for name in entry.0 {
            add((*name).to_owned(), entry, 0);
        }
    }
    for (symbol, prefix, power) in PREFIXES {
        for entry in &PREFIXED {
            add(format!("{symbol}{}", entry.0[0]), entry, power);
        }
        for entry in &PREFIXED {
            for name in &entry.0[1..] {
                add(format!("{prefix}{name}"), entry, power);
            }
        }
    }
    units
});

/// The unit that is spelled so to the letter, singular.
pub(super) fn exactly(name: &str) -> Option<&'static Unit> {
    SPELLINGS.get(name)
}

/// An entry's unit with a prefix of this power of ten.
fn unit(entry: &Entry, power: i8) -> Unit {
    let (_, dimension, (numerator, denominator)) = *entry;
    let size = BigRational::new(numerator.into(), denominator.into());
    let ten = BigRational::from_integer(10.into());
    Unit {
        dimension,
        size: size * pow_of(ten, power),
    }
}

fn pow_of(number: BigRational, power: i8) -> BigRational {
    let size = pow(number, usize::from(power.unsigned_abs()));
    if power < 0 { size.recip() } else { size }
}

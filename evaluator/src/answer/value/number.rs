//! Numbers as people write them: signs, thousands separators, decimals, plain fractions, currency,
//! percent, and a unit in words.

use std::fmt;

use num_bigint::BigInt;
use num_rational::{BigRational, Ratio};
use num_traits::{Num, One, pow};

use crate::answer::{value::counted, value::numerals, value::unit, value::words};

/// So many digits fit into 64 bits.
const SHORT_DIGITS: usize = 18;

/// Longer digit strings are compared as text: no answer needs them, and reading them takes quadratic
/// time.
const MOST_DIGITS: usize = 1000;

/// No number in words is longer than this.
const MOST_WORDS: usize = 16;

/// Behind a number in words only that many words are taken for what it counts: more make a sentence.
const MOST_WORDS_COUNTED: usize = 2;

/// A number with what stood beside it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Number {
    /// The exact value, percent not yet divided.
    pub value: BigRational,
    /// A percent sign followed.
    pub percent: bool,
    /// The decimal places that were written, if there was a decimal point: the value may be rounded to them.
    pub places: Option<usize>,
    /// The sign of a currency before it and the words behind it.
    pub unit: Option<String>,
    /// Words stood behind it.
    has_words: bool,
}

impl Number {
    /// Reads `text` as one number, or says that it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = unwrap(text);
        if text.starts_with(|c: char| c.is_ascii_alphabetic())
            && let Some(spelled) = spelled(text)
        {
            return Some(spelled);
        }
        let (negative, text) = sign(text);
        let (currency, text) = strip_currency(text);
        // The sign may stand on either side of the currency: `-$5`, `$-5`.
        let (inner_negative, text) = if negative { (false, text) } else { sign(text) };
        let (digits, rest) = split_digits(text);
        let digits = digits.trim_end_matches(['.', ',']);
        let (magnitude, rest) = match (exponent(rest), split_digits(rest.trim_start())) {
            (Some((power, rest)), _) => (decimal(digits)? * power, rest),
            // A mixed number, `1 1/2`.
            (None, (part, rest))
                if part.contains('/') && digits.bytes().all(|b| b.is_ascii_digit()) =>
            {
                (decimal(digits)? + fraction(part)?, rest)
            }
            _ => (fraction(digits)?, rest),
        };
        let (magnitude, rest) = enlarged(magnitude, rest);
        let value = if negative || inner_negative {
            -magnitude
        } else {
            magnitude
        };
        let number = Self::with_rest(value, rest)?;
        let unit = match (currency, &number.unit) {
            (Some(sign), None) => Some(sign.to_owned()),
            (Some(sign), Some(words)) => Some(format!("{sign} {words}")),
            (None, _) => number.unit.clone(),
        };
        Some(Self {
            places: digits.split_once('.').map(|(_, places)| places.len()),
            unit,
            ..number
        })
    }

    /// A number and what stands behind it, if that can be a unit.
    fn with_rest(value: BigRational, rest: &str) -> Option<Self> {
        let percent = is_percent(rest);
        let unit = rest.trim();
        // A single letter is a variable unless it is known as a unit.
        let is_variable = unit.len() == 1
            && unit.starts_with(|c: char| c.is_ascii_lowercase())
            && unit::named(unit).is_none();
        let is_apart = rest.starts_with(char::is_whitespace);
        let follows = percent
            || unit.is_empty()
            || is_apart && !is_variable && counted::is_unit(unit)
            || !is_apart && counted::is_glued_unit(unit);
        let has_words = !percent && !unit.is_empty();
        follows.then(|| Self {
            value,
            percent,
            places: None,
            unit: has_words.then(|| unit.to_owned()),
            has_words,
        })
    }

    /// Whether the two can be meant as the same number.
    ///
    /// `20%` is both the number of per cent, 20, and the value .2: where only one side has the sign,
    /// either reading counts. Without a sign, 20 is never .2. Units are converted where both are known.
    pub fn agrees(&self, other: &Self) -> bool {
        let Some(factor) = unit::factor(self.unit(), other.unit()) else {
            return false;
        };
        let theirs = &other.value * factor;
        self.value == theirs
            || match (self.percent, other.percent) {
                (true, false) => hundredth(&self.value) == theirs,
                (false, true) => self.value == hundredth(&theirs),
                _ => false,
            }
    }

    /// What it counts, of which per cent is one.
    fn unit(&self) -> Option<&str> {
        if self.percent {
            Some(unit::PERCENT)
        } else {
            self.unit.as_deref()
        }
    }

    /// Whether it is a number and nothing else.
    pub fn is_plain(&self) -> bool {
        !self.percent && !self.has_words
    }
}

fn hundredth(value: &BigRational) -> BigRational {
    value / BigInt::from(100)
}

/// `twelve`, `two thirds`, `seven apples`.
fn spelled(text: &str) -> Option<Number> {
    let words: Vec<&str> = text.split_whitespace().take(MOST_WORDS + 1).collect();
    if words.len() > MOST_WORDS {
        return None;
    }
    let (value, length) = words::leading_number(&words)?;
    let rest = &words[length..];
    if rest.len() > MOST_WORDS_COUNTED {
        return None;
    }
    Number::with_rest(value, &format!(" {}", rest.join(" ")))
}

/// `1.5 million`, `3 quarters`: the value with the word that multiplies it, and what follows.
pub(crate) fn enlarged(value: BigRational, rest: &str) -> (BigRational, &str) {
    let trimmed = rest.trim_start();
    if let Some((size, behind)) = numerals::leading_multiple(trimmed) {
        return (value * BigRational::from_integer(size.into()), behind);
    }
    let (word, behind) = trimmed.split_at(trimmed.find(' ').unwrap_or(trimmed.len()));
    match words::scale(word, &value) {
        Some(size) => (value * size, behind),
        None => (value, rest),
    }
}

/// The digits, points, separators and fraction bars at the start, and the rest.
fn split_digits(text: &str) -> (&str, &str) {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, ',' | '.' | '/');
    text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()))
}

/// The power of ten in `e6`, `E-3`, and what follows it.
fn exponent(text: &str) -> Option<(BigRational, &str)> {
    let (negative, digits) = sign(text.strip_prefix(['e', 'E'])?);
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let exponent: usize = digits[..end].parse().ok().filter(|e| *e <= MOST_DIGITS)?;
    let power = BigRational::from_integer(pow(BigInt::from(10), exponent));
    Some((if negative { power.recip() } else { power }, &digits[end..]))
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the number {}{}",
            self.value,
            if self.percent { " per cent" } else { "" }
        )?;
        match &self.unit {
            Some(unit) => write!(f, " [{unit}]"),
            None => Ok(()),
        }
    }
}

/// Without white space, dollar signs around the whole, and a final full stop.
fn unwrap(text: &str) -> &str {
    let text = text.trim();
    let text = text
        .strip_prefix("**")
        .and_then(|inner| inner.strip_suffix("**"))
        .unwrap_or(text);
    let text = text
        .strip_prefix('$')
        .and_then(|inner| inner.strip_suffix('$'))
        .unwrap_or(text);
    text.trim().trim_end_matches('.').trim_end()
}

fn sign(text: &str) -> (bool, &str) {
    let text = text.trim_start();
    let negative = text
        .strip_prefix(['-', '−', '–'])
        .or_else(|| text.strip_prefix("negative "))
        .or_else(|| text.strip_prefix("minus "));
    if let Some(rest) = negative {
        (true, rest.trim_start())
    } else {
        (false, text.strip_prefix('+').unwrap_or(text).trim_start())
    }
}

/// Without the sign or short name of a currency, and that sign.
fn strip_currency(text: &str) -> (Option<&'static str>, &str) {
    const CURRENCIES: [(&str, &str); 14] = [
        (r"\$", "$"),
        ("$", "$"),
        ("USD", "$"),
        ("US$", "$"),
        ("€", "€"),
        ("EUR", "€"),
        ("£", "£"),
        ("GBP", "£"),
        ("¥", "¥"),
        ("JPY", "¥"),
        ("₹", "₹"),
        ("INR", "₹"),
        ("Rs.", "₹"),
        ("Rs", "₹"),
    ];
    let found = CURRENCIES
        .iter()
        .find_map(|(name, sign)| Some((*sign, text.strip_prefix(name)?)));
    match found {
        Some((sign, text)) => (Some(sign), text.trim_start()),
        None => (None, text.trim_start()),
    }
}

/// `a` or `a/b`.
fn fraction(text: &str) -> Option<BigRational> {
    match text.split_once('/') {
        None => decimal(text),
        Some((numerator, denominator)) => {
            let (numerator, denominator) = (decimal(numerator)?, decimal(denominator)?);
            (denominator != BigRational::default()).then(|| numerator / denominator)
        }
    }
}

/// Digits with an optional point and thousands separators, without a sign; a period of decimals may follow in
/// parentheses.
pub(crate) fn decimal(text: &str) -> Option<BigRational> {
    if let Some((before, period)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let places = before.split_once('.')?.1.len();
        let is_period = !period.is_empty()
            && period.bytes().all(|b| b.is_ascii_digit())
            && period.len() + places <= MOST_DIGITS;
        let repeated = is_period.then(|| BigInt::from_str_radix(period, 10).ok())??;
        // A period of n digits is that many of n nines, after the decimals before it.
        let nines = pow(BigInt::from(10), period.len()) - 1;
        let scale = pow(BigInt::from(10), places);
        let start = decimal(before.strip_suffix('.').unwrap_or(before))?;
        return Some(start + BigRational::new(repeated, nines * scale));
    }
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let whole = without_separators(whole)?;
    if whole.is_empty() && decimals.is_empty()
        || !decimals.bytes().all(|b| b.is_ascii_digit())
        || whole.len() + decimals.len() > MOST_DIGITS
    {
        return None;
    }
    if whole.len() + decimals.len() <= SHORT_DIGITS {
        let short: Ratio<i64> = Ratio::new(
            format!("0{whole}{decimals}").parse().ok()?,
            pow(10, decimals.len()),
        );
        return Some(BigRational::new_raw(
            (*short.numer()).into(),
            (*short.denom()).into(),
        ));
    }
    let digits = BigInt::from_str_radix(&format!("0{whole}{decimals}"), 10).ok()?;
    let scale = match decimals.len() {
        0 => BigInt::one(),
        places => pow(BigInt::from(10), places),
    };
    Some(BigRational::new(digits, scale))
}

/// The digits of `12,345,678`; `None` unless each group after the first has three digits.
fn without_separators(text: &str) -> Option<String> {
    let mut groups = text.split(',');
    let first = groups.next().unwrap_or_default();
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || first.len() > 3 || first.is_empty() || first.starts_with('0') {
            return None;
        }
        digits.push_str(group);
    }
    digits.bytes().all(|b| b.is_ascii_digit()).then_some(digits)
}

pub(crate) fn is_percent(rest: &str) -> bool {
    matches!(
        rest.trim(),
        "%" | r"\%" | "percent" | "per cent" | "percentage" | "pct"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn agrees(a: &str, b: &str) -> bool {
        Number::parse(a).unwrap().agrees(&Number::parse(b).unwrap())
    }

    #[test]
    fn usual_forms_are_the_same_number() {
        for form in [
            "20",
            "20.",
            "20.00",
            "$20",
            "\\$20",
            "$20$",
            "20 dollars",
            "20%",
            "+20",
            " 20 ",
            "€20",
            "40/2",
            "020",
            "20 square feet",
        ] {
            assert!(agrees("20", form), "{form}");
        }
        assert!(agrees("-1234.5", "-$1,234.50"));
        assert!(agrees("0.2", "20%") && agrees("20%", "1/5"));
        assert!(agrees("5kg", "5"));
    }

    #[test]
    fn other_numbers_are_others() {
        for (a, b) in [
            ("18", "-18"),
            ("18", "18.5"),
            ("100", "1"),
            ("20", "0.2"),
            ("1000", "1000.1"),
            ("20%", "30%"),
        ] {
            assert!(!agrees(a, b), "{a} {b}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "",
            ".",
            "-",
            "1,2",
            "12,34",
            "3x",
            "1/0",
            "1/2/3",
            "193 or 196",
            "20 is not it",
            "x",
            "5 or 6",
            "1.2.3",
            "20 not",
        ] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }
}

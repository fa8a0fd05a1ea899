//! Numbers as people write them in text: signs, thousands separators, decimals.

use crate::bytes::first_within;
use crate::maps::HashSet;

/// The number that the whole text is: surrounding white space, one leading currency sign and one trailing `%` or `.`
/// aside. `None` for anything else.
///
/// ```
/// use reward_sdk::prelude::*;
/// assert_eq!(number(" $1,234.50 "), Some(1234.5));
/// assert_eq!(number("-3"), Some(-3.0));
/// assert_eq!(number("3 apples"), None);
/// ```
#[must_use]
pub fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let text = text.strip_suffix(['%', '.']).unwrap_or(text).trim_end();
    let (text, sign) = match text.strip_prefix(['-', '−']) {
        Some(rest) => (rest, -1.0),
        None => (text.strip_prefix('+').unwrap_or(text), 1.0),
    };
    let text = text.strip_prefix(['$', '€', '£']).unwrap_or(text);
    let (text, sign) = match text.strip_prefix('-') {
        Some(rest) if sign > 0.0 => (rest, -1.0),
        _ => (text, sign),
    };
    match unsigned_at(text.as_bytes(), 0) {
        Some((value, end)) if end == text.len() => Some(sign * value),
        _ => None,
    }
}

/// All numbers of a text from left to right.
///
/// `,` belongs to a number only between groups of three digits, `.` only before a digit, and `-` only where it cannot be
/// a subtraction: `5-3` and `5 - 3` are 5 and 3, `x = -3` is -3.
///
/// ```
/// use reward_sdk::prelude::*;
/// let all: Vec<f64> = numbers("$1,250 less 3.5 leaves -2, 7-4.").collect();
/// assert_eq!(all, [1250.0, 3.5, -2.0, 7.0, 4.0]);
/// ```
#[must_use]
pub const fn numbers(text: &str) -> Numbers<'_> {
    Numbers { text, position: 0 }
}

/// The first of the [`numbers`].
#[must_use]
pub fn first_number(text: &str) -> Option<f64> {
    numbers(text).next()
}

/// The last of the [`numbers`].
///
/// ```
/// use reward_sdk::prelude::*;
/// assert_eq!(last_number("2 and 3 make 5."), Some(5.0));
/// ```
#[must_use]
pub fn last_number(text: &str) -> Option<f64> {
    numbers(text).last()
}

/// Share of the distinct numbers of `from` that stand in `within`; 0 where `from` has none.
///
/// ```
/// use reward_sdk::prelude::*;
/// assert_eq!(number_overlap("3 boxes of 12", "3 * 12 = 36"), 1.0);
/// assert_eq!(number_overlap("3 boxes of 12", "3 + 2 = 5"), 0.5);
/// ```
#[must_use]
pub fn number_overlap(from: &str, within: &str) -> f64 {
    let mut missing: HashSet<u64> = numbers(from).map(identity).collect();
    let wanted = missing.len();
    if wanted == 0 {
        return 0.0;
    }
    for there in numbers(within) {
        missing.remove(&identity(there));
    }
    (wanted - missing.len()) as f64 / wanted as f64
}

/// Whether two numbers are equal up to rounding: a difference of at most 1e-6, or 1e-9 of the larger.
///
/// ```
/// use reward_sdk::prelude::*;
/// assert!(nearly_equal(0.1 + 0.2, 0.3));
/// assert!(!nearly_equal(3.0, 3.1));
/// ```
#[must_use]
pub fn nearly_equal(a: f64, b: f64) -> bool {
    (a - b).abs() <= f64::max(1e-6, 1e-9 * a.abs().max(b.abs()))
}

/// `|guess - truth| / |truth|`, at most 1e6, so that a score made from it stays finite; with a truth of 0 it is 0 for a
/// guess of 0 and 1e6 for any other.
///
/// ```
/// use reward_sdk::prelude::*;
/// assert_eq!(relative_error(90.0, 100.0), 0.1);
/// assert_eq!(relative_error(0.0, 0.0), 0.0);
/// ```
#[must_use]
pub fn relative_error(guess: f64, truth: f64) -> f64 {
    const MOST: f64 = 1e6;
    if guess == truth {
        return 0.0;
    }
    let error = (guess - truth).abs() / truth.abs();
    if error < MOST { error } else { MOST }
}

/// Iterator of [`numbers`].
#[derive(Debug, Clone)]
pub struct Numbers<'a> {
    text: &'a str,
    position: usize,
}

impl Iterator for Numbers<'_> {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        let bytes = self.text.as_bytes();
        loop {
            // What begins a number is a digit or a point; `/` lies between them.
            let start = first_within(bytes, self.position, b'.', b'9');
            let first = *bytes.get(start)?;
            if !first.is_ascii_digit() && !is_leading_point(bytes, start) {
                self.position = start + 1;
                continue;
            }
            let (value, end) = unsigned_at(bytes, start)?;
            self.position = end;
            return Some(if has_sign(bytes, start) {
                -value
            } else {
                value
            });
        }
    }
}

/// The unsigned number that starts at `start`, and the position after it: digits with proper thousands separators, then a
/// decimal part; or a decimal part alone.
pub(crate) fn unsigned_at(bytes: &[u8], start: usize) -> Option<(f64, usize)> {
    let mut decimal = Decimal::default();
    let mut at = start;
    while let Some(digit) = digit_at(bytes, at) {
        decimal.push(digit);
        at += 1;
    }
    let leading = at - start;
    if (1..=3).contains(&leading) {
        while bytes.get(at) == Some(&b',') && has_exactly_three_digits(bytes, at + 1) {
            for offset in 1..=3 {
                decimal.push(digit_at(bytes, at + offset)?);
            }
            at += 4;
        }
    }
    if bytes.get(at) == Some(&b'.') && digit_at(bytes, at + 1).is_some() {
        at += 1;
        while let Some(digit) = digit_at(bytes, at) {
            decimal.push_fraction(digit);
            at += 1;
        }
    }
    (at > start).then(|| (decimal.value(), at))
}

/// Number of digits after the decimal point of the number written in `written`.
pub(crate) fn decimals_of(written: &[u8]) -> usize {
    written
        .iter()
        .position(|byte| *byte == b'.')
        .map_or(0, |point| written.len() - point - 1)
}

/// Whether the number that starts at `start` carries a minus sign that cannot be a subtraction.
pub(crate) fn has_sign(bytes: &[u8], start: usize) -> bool {
    let start = if start > 0 && bytes[start - 1] == b'$' {
        start - 1
    } else {
        start
    };
    let Some(before) = start.checked_sub(1) else {
        return false;
    };
    let minus = if bytes[before] == b'-' {
        before
    } else if bytes[..start].ends_with("−".as_bytes()) {
        start - "−".len()
    } else {
        return false;
    };
    let left = &bytes[..minus];
    match left.last() {
        None => true,
        Some(b' ' | b'\t') => {
            let operand = left.iter().rev().find(|byte| !matches!(byte, b' ' | b'\t'));
            !operand.is_some_and(|byte| byte.is_ascii_digit() || *byte == b')')
        }
        Some(byte) => !(byte.is_ascii_alphanumeric() || matches!(byte, b')' | b'-' | b'%')),
    }
}

/// A decimal being read: exact while it has at most 18 digits, which is where text stops being arithmetic.
#[derive(Default)]
struct Decimal {
    mantissa: u64,
    /// Digits that no longer fit the mantissa, before the point.
    dropped: i32,
    /// Digits in the mantissa after the point.
    fraction: i32,
}

impl Decimal {
    const FULL: u64 = 10_u64.pow(18);

    const fn push(&mut self, digit: u8) {
        if self.mantissa < Self::FULL / 10 {
            self.mantissa = self.mantissa * 10 + digit as u64;
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    const fn push_fraction(&mut self, digit: u8) {
        if self.dropped == 0 && self.mantissa < Self::FULL / 10 && self.fraction < 22 {
            self.mantissa = self.mantissa * 10 + digit as u64;
            self.fraction += 1;
        }
    }

    /// Up to 15 digits the quotient of two exact numbers is the correctly rounded value (Clinger's fast path); beyond it is
    /// within an ulp or two. Text with a hundred digits gives a large finite number, never infinity.
    fn value(&self) -> f64 {
        let value = self.mantissa as f64;
        if self.fraction > 0 {
            value / 10_f64.powi(self.fraction)
        } else {
            value * 10_f64.powi(self.dropped.min(280))
        }
    }
}

fn digit_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes
        .get(at)
        .filter(|byte| byte.is_ascii_digit())
        .map(|byte| byte - b'0')
}

fn has_exactly_three_digits(bytes: &[u8], at: usize) -> bool {
    (0..3).all(|offset| digit_at(bytes, at + offset).is_some()) && digit_at(bytes, at + 3).is_none()
}

/// `.5`, but not the point of `1.2.3` or the full stop of `end.5`.
fn is_leading_point(bytes: &[u8], at: usize) -> bool {
    bytes[at] == b'.'
        && digit_at(bytes, at + 1).is_some()
        && !at
            .checked_sub(1)
            .is_some_and(|before| bytes[before].is_ascii_alphanumeric())
}

/// A number as a set member: equal numbers are equal, 0 and -0 too.
fn identity(value: f64) -> u64 {
    (value + 0.0).to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<f64> {
        numbers(text).collect()
    }

    #[test]
    fn separators_decimals_and_signs() {
        assert_eq!(all("1,234,567.89"), [1_234_567.89]);
        assert_eq!(all("1,2,3"), [1.0, 2.0, 3.0]);
        assert_eq!(all("12,34"), [12.0, 34.0]);
        assert_eq!(all("1234,567"), [1234.0, 567.0]);
        assert_eq!(all("1,2345"), [1.0, 2345.0]);
        assert_eq!(all("it is 5. 6 more"), [5.0, 6.0]);
        assert_eq!(all(".5 and 0.25"), [0.5, 0.25]);
        assert_eq!(all("1.2.3"), [1.2, 3.0]);
        assert_eq!(
            all("-3 (-4) x=-5 6 -7 8-9 a-1 --2"),
            [-3.0, -4.0, -5.0, 6.0, 7.0, 8.0, 9.0, 1.0, 2.0]
        );
        assert_eq!(all("−3 and 4 − 5"), [-3.0, 4.0, 5.0]);
        assert_eq!(all("-$5"), [-5.0]);
        assert_eq!(all("é7ü"), [7.0]);
        assert!(all("no digits - . , here").is_empty());
    }

    #[test]
    fn values_are_the_nearest_doubles() {
        for text in [
            "0.1",
            "3.14159",
            "123456.789",
            "0.000001",
            "999999999999999",
            "2.675",
        ] {
            assert_eq!(number(text), text.parse().ok(), "{text}");
        }
    }

    #[test]
    fn whole_text_only() {
        for text in [
            "", "-", "$", ".", "3 apples", "1,23", "1 2", "3-", "--3", "3/4", "$$3", "-$-3",
        ] {
            assert_eq!(number(text), None, "{text:?}");
        }
        assert_eq!(number("+7."), Some(7.0));
        assert_eq!(number("-$1,000"), Some(-1000.0));
        assert_eq!(number("$-2"), Some(-2.0));
        assert_eq!(number("50%"), Some(50.0));
    }

    #[test]
    fn endless_digits_stay_finite() {
        for text in [
            "9".repeat(10_000),
            format!("0.{}", "7".repeat(10_000)),
            "0".repeat(500),
        ] {
            assert!(number(&text).is_some_and(f64::is_finite));
        }
    }

    #[test]
    fn relative_error_is_capped() {
        assert_eq!(relative_error(1.0, 0.0), 1e6);
        assert_eq!(relative_error(f64::MAX, 1e-300), 1e6);
        assert_eq!(relative_error(f64::NAN, 1.0), 1e6);
    }

    #[test]
    fn overlap_counts_distinct_numbers_once() {
        assert_eq!(number_overlap("5 5 7", "5"), 0.5);
        assert_eq!(number_overlap("none", "5"), 0.0);
    }
}

//! The last number of a text.

use super::statement::{is_denied, unit_behind};
use crate::answer::is_multiple;

/// The last number with the words that make another one of it: `minus` before it, `million` behind it, its unit, or a
/// number that `or` or `and` joins to it; none where the words before it deny it.
pub(super) fn stated(text: &str) -> Option<&str> {
    let number = last(text)?;
    let mut start = text.rfind(number)?;
    let mut end = start + number.len();
    let word = text[end..]
        .split_inclusive(' ')
        .take(2)
        .map(str::len)
        .sum::<usize>();
    let multiple = text[end..end + word].trim_end_matches(|c: char| !c.is_alphabetic());
    if is_multiple(multiple) {
        end += multiple.len();
    } else if let Some(unit) = unit_behind(&text[end..]) {
        end += unit.len();
    }
    if let Some(formula) = around(text, start, end) {
        return Some(formula);
    }
    let before = text[..start].trim_end();
    if is_denied(before) {
        return None;
    }
    if let Some(left) = ["minus", "negative"]
        .iter()
        .find_map(|w| before.strip_suffix(w))
        && !left.trim_end().ends_with(|c: char| c.is_ascii_digit())
    {
        start = left.len();
    }
    if let Some(whole) = mixed(before, number) {
        start = whole;
    }
    if let Some(left) = [" or", " and"]
        .iter()
        .find_map(|word| before.strip_suffix(word))
        .map(str::trim_end)
        && let Some(other) = last(left).filter(|other| left.ends_with(other))
    {
        start = left.len() - other.len();
    }
    Some(&text[start..end])
}

/// The power, ratio or time of day that a number is a part of, as the 2 of `3:2` is, with no white space in it.
fn around(text: &str, start: usize, end: usize) -> Option<&str> {
    let is_joint = |c: char| matches!(c, '^' | '_' | '{');
    let run = text[..start].rsplit(char::is_whitespace).next()?;
    let from = start - run.len();
    let follows_digit = |before: &str| before.ends_with(|c: char| c.is_ascii_digit());
    let is_part = run.ends_with(is_joint) && run.contains(|c: char| c.is_alphanumeric())
        || run.strip_suffix(':').is_some_and(follows_digit);
    if !is_part {
        return None;
    }
    let behind = &text[end..];
    let to = end + behind.find(char::is_whitespace).unwrap_or(behind.len());
    let half = [" AM", " PM", " a.m.", " p.m.", " am", " pm"]
        .iter()
        .find(|half| text[to..].starts_with(**half));
    let whole = &text[from..to + half.map_or(0, |half| half.len())];
    Some(whole.trim_end_matches(['.', ',', ';', '!', '?']))
}

/// Where `1 1/2` begins, if `number` is the fraction and its whole number stands before it.
fn mixed(before: &str, number: &str) -> Option<usize> {
    let whole = last(before).filter(|whole| before.ends_with(whole))?;
    let is_whole = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    let (numerator, denominator) = number.split_once('/')?;
    [whole, numerator, denominator]
        .into_iter()
        .all(is_whole)
        .then(|| before.len() - whole.len())
}

/// The last number, with its sign, thousands separators, decimals and the parts of a plain fraction.
///
/// A minus sign belongs to the number unless something stands directly before it that it could be
/// subtracted from, as in `7-3`.
pub(super) fn last(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let last_digit = bytes.iter().rposition(u8::is_ascii_digit)?;
    let end = last_digit + 1;
    let mut start = number_start(bytes, end);
    // `3/4` is one number; `km/4` is not.
    if start > 1 && bytes[start - 1] == b'/' && bytes[start - 2].is_ascii_digit() {
        start = number_start(bytes, start - 1);
    }
    if let Some(comma) = decimal_comma(text, start, end) {
        start = number_start(bytes, comma);
    }
    if start > 0 && matches!(bytes[start - 1], b'-' | b'+') {
        let before = bytes[..start - 1].last();
        let binary = before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b')' | b'}'));
        if !binary {
            start -= 1;
        }
    }
    let percent = bytes.get(end) == Some(&b'%');
    Some(&text[start..end + usize::from(percent)])
}

/// The comma before two decimals of a price: `2,74 €`.
fn decimal_comma(text: &str, start: usize, end: usize) -> Option<usize> {
    let is_price = text[end..].trim_start().starts_with(['$', '€', '£']);
    let comma = start.checked_sub(1)?;
    let bytes = text.as_bytes();
    let follows_digit = comma > 0 && bytes[comma - 1].is_ascii_digit();
    (is_price && end - start == 2 && bytes[comma] == b',' && follows_digit).then_some(comma)
}

/// Where the digits, points and separators that end at `end` begin.
fn number_start(bytes: &[u8], end: usize) -> usize {
    let mut start = end;
    while start > 0 {
        let belongs = match bytes[start - 1] {
            b'0'..=b'9' => true,
            // A point belongs to the digit after it, and only one can stand in a number.
            b'.' => bytes[start].is_ascii_digit() && !bytes[start..end].contains(&b'.'),
            b',' => separates_thousands(bytes, start - 1, end),
            _ => false,
        };
        if !belongs {
            break;
        }
        start -= 1;
    }
    start
}

/// A comma between a digit and exactly three digits before the next separator, point or end.
fn separates_thousands(bytes: &[u8], comma: usize, end: usize) -> bool {
    let after = &bytes[comma + 1..end];
    let group = after.iter().take_while(|b| b.is_ascii_digit()).count();
    let before = comma.checked_sub(1).map(|i| bytes[i]);
    group == 3
        && matches!(after.get(3), None | Some(b',' | b'.'))
        && before.is_some_and(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_is_whole() {
        let cases = [
            ("x = 5, so 18", "18"),
            ("it is -18.", "-18"),
            ("that leaves 7-3", "3"),
            ("costs $1,234.50 now", "1,234.50"),
            ("1,2,3", "3"),
            ("12,345", "12,345"),
            ("1.2.34", "2.34"),
            ("about 3/4 of it", "3/4"),
            ("20% off", "20%"),
            (".5", ".5"),
            ("it costs 2,74 € now", "2,74"),
            ("points 2,74", "74"),
        ];
        for (text, expected) in cases {
            assert_eq!(last(text), Some(expected), "{text}");
        }
        assert_eq!(last("none"), None);
    }

    #[test]
    fn a_part_of_a_formula_is_not_cut_out() {
        for (text, expected) in [
            ("It takes 1 1/2 cups.", "1 1/2"),
            ("The ratio is 3:2.", "3:2"),
            ("It is 2^{10}.", "2^{10}"),
            ("They meet at 2:30 PM.", "2:30 PM"),
            ("The length is 12 m.", "12 m"),
            ("The solutions are 3 and 4.", "3 and 4"),
            ("Total:5", "5"),
            ("so: 5", "5"),
        ] {
            assert_eq!(stated(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn long_digits_are_read_in_linear_time() {
        let text = "1,".repeat(300_000) + "5";
        assert_eq!(last(&text), Some("5"));
        let text = "9".repeat(1_000_000);
        assert_eq!(last(&text), Some(text.as_str()));
    }
}

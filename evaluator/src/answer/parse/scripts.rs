//! Digits of other scripts, and separators of other countries.

use std::borrow::Cow;

use crate::answer::value::numerals;

/// The zeros of scripts whose ten digits follow each other: Arabic, Persian, Devanagari, Bengali, Thai, full-width.
const ZEROS: [char; 6] = [
    '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{e50}', '\u{ff10}',
];

/// The first and the last of the digits in the fonts of mathematics, which come round every ten.
const FONTS: (char, char) = ('\u{1d7ce}', '\u{1d7ff}');

/// The text with its digits in ASCII.
pub(crate) fn with_plain_digits(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.contains(|c| plain_digit(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let plain = text.chars().map(|c| match (c, plain_digit(c)) {
        ('\u{66b}', _) => '.',
        (_, Some(digit)) => digit,
        (c, None) => c,
    });
    Cow::Owned(plain.collect())
}

/// The text with its digits in ASCII, and with the number in Chinese characters that it begins with in figures.
pub(crate) fn with_plain_numerals(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let plain = with_plain_digits(text);
    match numerals::with_figures(plain.trim_start()) {
        Some(figures) => Cow::Owned(figures),
        None => plain,
    }
}

fn plain_digit(c: char) -> Option<char> {
    if c.is_ascii() {
        return None;
    }
    let value = ZEROS.iter().find_map(|zero| {
        let above = u32::from(c).checked_sub(u32::from(*zero))?;
        (above < 10).then_some(above)
    });
    let in_font = (FONTS.0..=FONTS.1)
        .contains(&c)
        .then(|| (u32::from(c) - u32::from(FONTS.0)) % 10);
    char::from_digit(value.or(in_font)?, 10)
}

/// A number as other countries separate it, without separators: `23,45,678`, `7'400`, `1.234.567,89`.
pub(crate) fn without_foreign_separators(text: &str) -> Option<String> {
    let digits = |group: &&str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit());
    let of_three = |groups: &[&str]| groups.iter().all(|group| group.len() == 3);
    let text = text.trim();
    if !text.starts_with(|c: char| ('1'..='9').contains(&c)) {
        return None;
    }
    let groups: Vec<&str> = text.split(['\'', '\u{2019}']).collect();
    if groups.len() > 1
        && groups.iter().all(digits)
        && of_three(&groups[1..])
        && groups[0].len() <= 3
    {
        return Some(groups.concat());
    }
    let groups: Vec<&str> = text.split(',').collect();
    if let [first, pairs @ .., last] = &groups[..]
        && groups.iter().all(digits)
        && !pairs.is_empty()
        && first.len() <= 2
        && pairs.iter().all(|group| group.len() == 2)
        && last.len() == 3
    {
        return Some(groups.concat());
    }
    let (whole, decimals) = text.split_once(',').unwrap_or((text, "0"));
    let groups: Vec<&str> = whole.split('.').collect();
    let is_grouped = groups.len() > 2 || groups.len() == 2 && text.contains(',');
    let are_groups = groups.iter().all(digits) && of_three(&groups[1..]) && groups[0].len() <= 3;
    (is_grouped && are_groups && digits(&decimals))
        .then(|| format!("{}.{decimals}", groups.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_other_countries_are_read() {
        for (text, expected) in [
            ("23,45,678", Some("2345678")),
            ("7'400", Some("7400")),
            ("1.234.567,89", Some("1234567.89")),
            ("1.234,5", Some("1234.5")),
            ("1,234", None),
            ("12,34", None),
            ("1.234", None),
            ("7'40", None),
            ("1,2,345", None),
        ] {
            assert_eq!(
                without_foreign_separators(text).as_deref(),
                expected,
                "{text}"
            );
        }
        assert_eq!(with_plain_digits("٣٧ and ３"), "37 and 3");
    }
}

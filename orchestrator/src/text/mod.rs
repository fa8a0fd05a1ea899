//! How figures are written, and how foreign text is made fit to be shown.

pub mod nearest;
pub(crate) mod template;

use evaluator::Estimate;

/// A share to three places, as `0.512`.
pub(crate) fn share(value: f64) -> String {
    format!("{value:.3}")
}

/// An interval to three places, as `[0.480, 0.544]`.
pub(crate) fn interval(estimate: &Estimate) -> String {
    format!(
        "[{:.3}, {:.3}]",
        estimate.interval.lower, estimate.interval.upper
    )
}

/// A p-value to three places, small ones in powers of ten.
pub(crate) fn probability(p: f64) -> String {
    if p < 0.001 {
        format!("{p:.0e}")
    } else {
        format!("{p:.3}")
    }
}

/// A number of things: `1 draft`, `2 drafts`.
pub(crate) fn counted(n: usize, thing: &str) -> String {
    match n {
        1 => format!("1 {thing}"),
        n => format!("{n} {thing}s"),
    }
}

/// What is wrong with the JSON of one line of a file, whose number is told elsewhere: serde counts every text from line 1.
pub(crate) fn of_one_line(error: &serde_json::Error) -> String {
    let told = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match told.strip_suffix(&place) {
        Some(what) if error.line() <= 1 => format!("{what} (column {})", error.column()),
        _ => told,
    }
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Foreign text made safe for a terminal: one line, no control characters, cut at `width`.
pub(crate) fn one_line(text: &str, width: usize) -> String {
    let clean: String = text
        .chars()
        .map(|c| if sandbox::may_be_shown(c) { c } else { ' ' })
        .collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    match clean.char_indices().nth(width) {
        Some((cut, _)) => format!("{}…", &clean[..cut]),
        None => clean,
    }
}

/// Foreign text of several lines without control characters.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .filter(|&c| c == '\n' || c == '\t' || sandbox::may_be_shown(c))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn foreign_text_cannot_move_the_cursor() {
        assert_eq!(one_line("a\x1b[31m\r\nb   c", 80), "a [31m b c");
        assert_eq!(one_line("abcdef", 3), "abc…");
        assert_eq!(one_line("a\u{202e}b", 80), "a b");
        assert_eq!(printable("a\u{2066}\x07b\n"), "ab\n");
    }

    #[test]
    fn a_line_of_json_has_no_line_of_its_own() {
        let error = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_err();
        assert_eq!(
            of_one_line(&error("{\"a\": x}")),
            "expected value (column 7)"
        );
        assert_eq!(
            of_one_line(&error("{\n\n x}")),
            "key must be a string at line 3 column 2"
        );
    }

    #[test]
    fn p_values_are_never_zero() {
        assert_eq!(probability(0.0421), "0.042");
        assert_eq!(probability(3.2e-36), "3e-36");
    }
}

//! Formulae: a last line that is one, and the last one in a text.

use std::borrow::Cow;

use super::{Found, statement::is_denied};

/// Longer texts are no single formula.
const LONGEST: usize = 1000;

/// How formulae are delimited, with `$$` before `$`.
const DELIMITERS: [(&str, &str); 10] = [
    ("$$", "$$"),
    ("$", "$"),
    (r"\(", r"\)"),
    (r"\[", r"\]"),
    (r"\begin{align*}", r"\end{align*}"),
    (r"\begin{align}", r"\end{align}"),
    (r"\begin{equation*}", r"\end{equation*}"),
    (r"\begin{equation}", r"\end{equation}"),
    (r"\begin{gather*}", r"\end{gather*}"),
    (r"\begin{gather}", r"\end{gather}"),
];

/// The last line, if it has no prose in it.
pub(super) fn final_line(completion: &str) -> Found {
    let line = completion
        .trim_end()
        .lines()
        .next_back()
        .unwrap_or_default();
    let has_content = line.contains(|c: char| c.is_alphanumeric()) && !line.starts_with(r"\end{");
    if line.len() > LONGEST || !has_content || has_prose(line) {
        return Found::Nothing;
    }
    Found::text(line)
}

/// The last formula that holds something, unless a number stands in plain text behind it; with those before it that
/// `or` or `and` joins to it.
pub(super) fn last(completion: &str) -> Found {
    let mut rest = completion;
    let mut last: Vec<&str> = Vec::new();
    while let Some((before, formula, after)) = next(rest) {
        if formula.contains(|c: char| c.is_alphanumeric()) {
            match before.trim() {
                "or" => last.push(" or "),
                "and" | ", and" => last.push(", "),
                _ => last.clear(),
            }
            if !is_denied(before) {
                last.push(formula);
            }
        }
        rest = after;
    }
    if rest.contains(|c: char| c.is_ascii_digit()) {
        return Found::Nothing;
    }
    Found::text(&in_one_row(&last.concat()))
}

/// The rows of an aligned working as one: a row that begins with a sign of equality goes on with the one before it.
fn in_one_row(formula: &str) -> Cow<'_, str> {
    if !formula.contains('&') || formula.contains(r"\begin{") {
        return formula.into();
    }
    let plain = formula.replace('&', " ");
    let mut joined = String::with_capacity(plain.len());
    for row in plain
        .split(r"\\")
        .map(str::trim)
        .filter(|row| !row.is_empty())
    {
        if !joined.is_empty() {
            joined.push_str(if row.starts_with('=') { " " } else { r" \\ " });
        }
        joined.push_str(row);
    }
    joined.into()
}

/// What stands before the next formula, the formula, and what follows it.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.match_indices(['$', '\\']).find_map(|(at, _)| {
        let delimiter = DELIMITERS.iter().find(|d| text[at..].starts_with(d.0));
        delimiter.filter(|_| !is_escaped(text, at)).map(|d| (at, d))
    });
    let (at, (open, close)) = start?;
    let inner = &text[at + open.len()..];
    let (end, _) = inner
        .match_indices(close)
        .find(|&(end, _)| !is_escaped(inner, end))?;
    let after = &inner[end + close.len()..];
    // Between the dollars of two prices on different lines stands no formula.
    let spans_lines = matches!(*open, "$" | r"\(") && inner[..end].contains('\n');
    let formula = if spans_lines { "" } else { &inner[..end] };
    Some((&text[..at], formula, after))
}

/// Whether a backslash takes the meaning from what stands at `at`.
fn is_escaped(text: &str, at: usize) -> bool {
    text[..at].bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1
}

/// Whether a character is of a script in which no symbols are written: Chinese, Japanese, Korean, Arabic, Hindi,
/// Cyrillic, Hebrew, Thai.
fn is_of_script(c: char) -> bool {
    matches!(u32::from(c), 0x400..=0x52f | 0x590..=0x6ff | 0x900..=0x9ff | 0xe00..=0xe7f | 0x3040..=0x30ff | 0x3400..=0x9fff | 0xac00..=0xd7af)
}

/// The formula that begins with its delimiter at the start of `text`, over several lines where it is displayed or holds
/// an environment; with those displayed directly behind it.
pub(super) fn opening(text: &str) -> Option<String> {
    let mut formulas: Vec<Cow<'_, str>> = Vec::new();
    let mut rest = text;
    while let Some((open, close)) = DELIMITERS
        .iter()
        .find(|delimiter| rest.starts_with(delimiter.0))
    {
        let inner = &rest[open.len()..];
        let end = inner
            .match_indices(close)
            .map(|(end, _)| end)
            .find(|end| !is_escaped(inner, *end));
        let Some(end) = end else { break };
        let formula = &inner[..end];
        let is_display = !matches!(*open, "$" | r"\(");
        let is_whole = formula.contains('\n') && (is_display || formula.contains(r"\begin{"));
        if !is_whole {
            break;
        }
        formulas.push(in_one_row(formula.trim()));
        rest = inner[end + close.len()..].trim_start();
    }
    (!formulas.is_empty()).then(|| formulas.join(", "))
}

/// Whether words of a language stand outside of commands and `\text{…}`.
pub(super) fn has_prose(text: &str) -> bool {
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if c == '\\' {
            // A command, and the braces after `\text`.
            let command = &text[start + 1..];
            let name = command
                .split(|c: char| !c.is_ascii_alphabetic())
                .next()
                .unwrap_or_default();
            for _ in 0..name.len() {
                chars.next();
            }
            if matches!(
                name,
                "text" | "mbox" | "textbf" | "mathrm" | "begin" | "end"
            ) {
                while chars.next_if(|&(_, c)| c != '}').is_some() {}
            }
        } else if is_of_script(c) {
            return true;
        } else if c.is_ascii_lowercase() {
            let mut length = 1;
            while chars.next_if(|(_, c)| c.is_ascii_lowercase()).is_some() {
                length += 1;
            }
            let word = &text[start..start + length];
            let known = matches!(
                word,
                "or" | "and"
                    | "sin"
                    | "cos"
                    | "tan"
                    | "cot"
                    | "sec"
                    | "log"
                    | "ln"
                    | "sqrt"
                    | "pi"
                    | "sup"
                    | "sub"
            );
            if length > 1 && !known {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulae_are_told_from_prose() {
        for formula in [
            r"\frac{1}{2}",
            "x = 1000, y = 10",
            "AB=4",
            r"\text{if so} 3",
            "(2, 3) or (3, 2)",
        ] {
            assert!(!has_prose(formula), "{formula}");
        }
        for prose in ["I do not know", "5 km", "the", "x is 3"] {
            assert!(has_prose(prose), "{prose}");
        }
    }

    #[test]
    fn the_last_formula_with_content_counts() {
        assert_eq!(
            last(r"first $1$, then \[ 2 \] and $$ $$ end"),
            Found::text("2")
        );
        assert_eq!(last("It is $5$ or $6$."), Found::text("5 or 6"));
        assert_eq!(
            last("The roots are $x = 3$ and $x = 4$."),
            Found::text("x = 3, x = 4")
        );
        assert_eq!(last("costs $5 only"), Found::Nothing);
        assert_eq!(last("so $x$ is 5"), Found::Nothing);
        assert_eq!(last("none"), Found::Nothing);
    }
}

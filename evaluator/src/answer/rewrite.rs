//! Spellings that are more than another word for the same: infix commands, crosses, unions, whole phrases.

/// Infix commands of TeX and the commands that take what stands before and behind them.
const INFIX: [(&str, &str); 2] = [(r"\over", r"\frac"), (r"\choose", r"\binom")];

/// Answers in words, and the signs for them.
const PHRASES: [(&str, &str); 26] = [
    ("no solution", r"\emptyset"),
    ("no solutions", r"\emptyset"),
    ("no solution exists", r"\emptyset"),
    ("no solutions exist", r"\emptyset"),
    ("there is no solution", r"\emptyset"),
    ("there are no solutions", r"\emptyset"),
    ("no real solution", r"\emptyset"),
    ("no real solutions", r"\emptyset"),
    ("there are no real solutions", r"\emptyset"),
    ("no real roots", r"\emptyset"),
    ("empty set", r"\emptyset"),
    ("the empty set", r"\emptyset"),
    ("none", r"\emptyset"),
    ("infinity", r"\infty"),
    ("positive infinity", r"\infty"),
    ("negative infinity", r"-\infty"),
    ("infinite", r"\infty"),
    ("infinitely many", r"\infty"),
    ("infinitely many solutions", r"\infty"),
    ("infinite solutions", r"\infty"),
    ("all integers", r"\mathbb{Z}"),
    ("all rational numbers", r"\mathbb{Q}"),
    ("all complex numbers", r"\mathbb{C}"),
    ("all natural numbers", r"\mathbb{N}"),
    ("all positive integers", r"\mathbb{Z}^+"),
    ("half", r"\frac{1}{2}"),
];

/// The sign for an answer that is one phrase, with or without the command that sets it as text.
pub(super) fn phrase(text: &str) -> Option<&'static str> {
    let inner = text
        .strip_prefix(r"\text{")
        .and_then(|inner| inner.strip_suffix('}'))
        .unwrap_or(text);
    let plain = inner.trim().trim_end_matches('.').to_lowercase();
    PHRASES
        .iter()
        .find(|(words, _)| *words == plain)
        .map(|(_, sign)| *sign)
}

/// With the infix commands as ordinary ones, a cross between two numbers as a product, and a `U` between two brackets
/// as a union.
pub(super) fn rewritten(text: &str) -> String {
    let mut text = text.to_owned();
    for (infix, command) in INFIX {
        while let Some(plain) = without_infix(&text, infix, command) {
            text = plain;
        }
    }
    let text = between(&text, 'x', char_is_digit, char_is_digit, r"\times ");
    between(
        &text,
        'U',
        |c| matches!(c, ')' | ']'),
        |c| matches!(c, '(' | '['),
        r"\cup ",
    )
}

fn char_is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// `{a \over b}` as `\frac{a}{b}`, for the first such command.
fn without_infix(text: &str, infix: &str, command: &str) -> Option<String> {
    let at = text
        .match_indices(infix)
        .map(|(at, _)| at)
        .find(|at| !text[at + infix.len()..].starts_with(|c: char| c.is_ascii_alphabetic()))?;
    let (before, after) = (&text[..at], &text[at + infix.len()..]);
    let open = unmatched(before.char_indices().rev(), '}', '{');
    let close = unmatched(after.char_indices(), '{', '}');
    let (start, end) = match (open, close) {
        (Some(open), Some(close)) => (open + 1, close),
        (None, None) => (0, after.len()),
        _ => return None,
    };
    Some(format!(
        "{}{command}{{{}}}{{{}}}{}",
        &before[..start],
        &before[start..],
        &after[..end],
        &after[end..]
    ))
}

/// Where the first brace stands that `deeper` has not opened.
fn unmatched(
    chars: impl Iterator<Item = (usize, char)>,
    deeper: char,
    wanted: char,
) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in chars {
        if c == deeper {
            depth += 1;
        } else if c == wanted {
            if depth == 0 {
                return Some(at);
            }
            depth -= 1;
        }
    }
    None
}

/// With `sign` for a lone `letter` between characters that white space may keep apart from it; where both are digits there
/// must be some.
fn between(
    text: &str,
    letter: char,
    is_before: impl Fn(char) -> bool,
    is_behind: impl Fn(char) -> bool,
    sign: &str,
) -> String {
    if !text.contains(letter) {
        return text.to_owned();
    }
    let mut whole = String::with_capacity(text.len() + sign.len());
    for (at, c) in text.char_indices() {
        let (before, after) = (&text[..at], &text[at + c.len_utf8()..]);
        let is_apart = letter != 'x' || before.ends_with(' ') && after.starts_with(' ');
        let joins = c == letter
            && is_apart
            && before.trim_end().ends_with(&is_before)
            && after.trim_start().starts_with(&is_behind);
        if joins {
            whole.push_str(sign);
        } else {
            whole.push(c);
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infix_commands_crosses_and_unions_are_rewritten() {
        for (text, expected) in [
            (r"{3\over 4}", r"{\frac{3}{ 4}}"),
            (r"1 \over 2", r"\frac{1 }{ 2}"),
            (r"{{a\over b}+1 \over c}", r"{\frac{{\frac{a}{ b}}+1 }{ c}}"),
            (r"{10 \choose 3}", r"{\binom{10 }{ 3}}"),
            (r"\overline{AB}", r"\overline{AB}"),
            ("3 x 10^8", r"3 \times  10^8"),
            ("3x 10", "3x 10"),
            ("(1,2] U [3,4)", r"(1,2] \cup  [3,4)"),
            ("U = (1,2)", "U = (1,2)"),
        ] {
            assert_eq!(rewritten(text), expected, "{text}");
        }
    }

    #[test]
    fn a_phrase_is_the_whole_answer() {
        assert_eq!(phrase(r"\text{No solutions exist.}"), Some(r"\emptyset"));
        assert_eq!(phrase("none of these"), None);
    }
}

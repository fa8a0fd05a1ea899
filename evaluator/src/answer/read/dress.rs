//! What stands round an answer and is no part of it: quotation marks, emphasis, tags, arrows, pictures, remarks.

use num_rational::BigRational;

use crate::answer::{
    evaluate::equal,
    parse::{clean, expression, token},
    value::{expr::Expr, fuel::Fuel, number::Number},
};

/// What opens and closes round a whole answer.
const PAIRS: [(&str, &str); 17] = [
    ("`", "`"),
    ("**", "**"),
    ("__", "__"),
    ("*", "*"),
    ("\"", "\""),
    ("'", "'"),
    ("\u{201c}", "\u{201d}"),
    ("\u{2018}", "\u{2019}"),
    ("「", "」"),
    ("『", "』"),
    ("«", "»"),
    ("<b>", "</b>"),
    ("<strong>", "</strong>"),
    ("<i>", "</i>"),
    ("<em>", "</em>"),
    ("<p>", "</p>"),
    ("[ANSWER]", "[/ANSWER]"),
];

/// What leads to an answer.
const LEADING: [&str; 10] = [
    "=>",
    "->",
    "→",
    "⇒",
    "⟹",
    "∴",
    "<p>",
    r"\therefore",
    r"\implies",
    r"\Rightarrow",
];

/// What a chat leaves behind an answer.
const TRAILING: [&str; 7] = ["[/INST]", "</p>", "</b>", "<br>", ":)", ":-)", "\u{fe0f}"];

/// Pictures that say no.
const CROSSES: [char; 6] = ['✗', '✘', '✕', '❌', '❎', '🚫'];

/// A gold answer without `about` before its number, and without what only says it again: `5 (five)`,
/// `\frac{2}{3} (or equivalent)`.
pub(crate) fn without_aside(text: &str) -> &str {
    let hedges = ["about ", "approximately ", "approx. "];
    if let Some(number) = hedges.iter().find_map(|hedge| text.strip_prefix(hedge)) {
        return if Number::parse(number).is_some() {
            number
        } else {
            text
        };
    }
    let Some((before, aside)) = text
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once(" ("))
    else {
        return text;
    };
    let words = aside.strip_prefix(r"\text{").unwrap_or(aside);
    let is_again = match (Number::parse(before), Number::parse(aside)) {
        (Some(number), Some(again)) => {
            aside.starts_with(|c: char| c.is_ascii_alphabetic()) && number.agrees(&again)
        }
        _ => false,
    };
    if is_again || words.starts_with("or ") || words == "approx" {
        before
    } else {
        text
    }
}

/// A given answer without what stands round it, and without a reason in brackets behind it: `29 (since 30-1=29)`.
pub(crate) fn without_dress(text: &str) -> &str {
    let mut bare = text.trim();
    loop {
        let before = bare.len();
        for (open, close) in PAIRS {
            let inner = (bare.strip_prefix(open)).and_then(|rest| rest.strip_suffix(close));
            if let Some(inner) = inner.filter(|inner| !inner.contains(open) && !inner.is_empty()) {
                bare = inner.trim();
            }
        }
        if let Some(rest) = LEADING.iter().find_map(|mark| bare.strip_prefix(mark)) {
            bare = rest.trim_start();
        }
        if let Some(rest) = TRAILING.iter().find_map(|mark| bare.strip_suffix(mark)) {
            bare = rest.trim_end();
        }
        bare = bare.trim_end_matches(is_picture).trim_end();
        if bare.len() == before || bare.is_empty() {
            break;
        }
    }
    without_reason(bare)
}

/// A picture or a tick.
fn is_picture(c: char) -> bool {
    let code = u32::from(c);
    let is_one = (0x2600..=0x27bf).contains(&code) || (0x1f300..=0x1faff).contains(&code);
    is_one && !CROSSES.contains(&c)
}

/// Without a reason in brackets, or a working of the same value.
fn without_reason(bare: &str) -> &str {
    let Some((before, aside)) = bare
        .strip_suffix(')')
        .and_then(|inner| inner.split_once(" ("))
    else {
        return bare;
    };
    let is_reason = ["because ", "since ", "as "]
        .iter()
        .any(|word| aside.starts_with(word));
    let offers_more = aside
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| word == "or");
    if is_reason && !offers_more || is_working(before, aside) {
        before
    } else {
        bare
    }
}

/// `17 (8+9)`: the calculation of the same number.
fn is_working(before: &str, aside: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || "+-*/×÷·^. ".contains(c);
    if !aside.contains(['+', '*', '/', '×', '÷', '·']) || !aside.chars().all(is_part) {
        return false;
    }
    let value: Option<BigRational> = Number::parse(before).map(|number| number.value);
    let worked = expression(&token::tokens(&clean::clean(aside), true));
    match (value, worked) {
        (Some(value), Some(worked)) => equal(&Expr::Number(value), &worked, &Fuel::full()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_part_of_the_answer_goes() {
        for (text, bare) in [
            ("`17`", "17"),
            ("**18**", "18"),
            ("“18”", "18"),
            ("<b>18</b>", "18"),
            ("=> 18", "18"),
            ("18 ✅", "18"),
            ("17 (since 8+9=17)", "17"),
            ("17 (8+9)", "17"),
            ("17 (8+8)", "17 (8+8)"),
            ("17 (or 18)", "17 (or 18)"),
            ("18 ❌", "18 ❌"),
            ("2*3*4", "2*3*4"),
            ("f'", "f'"),
            ("\"a\" and \"b\"", "\"a\" and \"b\""),
        ] {
            assert_eq!(without_dress(text), bare, "{text}");
        }
    }
}

//! The ways in which a text can be understood as an answer.

pub(crate) mod answer;
pub(crate) mod choice;
pub(crate) mod clock;
pub(crate) mod conditions;
pub(crate) mod date;
pub(crate) mod dress;
pub(crate) mod enclosed;
mod loose;
pub(crate) mod matrix;
mod named;
pub(crate) mod parts;
pub(crate) mod region;
pub(crate) mod relation;
pub(crate) mod scalar;
pub(crate) mod special;
pub(crate) mod structure;

use crate::answer::{
    parse::clean,
    parse::token::{self, Token},
    value::expr::Expr,
    value::number::{self, Number},
    value::unit,
    value::{Kind, Scalar, Value},
};

/// Longer texts are compared as text only: no final answer is that long.
const LONGEST: usize = 2000;

/// The ways in which a given answer can be understood, the likeliest first; none when it is no mathematics. `number` is
/// what [`Number::parse`] makes of the same text.
pub(crate) fn readings(text: &str, number: Option<&Number>) -> Vec<Value> {
    if let Some(number) = digits(text) {
        return vec![number];
    }
    match tokens(text) {
        Some((clean, tokens)) => {
            let mut readings = structures(text, number, (&clean, &tokens));
            let loose = loose::loose(&clean, &tokens, &readings);
            readings.extend(loose);
            readings
        }
        None => Vec::new(),
    }
}

/// The ways in which a gold answer can be understood. It is trusted, so that a sentence around its formula
/// is taken for an explanation, which in a given answer could take the answer back; a chain of equations for its last
/// side, whatever the others say; and its digits alone will do where it names their base.
pub(crate) fn gold_readings(text: &str, number: Option<&Number>) -> Vec<Value> {
    if let Some(number) = digits(text) {
        return vec![number];
    }
    let Some((clean, tokens)) = tokens(text) else {
        return Vec::new();
    };
    if is_range(&tokens) {
        return Vec::new();
    }
    let mut readings = structures(text, number, (&clean, &tokens));
    if readings.is_empty() && parts::numbered(&clean).is_none() {
        readings.extend(structure::explained(&tokens).or_else(|| structure::last_side(&tokens)));
    }
    readings.extend(loose::of_gold(&clean, &tokens));
    if is_list_of_two(&clean) {
        readings.retain(|reading| matches!(reading, Value::Collection(..)));
    }
    if let [digits @ Token::Number(_), Token::Mark('_'), _, ..] = &tokens[..]
        && readings.len() == 1
        && matches!(
            &readings[0],
            Value::Scalar(Scalar {
                expr: Expr::Number(_),
                ..
            })
        )
    {
        readings.extend(structure::value(std::slice::from_ref(digits)));
    }
    readings
}

/// Digits alone, which need no parser.
fn digits(text: &str) -> Option<Value> {
    if !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let value = number::decimal(text)?;
    let places = text.split_once('.').map(|(_, places)| places.len());
    Some(Value::Scalar(Scalar {
        places,
        ..Scalar::of(Expr::Number(value))
    }))
}

/// The text in one spelling, and its tokens with thousands grouped; `None` where no mathematics can be in it.
fn tokens(text: &str) -> Option<(String, Vec<Token>)> {
    let clean = (text.len() <= LONGEST).then(|| clean::clean(text))?;
    let tokens = token::tokens(&clean, true);
    (!is_date(&tokens)).then_some((clean, tokens))
}

/// What holds for gold and given answers alike.
fn structures(
    text: &str,
    number: Option<&Number>,
    (clean, grouped): (&str, &[Token]),
) -> Vec<Value> {
    // What counts its parts is nothing else: their marks are no factors.
    if let Some(parts) = parts::numbered(clean) {
        return in_order(&parts).into_iter().collect();
    }
    let number = number.and_then(|number| plain_number(text, number));
    // The sign of a currency would be lost on the parser.
    if let Some(number) = &number
        && !text.contains(|c: char| c.is_ascii_alphabetic())
    {
        return vec![number.clone()];
    }
    let mut readings: Vec<Value> = number.into_iter().collect();
    readings.extend(structure::value(grouped));
    // `1,234` is a number and no list.
    if !matches!(readings.last(), Some(Value::Scalar(_))) {
        let plain = token::tokens(clean, false);
        if grouped != plain {
            readings.extend(structure::value(&plain));
        }
    }
    readings.extend(decimal_comma(clean));
    readings
}

/// `2020-05-03`, `1/2/2020`: three whole numbers, of which one is a year or padded with a zero.
fn is_date(tokens: &[Token]) -> bool {
    let [
        Token::Number(a),
        first,
        Token::Number(b),
        second,
        Token::Number(c),
    ] = tokens
    else {
        return false;
    };
    let is_mark = matches!(first, Token::Mark('-' | '/')) && first == second;
    let is_whole = |digits: &&String| digits.bytes().all(|b| b.is_ascii_digit());
    let is_dated =
        |digits: &&String| digits.len() == 4 || digits.len() == 2 && digits.starts_with('0');
    is_mark && [a, b, c].iter().all(is_whole) && [a, b, c].iter().any(is_dated)
}

/// `10-15`, `3-2 \text{ years}`: as likely a range or a score as a difference that nobody has worked out.
fn is_range(tokens: &[Token]) -> bool {
    match tokens {
        [
            Token::Number(_),
            Token::Mark('-'),
            Token::Number(_),
            unit @ ..,
        ] => unit.iter().all(|token| matches!(token, Token::Text(_))),
        _ => false,
    }
}

/// A number in words, with a unit in words, or with an exponent, which as LaTeX would be products of letters.
fn plain_number(text: &str, number: &Number) -> Option<Value> {
    let has_letters = text.contains(|c: char| c.is_ascii_alphabetic());
    let has_unit = number.unit.as_deref().and_then(unit::named).is_some();
    (has_letters || has_unit).then(|| Value::Scalar(Scalar::of_number(number.clone())))
}

/// `(1) 5; (2) 7` as its parts in order.
fn in_order(parts: &[String]) -> Option<Value> {
    let part = |text: &String| structure::value(&token::tokens(text, true));
    let parts: Option<Vec<Value>> = parts.iter().map(part).collect();
    Some(Value::Collection(Kind::Tuple, parts?))
}

/// `48,16`: two whole numbers, where a decimal comma stands behind a zero, before a unit, or nowhere.
fn is_list_of_two(clean: &str) -> bool {
    let is_whole = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_two = |(a, b): (&str, &str)| is_whole(a) && is_whole(b) && a != "0" && b.len() < 3;
    clean.split_once(',').is_some_and(is_two)
}

/// `2,74` as 2.74: a single comma, behind it two or more digits that are not a group of thousands.
fn decimal_comma(clean: &str) -> Option<Value> {
    let (whole, decimals) = clean.split_once(',')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    let is_group = decimals.len() == 3 && unsigned.len() <= 3 && !unsigned.starts_with('0');
    if !digits(unsigned) || !digits(decimals) || decimals.len() < 2 || is_group {
        return None;
    }
    structure::value(&token::tokens(&format!("{whole}.{decimals}"), false))
}

//! The ways in which a text can be understood as an answer.

use super::{
    clean,
    expr::Expr,
    number::{self, Number},
    parts, read, token, unit,
    value::{Kind, Scalar, Value},
};

/// Longer texts are compared as text only: no final answer is that long.
const LONGEST: usize = 2000;

/// The ways in which a text can be understood, the likeliest first; none when it is no mathematics.
pub(super) fn readings(text: &str) -> Vec<Value> {
    if text.len() > LONGEST {
        return Vec::new();
    }
    // Digits alone need no parser.
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && let Some(value) = number::decimal(text)
    {
        let places = text.split_once('.').map(|(_, places)| places.len());
        return vec![Value::Scalar(Scalar {
            places,
            ..Scalar::of(Expr::Number(value))
        })];
    }
    let number = plain_number(text);
    // The sign of a currency would be lost on the parser.
    if let Some(number) = &number
        && !text.contains(|c: char| c.is_ascii_alphabetic())
    {
        return vec![number.clone()];
    }
    let clean = clean::clean(text);
    let plain = token::tokens(&clean, false);
    let grouped = token::tokens(&clean, true);
    let mut readings: Vec<Value> = numbered_parts(&clean).into_iter().collect();
    readings.extend(number);
    readings.extend(read::value(&grouped));
    readings.extend(decimal_comma(&clean));
    // `1,234` is a number first and a list second.
    if grouped != plain {
        readings.extend(read::value(&plain));
    }
    readings
}

/// The ways in which a gold answer can be understood. It is trusted, so that a sentence around its formula
/// is taken for an explanation, which in a given answer could take the answer back; and its digits alone will do
/// where it names their base.
pub(super) fn gold_readings(text: &str) -> Vec<Value> {
    let mut readings = readings(text);
    if text.len() > LONGEST {
        return readings;
    }
    let tokens = token::tokens(&clean::clean(text), true);
    if readings.is_empty() {
        readings.extend(read::explained(&tokens));
    }
    if let [
        digits @ token::Token::Number(_),
        token::Token::Mark('_'),
        _,
        ..,
    ] = &tokens[..]
        && readings.len() == 1
        && matches!(
            &readings[0],
            Value::Scalar(Scalar {
                expr: Expr::Number(_),
                ..
            })
        )
    {
        readings.extend(read::value(std::slice::from_ref(digits)));
    }
    readings
}

/// A number in words, with a unit in words, or with an exponent, which as LaTeX would be products of letters.
fn plain_number(text: &str) -> Option<Value> {
    let number = Number::parse(text)?;
    let unit = number.unit.as_deref();
    let degrees = matches!(unit, Some("degree" | "degrees"));
    let has_letters = text.contains(|c: char| c.is_ascii_alphabetic());
    (has_letters || unit.and_then(unit::named).is_some()).then(|| {
        Value::Scalar(Scalar {
            percent: number.percent,
            degrees,
            unit: unit.filter(|_| !degrees).map(str::to_owned),
            places: number.places,
            ..Scalar::of(Expr::Number(number.value.clone()))
        })
    })
}

/// `(1) 5; (2) 7` as its parts in order.
fn numbered_parts(clean: &str) -> Option<Value> {
    let part = |text: &String| read::value(&token::tokens(text, true));
    let parts: Option<Vec<Value>> = parts::numbered(clean)?.iter().map(part).collect();
    Some(Value::Collection(Kind::Tuple, parts?))
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
    read::value(&token::tokens(&format!("{whole}.{decimals}"), false))
}

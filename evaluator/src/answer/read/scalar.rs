//! Reads one expression with the percent sign, degrees or unit behind it.

use num_rational::BigRational;
use num_traits::One;

use crate::answer::{
    parse::token::Token,
    parse::{expression, spelled},
    value::Scalar,
    value::counted::is_unit,
    value::expr::{Expr, Function},
    value::number::{Number, decimal, enlarged, is_percent},
    value::unit::{self, DEGREES, Unit},
};

/// `1 day 2 hours 3 minutes 4 seconds` is the longest sum of quantities that is read.
const MOST_QUANTITIES: usize = 4;

/// One expression with percent, degrees or unit.
pub(crate) fn scalar(tokens: &[Token]) -> Option<Scalar> {
    // A number in words.
    if let [Token::Text(words)] = tokens {
        return Number::parse(words).map(Scalar::of_number);
    }
    let places = tokens.iter().filter_map(places).min();
    if let Some(sum) = compound(tokens) {
        return Some(sum);
    }
    if let Some(degrees) = temperature(tokens) {
        return Some(Scalar { places, ..degrees });
    }
    let (tokens, unit) = match measured(tokens) {
        Some((number, name)) => (number, Some(name)),
        None => split_unit(tokens),
    };
    if let Some(angle) = degrees(tokens) {
        return Some(Scalar {
            expr: angle,
            percent: false,
            degrees: true,
            unit: None,
            places,
        });
    }
    let degrees = unit.as_deref().is_some_and(is_degrees);
    let (unit, in_words) = match unit {
        Some(words) if is_percent(&words) => (None, true),
        unit => (unit.filter(|_| !degrees), false),
    };
    let (tokens, percent) = match tokens {
        [before @ .., Token::Mark('%')] => (before, true),
        _ => (tokens, in_words),
    };
    let expr = expression(tokens)?;
    let (expr, unit) = scaled(expr, unit);
    Some(Scalar {
        expr,
        percent,
        degrees,
        unit,
        places,
    })
}

fn is_degrees(unit: &str) -> bool {
    matches!(unit, "degree" | "degrees" | "deg")
}

/// The decimal places of a number that is no period.
fn places(token: &Token) -> Option<usize> {
    match token {
        Token::Number(digits) if !digits.ends_with(')') => Some(digits.split_once('.')?.1.len()),
        _ => None,
    }
}

/// `1.2 \text{ million dollars}`.
fn scaled(expr: Expr, unit: Option<String>) -> (Expr, Option<String>) {
    let Some(words) = unit else {
        return (expr, None);
    };
    let (size, unit) = enlarged(BigRational::one(), &words);
    if size.is_one() {
        return (expr, Some(words));
    }
    let unit = unit.trim();
    (
        Expr::Product(vec![expr, Expr::Number(size)]),
        (!unit.is_empty()).then(|| unit.to_owned()),
    )
}

impl Scalar {
    /// A number with what stood beside it.
    pub fn of_number(number: Number) -> Self {
        let degrees = number.unit.as_deref().is_some_and(is_degrees);
        Self {
            percent: number.percent,
            degrees,
            unit: number.unit.filter(|_| !degrees),
            places: number.places,
            ..Self::of(Expr::Number(number.value))
        }
    }

    /// A bare expression.
    pub fn of(expr: Expr) -> Self {
        Self {
            expr,
            percent: false,
            degrees: false,
            unit: None,
            places: None,
        }
    }
}

/// `6.3\times10^{-7} M`, `4 \Omega`: letters behind a number in powers of ten, or the sign of the ohm behind any, are the
/// unit that they spell.
fn measured(tokens: &[Token]) -> Option<(&[Token], String)> {
    let length = match tokens {
        [Token::Number(_), Token::Command(sign), ..] if sign == "Omega" => 1,
        [
            Token::Number(_),
            Token::Command(times),
            Token::Number(ten),
            Token::Mark('^'),
            rest @ ..,
        ] if matches!(times.as_str(), "times" | "cdot") && ten == "10" => {
            let exponent = match rest {
                [Token::Mark('{'), ..] => {
                    rest.iter().position(|token| *token == Token::Mark('}'))? + 1
                }
                [Token::Mark('-'), Token::Number(_), ..] => 2,
                [Token::Number(_), ..] => 1,
                _ => return None,
            };
            4 + exponent
        }
        _ => return None,
    };
    let (number, unit) = tokens.split_at_checked(length)?;
    let name = unit_name(unit)?;
    unit::named(&name).is_some().then_some((number, name))
}

/// The name that tokens spell, with a space between letters that stood apart.
fn unit_name(tokens: &[Token]) -> Option<String> {
    let mut name = String::new();
    for token in tokens {
        let is_behind_letter = name.ends_with(char::is_alphanumeric);
        match token {
            Token::Letter(letter) => {
                if is_behind_letter {
                    name.push(' ');
                }
                name.push(*letter);
            }
            Token::Name(word) | Token::Text(word) => {
                if is_behind_letter {
                    name.push(' ');
                }
                name.push_str(word);
            }
            Token::Command(sign) if sign == "Omega" => name.push('Ω'),
            Token::Command(sign) if sign == "mu" => name.push('μ'),
            Token::Command(sign) if sign == "cdot" => name.push('·'),
            Token::Number(power) => name.push_str(power),
            Token::Mark(mark @ ('/' | '^' | '-')) => name.push(*mark),
            Token::Mark('{' | '}') => {}
            _ => return None,
        }
    }
    (!name.is_empty()).then_some(name)
}

/// Cuts off a unit at the end with its power, as in `15 \text{ cm}^2`; words that are no unit stay, and
/// make the whole no expression.
fn split_unit(tokens: &[Token]) -> (&[Token], Option<String>) {
    let in_index = |at: usize| {
        matches!(
            &tokens[..at],
            [.., Token::Mark('_')] | [.., Token::Mark('_'), Token::Mark('{')]
        )
    };
    let is_word = |at: &usize| matches!(tokens[*at], Token::Text(_)) && !in_index(*at);
    let Some(at) = (1..tokens.len()).find(is_word) else {
        return (tokens, None);
    };
    let is_part = |(index, token): (usize, &Token)| match token {
        Token::Text(words) => is_percent(words) || is_unit(enlarged(BigRational::one(), words).1),
        Token::Mark('^' | '{' | '}' | '/' | '-') => true,
        // A number is a power; elsewhere it would begin another quantity.
        Token::Number(_) => matches!(tokens[at + index - 1], Token::Mark('^' | '{' | '-')),
        _ => false,
    };
    if tokens[at..].iter().enumerate().all(is_part) {
        (&tokens[..at], Some(spelled(&tokens[at..])))
    } else {
        (tokens, None)
    }
}

/// `2 hours and 15 minutes`: a quantity with what is left over in a smaller unit.
pub(crate) fn joined(tokens: &[Token]) -> Option<Scalar> {
    let is_joint = |token: &Token| matches!(token, Token::Text(word) if word == "and");
    let at = tokens.iter().position(is_joint)?;
    let unit = |tokens: &[Token]| unit::named(scalar(tokens)?.unit.as_deref()?);
    let (first, second) = (unit(&tokens[..at])?, unit(&tokens[at + 1..])?);
    let is_smaller = second.is_like(&first) && second.in_terms_of(&first) < BigRational::one();
    let plain = [&tokens[..at], &tokens[at + 1..]].concat();
    is_smaller.then(|| compound(&plain))?
}

/// `2 \text{ hours } 30 \text{ minutes}`: quantities of one dimension, summed in the first unit.
fn compound(tokens: &[Token]) -> Option<Scalar> {
    let parts: Vec<&[Token]> = tokens
        .split_inclusive(|token| matches!(token, Token::Text(_)))
        .collect();
    if parts.len() < 2 || parts.len() > MOST_QUANTITIES {
        return None;
    }
    let mut sum: Option<(Scalar, Unit)> = None;
    for part in parts {
        let next = scalar(part)?;
        let unit = unit::named(next.unit.as_deref()?)?;
        sum = Some(match sum {
            None => (next, unit),
            Some((sum, first)) if first.is_like(&unit) => {
                let factor = Expr::Number(unit.in_terms_of(&first));
                let converted = Expr::Product(vec![factor, next.expr]);
                let places = sum.places.into_iter().chain(next.places).min();
                (
                    Scalar {
                        expr: Expr::Sum(vec![sum.expr, converted]),
                        places,
                        ..sum
                    },
                    first,
                )
            }
            Some(_) => return None,
        });
    }
    sum.map(|(sum, _)| sum)
}

/// `21.5^\circ C`, a number of degrees of a scale of temperature.
fn temperature(tokens: &[Token]) -> Option<Scalar> {
    let (before, scale) = match tokens {
        [before @ .., Token::Letter(scale @ ('C' | 'F'))] => (before, *scale),
        [before @ .., Token::Text(scale)] if matches!(scale.as_str(), "C" | "F") => {
            (before, scale.chars().next()?)
        }
        _ => return None,
    };
    let number = degrees(before)?;
    let unit = Some(format!("{DEGREES}{scale}"));
    Some(Scalar {
        unit,
        ..Scalar::of(number)
    })
}

/// `60^\circ`, `60^\circ 42'` as a number of degrees.
fn degrees(tokens: &[Token]) -> Option<Expr> {
    let circle = tokens
        .iter()
        .position(|token| *token == Token::Command("circ".to_owned()))?;
    let is_function =
        |token: &Token| matches!(token, Token::Command(name) if Function::named(name).is_some());
    let whole = match &tokens[..circle] {
        [before @ .., Token::Mark('^')] if !before.iter().any(is_function) => expression(before)?,
        _ => return None,
    };
    match &tokens[circle + 1..] {
        [] => Some(whole),
        [Token::Number(minutes), Token::Mark('\'')] => {
            let share = decimal(minutes)? / BigRational::from_integer(60.into());
            Some(Expr::Sum(vec![whole, Expr::Number(share)]))
        }
        _ => None,
    }
}

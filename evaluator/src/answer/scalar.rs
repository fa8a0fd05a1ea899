//! Reads one expression with the percent sign, degrees or unit behind it.

use num_rational::BigRational;

use super::{
    expr::{Expr, Function},
    number::{decimal, is_unit},
    parse::{expression, spelled},
    token::Token,
    value::Scalar,
};

/// One expression with percent, degrees or unit.
pub(super) fn scalar(tokens: &[Token]) -> Option<Scalar> {
    let decimal = tokens
        .iter()
        .any(|token| matches!(token, Token::Number(digits) if digits.contains('.')));
    let (tokens, unit) = split_unit(tokens);
    if let Some(angle) = degrees(tokens) {
        return Some(Scalar {
            expr: angle,
            percent: false,
            degrees: true,
            unit: None,
            decimal,
        });
    }
    let (tokens, percent) = match tokens {
        [before @ .., Token::Mark('%')] => (before, true),
        _ => (
            tokens,
            matches!(unit.as_deref(), Some("percent" | "pct" | "percentage")),
        ),
    };
    let expr = expression(tokens)?;
    Some(Scalar {
        expr,
        percent,
        degrees: false,
        unit: unit.filter(|_| !percent),
        decimal,
    })
}

impl Scalar {
    /// A bare expression.
    pub fn of(expr: Expr) -> Self {
        Self {
            expr,
            percent: false,
            degrees: false,
            unit: None,
            decimal: false,
        }
    }
}

/// Cuts off a unit at the end with its power, as in `15 \text{ cm}^2`; words that are no unit stay, and
/// make the whole no expression.
fn split_unit(tokens: &[Token]) -> (&[Token], Option<String>) {
    let words = |token: &Token| match token {
        Token::Text(words) => Some(is_unit(words)),
        _ => None,
    };
    let is_part = |token: &Token| {
        words(token).unwrap_or(matches!(
            token,
            Token::Number(_) | Token::Mark('^' | '{' | '}' | '/' | '-')
        ))
    };
    match tokens.iter().position(|token| words(token).is_some()) {
        Some(at) if at > 0 && tokens[at..].iter().all(is_part) => {
            (&tokens[..at], Some(spelled(&tokens[at..])))
        }
        _ => (tokens, None),
    }
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

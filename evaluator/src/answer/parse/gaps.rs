//! White space that keeps formulas apart, as in `x=2 \\quad y=3`.

use crate::answer::{parse::token::Token, value::unit};

/// Commands that join what stands round them, or belong to what follows.
const JOINING: [&str; 24] = [
    "times",
    "cdot",
    "ast",
    "div",
    "pm",
    "mp",
    "cup",
    "cap",
    "to",
    "circ",
    "setminus",
    "mid",
    "Rightarrow",
    "Leftarrow",
    "rightarrow",
    "leftarrow",
    "implies",
    "iff",
    "mapsto",
    "wedge",
    "vee",
    "land",
    "lor",
    "over",
];

/// Drops the gaps that separate nothing: those beside a comma, a sign or words, at the beginning and at the end.
pub(crate) fn drop_idle(tokens: &mut Vec<Token>) {
    let separates = |at: usize| {
        at > 0
            && at + 1 < tokens.len()
            && ends_value(&tokens[at - 1], &tokens[at + 1])
            && begins_value(&tokens[at + 1])
    };
    let kept: Vec<bool> = (0..tokens.len())
        .map(|at| tokens[at] != Token::Gap || separates(at))
        .collect();
    let mut kept = kept.into_iter();
    tokens.retain(|_| kept.next().unwrap_or(true));
}

/// Whether a value can end with the token, where `next` stands behind the gap.
fn ends_value(token: &Token, next: &Token) -> bool {
    match token {
        Token::Number(_) | Token::Letter(_) | Token::Name(_) | Token::SetClose | Token::End => true,
        Token::Mark(mark) => matches!(mark, ')' | ']' | '}' | '!' | '%' | '\'' | '|'),
        Token::Command(name) => !JOINING.contains(&name.as_str()),
        Token::Text(words) => matches!(next, Token::Number(_)) && unit::named(words).is_some(),
        _ => false,
    }
}

fn begins_value(token: &Token) -> bool {
    match token {
        Token::Number(_) | Token::Letter(_) | Token::Name(_) | Token::SetOpen | Token::Begin => {
            true
        }
        Token::Mark(mark) => matches!(mark, '(' | '[' | '|'),
        Token::Command(name) => !JOINING.contains(&name.as_str()),
        _ => false,
    }
}

/// Whether a number can end with the token.
pub(crate) fn ends_number(token: &Token) -> bool {
    matches!(token, Token::Number(_) | Token::Mark(')' | '}' | ']'))
}

/// Whether `text` begins with a letter, perhaps with an index, and a sign of equality: `y =`, `x_1=`.
pub(crate) fn begins_equation(text: &str) -> bool {
    let behind = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    if text.len() - behind.len() != 1 {
        return false;
    }
    let behind = match behind.strip_prefix('_') {
        Some(index) => {
            index.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '{' | '}'))
        }
        None => behind,
    };
    behind.trim_start().starts_with('=')
}

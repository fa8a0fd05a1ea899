//! Where brackets open and close in a row of tokens.

use crate::answer::parse::token::Token;

/// Cuts at tokens outside of all brackets.
pub(crate) fn split(tokens: &[Token], is_separator: impl Fn(&Token) -> bool) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0usize);
    for (index, token) in tokens.iter().enumerate() {
        depth = depth.saturating_add_signed(nesting(token));
        if depth == 0 && is_separator(token) {
            parts.push(&tokens[start..index]);
            start = index + 1;
        }
    }
    parts.push(&tokens[start..]);
    parts
}

/// What a token does to the depth of brackets. Round and square ones may close each other.
fn nesting(token: &Token) -> isize {
    match token {
        Token::Mark('(' | '[' | '{') | Token::SetOpen | Token::Begin => 1,
        Token::Mark(')' | ']' | '}') | Token::SetClose | Token::End => -1,
        Token::Command(name) => match name.as_str() {
            "langle" | "lfloor" | "lceil" => 1,
            "rangle" | "rfloor" | "rceil" => -1,
            _ => 0,
        },
        _ => 0,
    }
}

/// Whether the first token opens a bracket that the last one closes.
pub(crate) fn encloses(tokens: &[Token]) -> bool {
    let mut depth = 0;
    let closing = tokens.iter().position(|token| {
        depth += nesting(token);
        depth == 0
    });
    tokens.len() > 1 && closing == Some(tokens.len() - 1)
}

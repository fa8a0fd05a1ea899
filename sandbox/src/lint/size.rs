//! Bounds on length and nesting, checked before anything recursive reads the text.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::Finding;

const MOST_BYTES: usize = 32 * 1024;
/// Nesting of brackets of all kinds.
const MOST_DEPTH: usize = 64;
/// Signs in a row, such as `!!!!`; each is a level of the syntax tree.
const MOST_SIGNS: usize = 12;
/// Tokens of a statement; `1+1+1+…` is a level each.
const MOST_TOKENS: usize = 3000;
/// `else` in a chain.
const MOST_ELSE: usize = 100;
/// `|` in a statement: closures within closures without brackets.
const MOST_BARS: usize = 200;
/// `<` not yet closed in a statement: types within types.
const MOST_ANGLES: usize = 64;

/// Length and bracket depth, on the bare text. Brackets in strings and comments count as well, either way: this only spares
/// the lexer, and the depth of the tokens is looked at again.
pub(crate) fn check_text(code: &str) -> Result<(), Finding> {
    let refuse = |line, what: String| {
        Err(Finding {
            rule: "size",
            what,
            line,
        })
    };
    if code.len() > MOST_BYTES {
        return refuse(
            1,
            format!(
                "the source has {} bytes; at most {MOST_BYTES} are accepted",
                code.len()
            ),
        );
    }
    let (mut depth, mut line) = (0_usize, 1);
    for byte in code.bytes() {
        match byte {
            b'\n' => line += 1,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MOST_DEPTH {
            return refuse(
                line,
                format!("brackets are nested more than {MOST_DEPTH} deep"),
            );
        }
    }
    Ok(())
}

/// Bracket depth, statement length and the nestings that need no brackets. `depth` is that of the tokens given.
pub(crate) fn check_tokens(tokens: TokenStream, depth: usize) -> Result<(), Finding> {
    let mut count = Counts::default();
    let mut signs = 0;
    let mut after_block = false;
    for token in tokens {
        let span = token.span();
        // A block ends a statement, unless an operator goes on with it.
        if after_block
            && !matches!(&token, TokenTree::Punct(sign) if !matches!(sign.as_char(), ',' | '#'))
        {
            count = Counts {
                elses: count.elses,
                ..Counts::default()
            };
        }
        after_block = false;
        count.tokens += 1;
        match token {
            TokenTree::Group(group) => {
                signs = 0;
                after_block = group.delimiter() == Delimiter::Brace;
                if depth >= MOST_DEPTH {
                    return Err(Finding::new(
                        "size",
                        span,
                        format!("brackets are nested more than {MOST_DEPTH} deep"),
                    ));
                }
                check_tokens(group.stream(), depth + 1)?;
            }
            TokenTree::Punct(sign) => {
                signs += 1;
                match sign.as_char() {
                    ';' => count = Counts::default(),
                    '|' => count.bars += 1,
                    '<' => count.angles += 1,
                    // It closes what was counted on opening.
                    '>' => (signs, count.angles) = (0, count.angles.saturating_sub(1)),
                    _ => {}
                }
            }
            TokenTree::Ident(word) => {
                signs = 0;
                count.elses += usize::from(word == "else");
            }
            TokenTree::Literal(_) => signs = 0,
        }
        let bounds = [
            (signs, MOST_SIGNS, "signs in a row"),
            (count.tokens, MOST_TOKENS, "tokens in a statement"),
            (count.bars, MOST_BARS, "`|` in a statement"),
            (count.angles, MOST_ANGLES, "`<` open at once"),
            (
                count.elses,
                MOST_ELSE,
                "`else` without a `;` between; use `match`",
            ),
        ];
        if let Some((_, most, what)) = bounds.iter().find(|(number, most, _)| number > most) {
            return Err(Finding::new(
                "size",
                span,
                format!("more than {most} {what}"),
            ));
        }
    }
    Ok(())
}

/// What was seen since the last statement ended.
#[derive(Default)]
struct Counts {
    tokens: usize,
    bars: usize,
    angles: usize,
    elses: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str) -> bool {
        check_text(code)
            .and_then(|()| {
                code.parse()
                    .map_or(Ok(()), |tokens| check_tokens(tokens, 0))
            })
            .is_err()
    }

    #[test]
    fn nesting_of_every_kind_is_bounded() {
        let deep = |open: &str, inner: &str, close: &str, n: usize| {
            open.repeat(n) + inner + &close.repeat(n)
        };
        for (n, expected) in [(20, false), (5000, true)] {
            assert_eq!(refused(&deep("(", "1", ")", n)), expected);
            assert_eq!(refused(&deep("Vec<", "u8", ">", n)), expected);
            assert_eq!(refused(&deep("|x| ", "1", "", n)), expected);
            assert_eq!(refused(&deep("1 + ", "1", "", n)), expected);
            assert_eq!(refused(&deep("if a { b } else ", "{ 1 }", "", n)), expected);
        }
        assert!(refused(&"{1} + ".repeat(2000)));
        assert!(!refused(&"-".repeat(8)) && refused(&"-".repeat(100)));
    }

    #[test]
    fn many_short_statements_are_fine() {
        assert!(!refused(&"let a = 1 < 2;\n".repeat(1500)));
        assert!(!refused(&"if a { b } else { c }\n".repeat(90)));
    }
}

//! Puts calls of an author's own macros in their definitions, as rustc does, so that the result can be checked.
//!
//! Of the language of `macro_rules!` this knows fragments that stay what they are, repetitions and plain tokens. A call that fits
//! several rules is put in each of them: which of them rustc takes is not relied upon. What comes out for rustc differs in
//! the names of local variables (hygiene), which no rule looks at.

use std::collections::HashMap;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Block, Expr, Ident, Lit, Pat, Path, Stmt, Token, Type};

use super::{Finding, own_macros, size};

/// Tokens that all calls of a source may become together.
const MOST_TOKENS: usize = 32_768;
/// Tokens that are read while calls are fitted to rules.
const MOST_READ: usize = 100_000;

/// `(matcher) => { body }`
pub(crate) struct Rule {
    matcher: Vec<Part>,
    body: Vec<Part>,
}

/// A piece of a matcher or of a body.
enum Part {
    Token(TokenTree),
    Group(Delimiter, Vec<Part>),
    /// `$name:kind`; in a body without a kind.
    Fragment {
        name: Ident,
        kind: Option<Kind>,
    },
    /// `$(…),*`
    Repeat {
        parts: Vec<Part>,
        separator: Vec<TokenTree>,
        times: Times,
    },
}

#[derive(Clone, Copy)]
enum Kind {
    Block,
    Expression,
    Identifier,
    Literal,
    Path,
    Pattern,
    Type,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Times {
    Any,
    AtLeastOnce,
    AtMostOnce,
}

/// What a fragment was given.
enum Given {
    Once(TokenStream),
    Each(Vec<Given>),
}

/// What may still be spent on a source.
pub(crate) struct Budget {
    tokens: usize,
    reading: usize,
}

impl Budget {
    pub(crate) const fn new() -> Self {
        Self {
            tokens: MOST_TOKENS,
            reading: MOST_READ,
        }
    }
}

impl Rule {
    /// Reads all rules of a definition.
    pub(crate) fn all(tokens: TokenStream) -> Result<Vec<Self>, Finding> {
        let mut rules = Vec::new();
        let mut rest = tokens.into_iter();
        while let Some(first) = rest.next() {
            let span = first.span();
            let unreadable = || Finding::new("macro", span, "this macro's rules cannot be read");
            let TokenTree::Group(matcher) = first else {
                return Err(unreadable());
            };
            let arrow = [rest.next(), rest.next()];
            let is_arrow = matches!(&arrow, [Some(TokenTree::Punct(a)), Some(TokenTree::Punct(b))]
                if (a.as_char(), b.as_char()) == ('=', '>'));
            let Some(TokenTree::Group(body)) = rest.next().filter(|_| is_arrow) else {
                return Err(unreadable());
            };
            rules.push(Self {
                matcher: parts(matcher.stream(), Side::Matcher)?,
                body: parts(body.stream(), Side::Body)?,
            });
            match rest.next() {
                None => break,
                Some(TokenTree::Punct(sign)) if sign.as_char() == ';' => {}
                Some(_) => return Err(unreadable()),
            }
        }
        Ok(rules)
    }

    /// The tokens that a call becomes by this rule, if it fits.
    fn apply(
        &self,
        tokens: &TokenStream,
        budget: &mut Budget,
    ) -> Result<Option<TokenStream>, Finding> {
        let mut given = HashMap::new();
        let fits = |input: ParseStream<'_>| fit(&self.matcher, input, &mut given, budget);
        let fitted = fits.parse2(tokens.clone());
        if budget.reading == 0 {
            return Err(too_much());
        }
        if fitted.is_err() {
            return Ok(None);
        }
        let given = given.iter().map(|(name, value)| (name.as_str(), value));
        let mut out = TokenStream::new();
        put(&self.body, &given.collect(), &mut out, budget)?;
        Ok(Some(out))
    }
}

/// What a call becomes: the statements of each rule that it fits.
pub(crate) fn expand(
    call: &syn::Macro,
    rules: &[Rule],
    budget: &mut Budget,
) -> Result<Vec<Vec<Stmt>>, Finding> {
    own_macros::check_call(call.tokens.clone())?;
    let span = call
        .path
        .segments
        .first()
        .map_or_else(Span::call_site, |segment| segment.ident.span());
    let mut all = Vec::new();
    for rule in rules {
        let Some(tokens) = rule.apply(&call.tokens, budget)? else {
            continue;
        };
        size::check_tokens(tokens.clone(), 0)?;
        let statements = syn::parse2::<Expr>(tokens.clone())
            .map(|expression| vec![Stmt::Expr(expression, None)])
            .or_else(|_| Block::parse_within.parse2(tokens));
        match statements {
            Ok(statements) => all.push(statements),
            Err(error) if all.is_empty() => {
                return Err(Finding::new(
                    "macro",
                    span,
                    format!(
                        "what this call becomes cannot be read as expressions and statements: {error}"
                    ),
                ));
            }
            Err(_) => {}
        }
    }
    if all.is_empty() {
        return Err(Finding::new(
            "macro",
            span,
            "this call fits no rule of its macro",
        ));
    }
    Ok(all)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Matcher,
    Body,
}

fn parts(tokens: TokenStream, side: Side) -> Result<Vec<Part>, Finding> {
    let mut parts = Vec::new();
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        let TokenTree::Punct(dollar) = &token else {
            parts.push(match token {
                TokenTree::Group(group) => {
                    Part::Group(group.delimiter(), self::parts(group.stream(), side)?)
                }
                other => Part::Token(other),
            });
            continue;
        };
        if dollar.as_char() != '$' {
            parts.push(Part::Token(token));
            continue;
        }
        let span = dollar.span();
        let unknown = |what: &str| Err(Finding::new("macro", span, what));
        match rest.next() {
            Some(TokenTree::Ident(name)) if name != "crate" => {
                let kind = match side {
                    Side::Body => None,
                    Side::Matcher => {
                        let colon = rest.next();
                        let is_colon =
                            matches!(&colon, Some(TokenTree::Punct(sign)) if sign.as_char() == ':');
                        let Some(TokenTree::Ident(kind)) = rest.next().filter(|_| is_colon) else {
                            return unknown("a fragment is written `$name:kind`");
                        };
                        let Some(kind) = Kind::named(&kind.to_string()) else {
                            return unknown(
                                "a macro of your own takes `block`, `expr`, `ident`, `literal`, `pat`, `path` and `ty`; write a function",
                            );
                        };
                        Some(kind)
                    }
                };
                parts.push(Part::Fragment { name, kind });
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                let mut separator = Vec::new();
                let times = loop {
                    match rest.next() {
                        Some(TokenTree::Punct(sign)) => match sign.as_char() {
                            '*' => break Times::Any,
                            '+' => break Times::AtLeastOnce,
                            '?' => break Times::AtMostOnce,
                            _ if separator.len() < 2 => separator.push(TokenTree::Punct(sign)),
                            _ => return unknown("this repetition cannot be read"),
                        },
                        _ => return unknown("this repetition cannot be read"),
                    }
                };
                parts.push(Part::Repeat {
                    parts: self::parts(group.stream(), side)?,
                    separator,
                    times,
                });
            }
            _ => return unknown("this use of `$` is not available in a macro of your own"),
        }
    }
    Ok(parts)
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "block" => Self::Block,
            "expr" | "expr_2021" => Self::Expression,
            "ident" => Self::Identifier,
            "literal" => Self::Literal,
            "pat" | "pat_param" => Self::Pattern,
            "path" => Self::Path,
            "ty" => Self::Type,
            _ => return None,
        })
    }

    /// Reads one from the input.
    fn skip(self, input: ParseStream<'_>) -> syn::Result<()> {
        match self {
            Self::Block => input.parse::<Block>().map(drop),
            Self::Expression => input.parse::<Expr>().map(drop),
            Self::Identifier => input.call(Ident::parse_any).map(drop),
            Self::Literal => {
                input.parse::<Option<Token![-]>>()?;
                input.parse::<Lit>().map(drop)
            }
            Self::Path => input.parse::<Path>().map(drop),
            Self::Pattern => Pat::parse_multi_with_leading_vert(input).map(drop),
            Self::Type => input.parse::<Type>().map(drop),
        }
    }

    /// Whether its tokens stay together, as if in brackets.
    const fn is_closed(self) -> bool {
        matches!(self, Self::Expression | Self::Type)
    }
}

type Bindings = HashMap<String, Given>;

/// Fits input to a matcher.
fn fit(
    parts: &[Part],
    input: ParseStream<'_>,
    given: &mut Bindings,
    budget: &mut Budget,
) -> syn::Result<()> {
    for part in parts {
        spend(&mut budget.reading, 1).map_err(|()| input.error("too much"))?;
        match part {
            Part::Token(expected) => same(expected, input)?,
            Part::Group(delimiter, inner) => {
                let tokens = input.step(|cursor| match cursor.group(*delimiter) {
                    Some((inside, _, rest)) => Ok((inside.token_stream(), rest)),
                    None => Err(cursor.error("expected a bracket")),
                })?;
                let inside = |input: ParseStream<'_>| fit(inner, input, given, budget);
                inside.parse2(tokens)?;
            }
            Part::Fragment { name, kind } => {
                let Some(kind) = kind else { continue };
                let begin = input.cursor();
                kind.skip(input)?;
                let tokens = between(begin, input.cursor());
                let cost = number_of(&tokens);
                spend(&mut budget.reading, cost).map_err(|()| input.error("too much"))?;
                let tokens = if kind.is_closed() {
                    TokenTree::Group(Group::new(Delimiter::None, tokens)).into()
                } else {
                    tokens
                };
                given.insert(name.to_string(), Given::Once(tokens));
            }
            Part::Repeat {
                parts,
                separator,
                times,
            } => {
                let mut rounds: Vec<Bindings> = Vec::new();
                while !(input.is_empty() || *times == Times::AtMostOnce && rounds.len() == 1) {
                    let ahead = input.fork();
                    let mut round = Bindings::new();
                    let separated = rounds.is_empty()
                        || separator.iter().all(|token| same(token, &ahead).is_ok());
                    let fits = separated && fit(parts, &ahead, &mut round, budget).is_ok();
                    if !fits || ahead.cursor() == input.cursor() {
                        break;
                    }
                    input.advance_to(&ahead);
                    rounds.push(round);
                }
                if *times == Times::AtLeastOnce && rounds.is_empty() {
                    return Err(input.error("expected at least one"));
                }
                let mut names = Vec::new();
                names_in(parts, &mut names);
                for name in names {
                    let each = rounds.iter_mut().filter_map(|round| round.remove(&name));
                    let each = Given::Each(each.collect());
                    given.insert(name, each);
                }
            }
        }
    }
    Ok(())
}

/// One token as the rule has it.
fn same(expected: &TokenTree, input: ParseStream<'_>) -> syn::Result<()> {
    input.step(|cursor| match cursor.token_tree() {
        Some((found, rest)) if !matches!(found, TokenTree::Group(_)) => {
            if found.to_string() == expected.to_string() {
                Ok(((), rest))
            } else {
                Err(cursor.error("another token was expected"))
            }
        }
        _ => Err(cursor.error("a token was expected")),
    })
}

fn between(begin: syn::buffer::Cursor<'_>, end: syn::buffer::Cursor<'_>) -> TokenStream {
    let mut tokens = TokenStream::new();
    let mut at = begin;
    while at != end
        && let Some((token, next)) = at.token_tree()
    {
        tokens.extend([token]);
        at = next;
    }
    tokens
}

/// The fragments of a matcher.
fn names_in(parts: &[Part], names: &mut Vec<String>) {
    for part in parts {
        match part {
            Part::Token(_) => {}
            Part::Fragment { name, .. } => names.push(name.to_string()),
            Part::Group(_, parts) | Part::Repeat { parts, .. } => names_in(parts, names),
        }
    }
}

/// Puts what was given in a body.
fn put(
    parts: &[Part],
    given: &HashMap<&str, &Given>,
    out: &mut TokenStream,
    budget: &mut Budget,
) -> Result<(), Finding> {
    for part in parts {
        match part {
            Part::Token(token) => {
                spend(&mut budget.tokens, 1).map_err(|()| too_much())?;
                out.extend([token.clone()]);
            }
            Part::Group(delimiter, parts) => {
                spend(&mut budget.tokens, 1).map_err(|()| too_much())?;
                let mut inside = TokenStream::new();
                put(parts, given, &mut inside, budget)?;
                out.extend([TokenTree::Group(Group::new(*delimiter, inside))]);
            }
            Part::Fragment { name, .. } => match given.get(name.to_string().as_str()) {
                Some(Given::Once(tokens)) => {
                    spend(&mut budget.tokens, number_of(tokens)).map_err(|()| too_much())?;
                    out.extend(tokens.clone());
                }
                Some(Given::Each(_)) => {
                    return Err(Finding::new(
                        "macro",
                        name.span(),
                        format!("`${name}` must stand in a repetition, `$(…)*`"),
                    ));
                }
                None => {
                    return Err(Finding::new(
                        "macro",
                        name.span(),
                        format!("the rule has no `${name}`"),
                    ));
                }
            },
            Part::Repeat {
                parts, separator, ..
            } => {
                let mut names = Vec::new();
                names_in(parts, &mut names);
                let number = |name: &String| match given.get(name.as_str()) {
                    Some(Given::Each(each)) => Some(each.len()),
                    _ => None,
                };
                let rounds = names.iter().filter_map(number).min().unwrap_or(0);
                for round in 0..rounds {
                    let mut inner = given.clone();
                    for value in inner.values_mut() {
                        if let Given::Each(each) = value
                            && let Some(one) = each.get(round)
                        {
                            *value = one;
                        }
                    }
                    if round > 0 {
                        out.extend(separator.iter().cloned());
                    }
                    spend(&mut budget.tokens, 1).map_err(|()| too_much())?;
                    spend(&mut budget.reading, inner.len()).map_err(|()| too_much())?;
                    put(parts, &inner, out, budget)?;
                }
            }
        }
    }
    Ok(())
}

/// Tokens, those in brackets included.
fn number_of(tokens: &TokenStream) -> usize {
    let of = |token| match token {
        TokenTree::Group(group) => 1 + number_of(&group.stream()),
        _ => 1,
    };
    tokens.clone().into_iter().map(of).sum()
}

fn spend(left: &mut usize, cost: usize) -> Result<(), ()> {
    match left.checked_sub(cost) {
        Some(rest) if rest > 0 => {
            *left = rest;
            Ok(())
        }
        _ => {
            *left = 0;
            Err(())
        }
    }
}

fn too_much() -> Finding {
    Finding::new(
        "size",
        Span::call_site(),
        format!(
            "the calls of this source's own macros become more than {MOST_TOKENS} tokens; write functions"
        ),
    )
}

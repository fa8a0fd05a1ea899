//! Reads tokens as a structured answer.
//!
//! The text is cut at its loosest joints first: rows of answers, lists, relations, unions, brackets; what
//! remains is a single expression with its unit. Each cut makes the parts shorter, and the depth of
//! nesting is limited, so the work is bounded by length times depth.

use crate::answer::{
    parse::brackets::{encloses, split},
    parse::token::Token,
    parse::{expression, spelled},
    read::conditions::{bound, conditioned, is_case, without_domains},
    read::enclosed::{bracketed, determinant, matrices, turned},
    read::named::{all_named, division, named, named_point},
    read::region::Region,
    read::relation::{line, relation},
    read::scalar::{joined, scalar},
    read::special::{coordinates, residue},
    value::expr::Expr,
    value::relation::Relation,
    value::{End, Kind, Label, Scalar, Value},
};

/// How deep brackets may nest in a structured answer.
const MAX_DEPTH: usize = 8;

/// Reads all of `tokens`, if they are an answer that can be understood.
pub(crate) fn value(tokens: &[Token]) -> Option<Value> {
    read(tokens, MAX_DEPTH)
}

/// Reads the formula at the beginning or else at the end of an explanation in words, if the rest of it has no
/// numbers, which could be further answers.
pub(crate) fn explained(tokens: &[Token]) -> Option<Value> {
    let is_words = |token: &Token| matches!(token, Token::Text(words) if words.contains(' '));
    let first = tokens.iter().position(is_words)?;
    let last = tokens.iter().rposition(is_words)?;
    let value_without = |tokens, rest: &[Token]| value(tokens).filter(|_| !have_number(rest));
    value_without(&tokens[..first], &tokens[first..])
        .or_else(|| value_without(&tokens[last + 1..], &tokens[..=last]))
}

/// Reads what stands behind the last sign of equality.
pub(crate) fn last_side(tokens: &[Token]) -> Option<Value> {
    let sides = split(tokens, |token| *token == Token::Relation(Relation::Equal));
    value(sides.last().filter(|_| sides.len() > 2)?)
}

/// Whether there is a number among them that is no index, as in `A_{1}`.
pub(super) fn have_number(tokens: &[Token]) -> bool {
    let is_index = |at: usize| {
        matches!(
            &tokens[..at],
            [.., Token::Mark('_')] | [.., Token::Mark('_'), Token::Mark('{')]
        )
    };
    let mut numbers = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| has_number(token));
    numbers.any(|(at, _)| !is_index(at))
}

/// A number, or words with one.
pub(super) fn has_number(token: &Token) -> bool {
    match token {
        Token::Number(_) => true,
        Token::Text(words) => words.contains(|c: char| c.is_ascii_digit()),
        _ => false,
    }
}

/// As [`value`], with the depth of nesting that is left.
pub(crate) fn read(tokens: &[Token], depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let tokens = without_brace(strip_group(tokens));
    if let Some((value, condition)) = conditioned(tokens) {
        let value = read(value, depth)?;
        return Some(match condition.and_then(|tokens| bound(tokens, depth)) {
            Some(condition) => Value::Under(Box::new(value), Box::new(condition)),
            None => value,
        });
    }
    // The tail of a working: `= 5`, `\approx 5`.
    if let [
        Token::Relation(Relation::Equal | Relation::Approximately),
        rest @ ..,
    ] = tokens
    {
        return read(rest, depth);
    }
    if let Some(residues) = residue(tokens) {
        return Some(residues);
    }
    if let Some(interval) = turned(tokens) {
        return Some(interval);
    }
    if let Some(sum) = joined(tokens) {
        return Some(Value::Scalar(sum));
    }
    for separator in [
        Separator::Gap,
        Separator::Semicolon,
        Separator::Word,
        Separator::Comma,
    ] {
        let parts = split(tokens, |token| separator.is(token));
        if parts.len() > 1 {
            // Several cases are one answer only together with their conditions.
            if parts.iter().filter(|part| is_case(part)).count() > 1 {
                return None;
            }
            let list = list(&parts, separator, depth)?;
            let has = |word: &str| {
                tokens
                    .iter()
                    .any(|token| matches!(token, Token::Text(text) if text == word))
            };
            if has("or") {
                return Some(list);
            }
            let is_and = has("and");
            return match conjunction(&list, is_and) {
                None if is_and && are_bounds(&list) => None,
                joint => Some(joint.unwrap_or(list)),
            };
        }
    }
    single(tokens, depth)
}

/// Without the braces that only group.
fn strip_group(tokens: &[Token]) -> &[Token] {
    let mut tokens = tokens;
    while let [Token::Mark('{'), inner @ .., Token::Mark('}')] = tokens {
        if !encloses(tokens) {
            break;
        }
        tokens = inner;
    }
    tokens
}

/// What stands between the parts of a list, from loose to tight.
#[derive(Clone, Copy)]
enum Separator {
    /// White space between formulas.
    Gap,
    Semicolon,
    /// `and`, `or`
    Word,
    Comma,
}

impl Separator {
    fn is(self, token: &Token) -> bool {
        match (self, token) {
            (Self::Gap, Token::Gap) | (Self::Semicolon, Token::Mark(';')) => true,
            (Self::Comma, Token::Mark(',')) => true,
            (Self::Word, Token::Text(words)) => {
                matches!(words.trim_matches([',', ' ']), "and" | "or")
            }
            _ => false,
        }
    }
}

/// A list. Parts that are lists themselves are tuples where semicolons separate them or their items are
/// labelled, as in `p=5, q=2 or p=7, q=2`; in `1, 2 and 3` they go on.
fn list(parts: &[&[Token]], separator: Separator, depth: usize) -> Option<Value> {
    if let Some(items) = all_named(parts, depth) {
        return Some(Value::Collection(Kind::List, items));
    }
    let mut items = Vec::new();
    // `19, 46, and 82`: nothing stands between the comma and the word.
    for part in parts.iter().filter(|part| !part.is_empty()) {
        match (read(part, depth)?, separator) {
            (Value::Collection(Kind::List, inner), Separator::Gap | Separator::Semicolon) => {
                items.push(tuple(inner))
            }
            (Value::Collection(Kind::List, inner), Separator::Word) => {
                if inner.iter().all(|item| matches!(item, Value::Labelled(..))) {
                    items.push(tuple(inner));
                } else {
                    items.extend(inner);
                }
            }
            (item, _) => items.push(item),
        }
    }
    let mut items = without_domains(items);
    match items.len() {
        0 => None,
        1 => items.pop(),
        _ => Some(Value::Collection(Kind::List, items)),
    }
}

fn tuple(items: Vec<Value>) -> Value {
    Value::Collection(Kind::Tuple, items)
}

/// The value without its label.
pub(crate) fn unlabelled(value: Value) -> Value {
    match value {
        Value::Labelled(_, inner) => *inner,
        other => other,
    }
}

/// Without the brace before a system of equations.
fn without_brace(tokens: &[Token]) -> &[Token] {
    match tokens {
        [Token::SetOpen, system @ ..] if matches!(system, [Token::Begin, .., Token::End]) => system,
        _ => tokens,
    }
}

fn single(tokens: &[Token], depth: usize) -> Option<Value> {
    if let Some(numbers) = real_numbers(&spelled(tokens)) {
        return Some(numbers);
    }
    relation(tokens, depth)
        .or_else(|| union(tokens, depth))
        .or_else(|| cut(tokens, depth))
        .or_else(|| named_point(tokens, depth))
        .or_else(|| named(tokens, depth))
        .or_else(|| division(tokens))
        .or_else(|| ratio(tokens))
        .or_else(|| determinant(tokens, depth))
        .or_else(|| matrices(tokens, depth))
        .or_else(|| bracketed(tokens, depth))
        .or_else(|| {
            let scalar = scalar(tokens)?;
            Some(coordinates(&scalar.expr).unwrap_or(Value::Scalar(scalar)))
        })
}

/// All real numbers, the positive or the negative ones.
fn real_numbers(name: &str) -> Option<Value> {
    let [below, above] = line();
    let zero = End {
        at: Scalar::of(Expr::integer(0)),
        closed: false,
    };
    Some(match name {
        "mathbbR" => Value::Interval(below, above),
        "mathbbR^+" | "mathbbR_+" | "mathbbR_Greater0" => Value::Interval(zero, above),
        "mathbbR^-" | "mathbbR_-" | "mathbbR_Less0" => Value::Interval(below, zero),
        _ => return None,
    })
}

/// `x > 2 and x < 5` as the interval between, `x > 2, x \ne 5` as that ray without the point. A comma joins only
/// where one condition leaves out nothing but points; elsewhere it may mean `or`.
fn conjunction(list: &Value, is_and: bool) -> Option<Value> {
    let Value::Collection(Kind::List, items) = list else {
        return None;
    };
    let mut joint: Option<(&Label, Region)> = None;
    let mut is_plain = is_and;
    for item in items {
        let Value::Labelled(label, inner) = item else {
            return None;
        };
        let region = Region::of(inner)?;
        is_plain |= region.is_all_but_points();
        joint = Some(match joint {
            None => (label, region),
            Some((first, so_far)) if first == label => (label, so_far.intersected(&region)),
            Some(_) => return None,
        });
    }
    let (label, region) = joint.filter(|_| is_plain)?;
    let value = region.value().unwrap_or_else(nothing);
    Some(Value::Labelled(label.clone(), Box::new(value)))
}

/// The empty set, as it is read.
fn nothing() -> Value {
    Value::Scalar(Scalar::of(Expr::Symbol("emptyset".to_owned())))
}

/// Whether all items of a list are intervals of one variable.
fn are_bounds(list: &Value) -> bool {
    let Value::Collection(Kind::List, items) = list else {
        return false;
    };
    let variable = |item: &Value| match item {
        Value::Labelled(label, inner) if matches!(**inner, Value::Interval(..)) => {
            Some(label.clone())
        }
        _ => None,
    };
    let first = items.first().and_then(variable);
    first.is_some() && items.iter().all(|item| variable(item) == first)
}

/// A set without another, `\mathbb{R} \setminus \{2\}`, or what is in both, `A \cap B`.
fn cut(tokens: &[Token], depth: usize) -> Option<Value> {
    let is_cut =
        |name: &'static str| move |token: &Token| *token == Token::Command(name.to_owned());
    let regions = |sides: &[&[Token]]| match sides {
        [left, right] => Some((region(left, depth)?, region(right, depth)?)),
        _ => None,
    };
    let cut = match regions(&split(tokens, is_cut("setminus"))) {
        Some((whole, holes)) => whole.intersected(&holes.complement()),
        None => {
            let (a, b) = regions(&split(tokens, is_cut("cap")))?;
            a.intersected(&b)
        }
    };
    cut.value()
}

/// A set of numbers; a number or a list stands for the set of them.
fn region(tokens: &[Token], depth: usize) -> Option<Region> {
    match read(tokens, depth)? {
        Value::Scalar(at) => Region::point(&at),
        Value::Collection(Kind::List, items) => Region::of(&Value::Collection(Kind::Set, items)),
        value => Region::of(&value),
    }
}

/// `1:2:3` as its terms in units of the first. A ratio of two is a fraction.
fn ratio(tokens: &[Token]) -> Option<Value> {
    let terms = split(tokens, |token| *token == Token::Mark(':'));
    if terms.len() < 3 {
        return None;
    }
    let terms: Vec<Expr> = terms.into_iter().map(expression).collect::<Option<_>>()?;
    let in_units = |term: &Expr| Scalar::of(Expr::quotient(term.clone(), terms[0].clone()));
    let terms = terms.iter().map(|term| Value::Scalar(in_units(term)));
    Some(Value::Collection(Kind::Tuple, terms.collect()))
}

fn union(tokens: &[Token], depth: usize) -> Option<Value> {
    let parts = split(tokens, |token| *token == Token::Command("cup".to_owned()));
    if parts.len() < 2 {
        return None;
    }
    let parts: Option<Vec<Value>> = parts.into_iter().map(|part| read(part, depth)).collect();
    let union = Value::Collection(Kind::Union, parts?);
    let known = Region::of(&union).and_then(|region| region.value());
    Some(known.unwrap_or(union))
}

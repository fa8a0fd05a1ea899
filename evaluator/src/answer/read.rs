//! Reads tokens as a structured answer.
//!
//! The text is cut at its loosest joints first: rows of answers, lists, relations, unions, brackets; what
//! remains is a single expression with its unit. Each cut makes the parts shorter, and the depth of
//! nesting is limited, so the work is bounded by length times depth.

use super::{
    brackets::{encloses, split},
    evaluate::{constant, sign_of_infinity},
    expr::Expr,
    matrix,
    parse::spelled,
    relation::{line, relation, without},
    scalar::scalar,
    token::{Relation, Token},
    value::{End, Kind, Label, Scalar, Value},
};

/// How deep brackets may nest in a structured answer.
const MAX_DEPTH: usize = 8;

/// Longer products of matrices are not carried out.
const MOST_FACTORS: usize = 3;

/// Words that begin a remark on the answer before them.
const REMARKS: [&str; 8] = ["for", "where", "with", "when", "if", "such", "as", "in"];

/// Reads all of `tokens`, if they are an answer that can be understood.
pub(super) fn value(tokens: &[Token]) -> Option<Value> {
    read(tokens, MAX_DEPTH)
}

/// Reads the formula at the beginning or else at the end of an explanation in words.
pub(super) fn explained(tokens: &[Token]) -> Option<Value> {
    let is_words = |token: &Token| matches!(token, Token::Text(words) if words.contains(' '));
    let first = tokens.iter().position(is_words)?;
    let last = tokens.iter().rposition(is_words)?;
    value(&tokens[..first]).or_else(|| value(&tokens[last + 1..]))
}

/// As [`value`], with the depth of nesting that is left.
pub(super) fn read(tokens: &[Token], depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let tokens = without_remark(strip_group(tokens));
    // The tail of a working: `= 5`, `\approx 5`.
    if let [
        Token::Relation(Relation::Equal | Relation::Approximately),
        rest @ ..,
    ] = tokens
    {
        return read(rest, depth);
    }
    for separator in [Separator::Semicolon, Separator::Word, Separator::Comma] {
        let parts = split(tokens, |token| separator.is(token));
        if parts.len() > 1 {
            let is_and = |token: &Token| matches!(token, Token::Text(word) if word == "and");
            let list = list(&parts, separator, depth)?;
            return Some(if tokens.iter().any(is_and) {
                intersected(list)
            } else {
                list
            });
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
    Semicolon,
    /// `and`, `or`
    Word,
    Comma,
}

impl Separator {
    fn is(self, token: &Token) -> bool {
        match (self, token) {
            (Self::Semicolon, Token::Mark(';')) => true,
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
    let mut items = Vec::new();
    // `19, 46, and 82`: nothing stands between the comma and the word.
    for part in parts.iter().filter(|part| !part.is_empty()) {
        match (read(part, depth)?, separator) {
            (Value::Collection(Kind::List, inner), Separator::Semicolon) => {
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
    items.retain(|item| !is_domain(item));
    match items.len() {
        0 => None,
        1 => items.pop(),
        _ => Some(Value::Collection(Kind::List, items)),
    }
}

/// `k \in \mathbb{Z}` says where a parameter comes from and is no part of the answer.
fn is_domain(item: &Value) -> bool {
    match item {
        Value::Labelled(_, set) => {
            matches!(&**set, Value::Scalar(s) if matches!(&s.expr, Expr::Symbol(name) if name.starts_with("mathbb")))
        }
        _ => false,
    }
}

fn tuple(items: Vec<Value>) -> Value {
    Value::Collection(Kind::Tuple, items.into_iter().map(unlabelled).collect())
}

/// The value without its label.
pub(super) fn unlabelled(value: Value) -> Value {
    match value {
        Value::Labelled(_, inner) => *inner,
        other => other,
    }
}

/// Cuts off `for all x > 0`, `(k \in \mathbb{Z})` and the brace before a system of equations.
fn without_remark(tokens: &[Token]) -> &[Token] {
    if let [Token::SetOpen, system @ ..] = tokens
        && let [Token::Begin, .., Token::End] = system
    {
        return system;
    }
    let is_remark = |token: &Token| match token {
        Token::Text(words) => words
            .split(' ')
            .next()
            .is_some_and(|word| REMARKS.contains(&word)),
        _ => false,
    };
    if let Some(at) = tokens.iter().position(is_remark)
        && at > 0
        && at + 1 < tokens.len()
    {
        return &tokens[..at];
    }
    let last_open = tokens.iter().rposition(|token| *token == Token::Mark('('));
    match last_open {
        Some(at) if at > 0 && tokens[at..].contains(&Token::Relation(Relation::Element)) => {
            &tokens[..at]
        }
        _ => tokens,
    }
}

fn single(tokens: &[Token], depth: usize) -> Option<Value> {
    if spelled(tokens) == "mathbbR" {
        let [below, above] = line();
        return Some(Value::Interval(below, above));
    }
    relation(tokens, depth)
        .or_else(|| union(tokens, depth))
        .or_else(|| difference(tokens, depth))
        .or_else(|| named_point(tokens, depth))
        .or_else(|| matrices(tokens, depth))
        .or_else(|| bracketed(tokens, depth))
        .or_else(|| scalar(tokens).map(Value::Scalar))
}

/// `x > 2 and x < 5` as the interval between; any other list as it is.
fn intersected(list: Value) -> Value {
    let Value::Collection(Kind::List, items) = &list else {
        return list;
    };
    let [Value::Labelled(a, x), Value::Labelled(b, y)] = &items[..] else {
        return list;
    };
    let (Value::Interval(low, high), Value::Interval(other_low, other_high)) = (&**x, &**y) else {
        return list;
    };
    let is_open_ended = |end: &End| sign_of_infinity(&end.at.expr).is_some();
    let (low, high) = match (is_open_ended(high), is_open_ended(other_high)) {
        (true, false) if is_open_ended(other_low) => (low, other_high),
        (false, true) if is_open_ended(low) => (other_low, high),
        _ => return list,
    };
    if a != b {
        return list;
    }
    Value::Labelled(
        a.clone(),
        Box::new(Value::Interval(low.clone(), high.clone())),
    )
}

/// All numbers but some: `\mathbb{R} \setminus \{2\}`.
fn difference(tokens: &[Token], depth: usize) -> Option<Value> {
    let parts = split(tokens, |token| {
        *token == Token::Command("setminus".to_owned())
    });
    let [whole, holes] = parts[..] else {
        return None;
    };
    if spelled(whole) != "mathbbR" {
        return None;
    }
    let Value::Collection(Kind::Set, holes) = read(holes, depth)? else {
        return None;
    };
    let mut points: Vec<(f64, Scalar)> = Vec::new();
    for hole in holes {
        let Value::Scalar(scalar) = hole else {
            return None;
        };
        points.push((constant(&scalar.expr)?, scalar));
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    Some(without(
        points.into_iter().map(|(_, scalar)| scalar).collect(),
    ))
}

/// `A(1, 2)`: a point and its coordinates.
fn named_point(tokens: &[Token], depth: usize) -> Option<Value> {
    let [Token::Letter(name), coordinates @ ..] = tokens else {
        return None;
    };
    let is_point = name.is_uppercase() && coordinates.first() == Some(&Token::Mark('('));
    let value = bracketed(coordinates, depth).filter(|_| is_point)?;
    let label = Label {
        name: name.to_string(),
        parameter: None,
    };
    matches!(value, Value::Collection(Kind::Tuple, _))
        .then(|| Value::Labelled(label, Box::new(value)))
}

fn union(tokens: &[Token], depth: usize) -> Option<Value> {
    let parts = split(tokens, |token| *token == Token::Command("cup".to_owned()));
    if parts.len() < 2 {
        return None;
    }
    let parts: Option<Vec<Value>> = parts.into_iter().map(|part| read(part, depth)).collect();
    Some(Value::Collection(Kind::Union, parts?))
}

/// Several matrices, added or multiplied.
fn matrices(tokens: &[Token], depth: usize) -> Option<Value> {
    if tokens.first() != Some(&Token::Begin) || encloses(tokens) {
        return None;
    }
    let terms = split(tokens, |token| *token == Token::Mark('+'));
    // Entries of a product grow with every factor.
    let factors = |term: &&[Token]| term.iter().filter(|token| **token == Token::End).count();
    if terms.iter().any(|term| factors(term) > MOST_FACTORS) {
        return None;
    }
    let mut sum: Option<Value> = None;
    for term in terms {
        let mut product: Option<Value> = None;
        for factor in term.split_inclusive(|token| *token == Token::End) {
            let factor = bracketed(factor, depth)?;
            product = Some(match product {
                None => factor,
                Some(product) => matrix::product(&product, &factor)?,
            });
        }
        sum = Some(match sum {
            None => product?,
            Some(sum) => matrix::sum(&sum, &product?)?,
        });
    }
    sum
}

fn bracketed(tokens: &[Token], depth: usize) -> Option<Value> {
    if !encloses(tokens) {
        return None;
    }
    let (open, inner, close) = (
        tokens.first()?,
        &tokens[1..tokens.len() - 1],
        tokens.last()?,
    );
    if let (Token::SetOpen, Token::SetClose) = (open, close) {
        return set(inner, depth);
    }
    if (open, close) == (&Token::Begin, &Token::End) {
        return matrix_of(inner, depth);
    }
    let closed = |token: &Token| matches!(token, Token::Mark('[' | ']'));
    let parts = split(inner, |token| matches!(token, Token::Mark(',' | ';')));
    if parts.len() < 2 {
        // A scalar in parentheses is left to the expression parser, with what surrounds it.
        return read(inner, depth).filter(|value| !matches!(value, Value::Scalar(_)));
    }
    let items: Option<Vec<Value>> = parts.into_iter().map(|part| read(part, depth)).collect();
    let items = items?;
    if closed(open) == closed(close) {
        let kind = if closed(open) {
            Kind::Bracket
        } else {
            Kind::Tuple
        };
        return Some(Value::Collection(kind, items));
    }
    let [low, high]: [Value; 2] = items.try_into().ok()?;
    let (Value::Scalar(low), Value::Scalar(high)) = (low, high) else {
        return None;
    };
    let low = End {
        at: low,
        closed: closed(open),
    };
    Some(Value::Interval(
        low,
        End {
            at: high,
            closed: closed(close),
        },
    ))
}

/// `\{…\}`: by its elements, or by a condition on them.
fn set(inner: &[Token], depth: usize) -> Option<Value> {
    let is_bar = |token: &Token| {
        matches!(token, Token::Mark('|' | ':')) || *token == Token::Command("mid".to_owned())
    };
    let parts = split(inner, is_bar);
    if let [variable, condition] = parts[..]
        && variable
            .iter()
            .any(|token| matches!(token, Token::Letter(_)))
    {
        return read(condition, depth);
    }
    match read(inner, depth)? {
        Value::Collection(Kind::List, items) => Some(Value::Collection(Kind::Set, items)),
        item => Some(Value::Collection(Kind::Set, vec![item])),
    }
}

/// `\begin{pmatrix} … \end{pmatrix}`; a single row or column is a vector.
fn matrix_of(inner: &[Token], depth: usize) -> Option<Value> {
    let mut rows = Vec::new();
    for row in split(inner, |token| *token == Token::RowBreak) {
        if row.is_empty() {
            continue;
        }
        let cells = split(row, |token| *token == Token::Mark('&'));
        rows.push(
            cells
                .into_iter()
                .map(|cell| read(cell, depth))
                .collect::<Option<Vec<_>>>()?,
        );
    }
    let is_vector = rows.len() == 1 || rows.iter().all(|row| row.len() == 1);
    Some(if is_vector {
        Value::Collection(Kind::Tuple, rows.into_iter().flatten().collect())
    } else {
        Value::Matrix(rows)
    })
}

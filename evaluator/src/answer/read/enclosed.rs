//! Reads what stands in brackets: tuples, intervals, sets, vectors and matrices.

use crate::answer::{
    parse::brackets::{encloses, split},
    parse::spelled,
    parse::token::Token,
    read::matrix,
    read::scalar::scalar,
    read::structure::read,
    value::expr::Expr,
    value::relation::Relation,
    value::{End, Kind, Scalar, Value},
};

/// Longer products of matrices are not carried out.
const MOST_FACTORS: usize = 3;

/// `\det` or bars before a square matrix, as the number that it is.
pub(crate) fn determinant(tokens: &[Token], depth: usize) -> Option<Value> {
    let [Token::Command(name), matrix @ ..] = tokens else {
        return None;
    };
    let matrix = bracketed(matrix, depth).filter(|_| name == "det")?;
    Some(Value::Scalar(Scalar::of(matrix::determinant(&matrix)?)))
}

/// Several matrices, added or multiplied.
pub(crate) fn matrices(tokens: &[Token], depth: usize) -> Option<Value> {
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

pub(crate) fn bracketed(tokens: &[Token], depth: usize) -> Option<Value> {
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
    if closed(open)
        && closed(close)
        && let Some(rows) = nested_rows(inner, depth)
    {
        return Some(rows);
    }
    let parts = split(inner, |token| matches!(token, Token::Mark(',' | ';')));
    if parts.len() < 2 {
        // Parentheses only group; other brackets mean something round a scalar, such as its floor.
        let groups = *open == Token::Mark('(');
        return read(inner, depth).filter(|value| groups || !matches!(value, Value::Scalar(_)));
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
        let condition = read(condition, depth)?;
        return Some(match domain(variable) {
            Some(domain) => Value::Collection(Kind::Tuple, vec![domain, condition]),
            None => condition,
        });
    }
    match read(inner, depth)? {
        Value::Collection(Kind::List, items) => Some(Value::Collection(Kind::Set, items)),
        item => Some(Value::Collection(Kind::Set, vec![item])),
    }
}

/// The set in `x \in \mathbb{Z}`, if it is not that of all real numbers: a part of what the condition means.
fn domain(variable: &[Token]) -> Option<Value> {
    let at = variable
        .iter()
        .position(|token| *token == Token::Relation(Relation::Element))?;
    let name = spelled(&variable[at + 1..]);
    (name != "mathbbR").then(|| Value::Scalar(Scalar::of(Expr::Symbol(name))))
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

/// `[[1, 2], [3, 4]]` is a matrix by its rows, as programs write them.
fn nested_rows(inner: &[Token], depth: usize) -> Option<Value> {
    let rows = split(inner, |token| *token == Token::Mark(','));
    let is_row = |row: &&[Token]| row.first() == Some(&Token::Mark('[')) && encloses(row);
    if rows.len() < 2 || !rows.iter().all(is_row) {
        return None;
    }
    let cells = |row: &[Token]| -> Option<Vec<Value>> {
        let cells = split(&row[1..row.len() - 1], |token| *token == Token::Mark(','));
        cells.into_iter().map(|cell| read(cell, depth)).collect()
    };
    let rows: Vec<Vec<Value>> = rows.into_iter().map(cells).collect::<Option<_>>()?;
    let is_even = rows
        .iter()
        .all(|row| row.len() == rows[0].len() && row.len() > 1);
    is_even.then_some(Value::Matrix(rows))
}

/// `]0, 1]` and `[0, 1[`: brackets turned away from an end leave it out.
pub(crate) fn turned(tokens: &[Token]) -> Option<Value> {
    let square = |token: &Token| matches!(token, Token::Mark('[' | ']'));
    let [open, inner @ .., close] = tokens else {
        return None;
    };
    let is_turned = open == &Token::Mark(']') || close == &Token::Mark('[');
    if !(square(open) && square(close) && is_turned) || inner.iter().any(square) {
        return None;
    }
    let parts = split(inner, |token| matches!(token, Token::Mark(',' | ';')));
    let [low, high] = parts[..] else { return None };
    let end = |tokens, closed| {
        Some(End {
            at: scalar(tokens)?,
            closed,
        })
    };
    Some(Value::Interval(
        end(low, open == &Token::Mark('['))?,
        end(high, close == &Token::Mark(']'))?,
    ))
}

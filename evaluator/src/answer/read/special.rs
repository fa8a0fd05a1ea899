//! Notations that are values of their own kind: residues, and vectors written with unit vectors.

use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;

use crate::answer::{
    parse::{brackets::split, expression, token::Token},
    value::{Kind, Label, Scalar, Value, expr::Expr, relation::Relation},
};

/// How the symbols of unit vectors begin.
const UNIT_VECTOR: &str = "unitvector";

/// How the name of a class of residues begins, before its modulus.
pub(crate) const CLASS: &str = "modulo ";

fn is(token: &Token, name: &str) -> bool {
    matches!(token, Token::Command(command) if command == name)
}

/// What stands before `\pmod`, and the modulus.
fn before_modulus(tokens: &[Token]) -> Option<(&[Token], BigInt)> {
    let at = tokens.iter().position(|token| is(token, "pmod"))?;
    let modulus = whole(&tokens[at + 1..]).filter(|modulus| *modulus > BigInt::from(1))?;
    Some((&tokens[..at], modulus))
}

/// `x \equiv -2 \pmod 9`, `x = 7 \pmod 9`, `7 \bmod 9`: the residue, with the name before the sign; of several, as in
/// `n \equiv 1, 3 \pmod 5`, the list.
pub(crate) fn residue(tokens: &[Token]) -> Option<Value> {
    let (before, modulus) = before_modulus(tokens)?;
    let is_sign = |token: &Token| is(token, "equiv") || *token == Token::Relation(Relation::Equal);
    let is_joint = |token: &Token| match token {
        Token::Mark(mark) => *mark == ',',
        Token::Text(word) => matches!(word.as_str(), "or" | "and"),
        _ => false,
    };
    let one = |side: &[Token]| {
        let least = whole(side)?.mod_floor(&modulus);
        let least = Expr::Number(BigRational::from_integer(least));
        let class = Expr::Apply(format!("{CLASS}{modulus}"), vec![least]);
        Some(Value::Scalar(Scalar::of(class)))
    };
    let residues = |side: &[Token]| {
        let all: Option<Vec<Value>> = split(side, is_joint).into_iter().map(one).collect();
        let mut all = all?;
        Some(match all.len() {
            1 => all.remove(0),
            _ => Value::Collection(Kind::List, all),
        })
    };
    match split(before, is_sign)[..] {
        [side] => residues(side),
        [[Token::Letter(name)], side] => {
            let label = Label::plain(&name.to_string());
            Some(Value::Labelled(label, Box::new(residues(side)?)))
        }
        _ => None,
    }
}

/// The remainder itself in `7 \bmod 9` or `x \equiv 7 \pmod 9`, where it is one that a division leaves.
pub(crate) fn remainder(tokens: &[Token]) -> Option<Value> {
    let (before, modulus) = before_modulus(tokens)?;
    let last = split(before, |token| is(token, "equiv")).pop()?;
    let value = whole(last).filter(|value| *value >= BigInt::from(0) && *value < modulus)?;
    let value = Expr::Number(BigRational::from_integer(value));
    Some(Value::Scalar(Scalar::of(value)))
}

fn whole(tokens: &[Token]) -> Option<BigInt> {
    match expression(tokens)? {
        Expr::Number(value) if value.is_integer() => Some(value.to_integer()),
        Expr::Negative(inner) => match *inner {
            Expr::Number(value) if value.is_integer() => Some(-value.to_integer()),
            _ => None,
        },
        _ => None,
    }
}

/// `3\mathbf{i} - \mathbf{j}` as its coordinates, of which there are three where the third unit vector occurs.
pub(crate) fn coordinates(expr: &Expr) -> Option<Value> {
    let terms = match expr {
        Expr::Sum(terms) => terms.as_slice(),
        term => std::slice::from_ref(term),
    };
    if !expr
        .symbols()
        .iter()
        .any(|name| name.starts_with(UNIT_VECTOR))
    {
        return None;
    }
    let mut sums: [Vec<Expr>; 3] = Default::default();
    for term in terms {
        let (axis, coordinate) = coordinate(term)?;
        sums[axis].push(coordinate);
    }
    let count = if sums[2].is_empty() { 2 } else { 3 };
    let coordinates = sums.into_iter().take(count);
    let scalars = coordinates.map(|sum| {
        Value::Scalar(Scalar::of(match &sum[..] {
            [] => Expr::integer(0),
            [one] => one.clone(),
            _ => Expr::Sum(sum),
        }))
    });
    Some(Value::Collection(Kind::Tuple, scalars.collect()))
}

/// The axis along which a term points, and how far.
fn coordinate(term: &Expr) -> Option<(usize, Expr)> {
    let axis = |name: &str| {
        ["i", "j", "k"]
            .iter()
            .position(|axis| name.strip_prefix(UNIT_VECTOR) == Some(axis))
    };
    match term {
        Expr::Symbol(name) => Some((axis(name)?, Expr::integer(1))),
        Expr::Negative(inner) => {
            let (axis, value) = coordinate(inner)?;
            Some((axis, Expr::Negative(Box::new(value))))
        }
        Expr::Product(factors) => {
            let is_vector =
                |factor: &Expr| matches!(factor, Expr::Symbol(name) if axis(name).is_some());
            let at = factors.iter().position(is_vector)?;
            let (found, _) = coordinate(&factors[at])?;
            let mut rest = factors.clone();
            rest.remove(at);
            let has_another = rest.iter().any(|factor| factor.any(&is_vector));
            let value = if rest.len() == 1 {
                rest.remove(0)
            } else {
                Expr::Product(rest)
            };
            (!has_another).then_some((found, value))
        }
        _ => None,
    }
}

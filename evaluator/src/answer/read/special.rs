//! Notations that are values of their own kind: residues, and vectors written with unit vectors.

use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;

use crate::answer::{
    parse::{brackets::split, expression, token::Token},
    value::{Kind, Label, Scalar, Value, expr::Expr},
};

/// How the symbols of unit vectors begin.
const UNIT_VECTOR: &str = "unitvector";

/// `x \equiv -2 \pmod 9`, `7 \bmod 9`: the residue, with the name before the sign.
pub(crate) fn residue(tokens: &[Token]) -> Option<Value> {
    let is =
        |token: &Token, name: &str| matches!(token, Token::Command(command) if command == name);
    let at = tokens.iter().position(|token| is(token, "pmod"))?;
    let modulus = whole(&tokens[at + 1..]).filter(|modulus| *modulus > BigInt::from(1))?;
    let sides = split(&tokens[..at], |token| is(token, "equiv"));
    let residue = |side: &[Token]| {
        let least = whole(side)?.mod_floor(&modulus);
        let least = Expr::Number(BigRational::from_integer(least));
        let class = Expr::Apply(format!("modulo {modulus}"), vec![least]);
        Some(Value::Scalar(Scalar::of(class)))
    };
    match sides[..] {
        [side] => residue(side),
        [[Token::Letter(name)], side] => {
            let label = Label::plain(&name.to_string());
            Some(Value::Labelled(label, Box::new(residue(side)?)))
        }
        _ => None,
    }
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

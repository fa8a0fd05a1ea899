//! Sums and products of matrices written out in an answer.

use crate::answer::{
    value::expr::Expr,
    value::{Scalar, Value},
};

/// The entries, row by row; all rows equally long.
type Rows = Vec<Vec<Expr>>;

/// The rows of the largest matrix whose determinant is worked out.
const LARGEST_DETERMINANT: usize = 4;

/// The sum of matrices of equal shape.
pub(crate) fn sum(a: &Value, b: &Value) -> Option<Value> {
    let (a, b) = (entries(a)?, entries(b)?);
    let same_shape = a.len() == b.len() && a[0].len() == b[0].len();
    same_shape.then(|| {
        let rows = std::iter::zip(a, b).map(|(a, b)| {
            std::iter::zip(a, b)
                .map(|(a, b)| Expr::Sum(vec![a, b]))
                .collect()
        });
        value(rows.collect())
    })
}

/// The product of matrices whose inner dimensions agree.
pub(crate) fn product(a: &Value, b: &Value) -> Option<Value> {
    let (a, b) = (entries(a)?, entries(b)?);
    if a[0].len() != b.len() {
        return None;
    }
    let entry = |row: &[Expr], column: usize| {
        let terms = std::iter::zip(row, &b);
        Expr::Sum(
            terms
                .map(|(x, row)| Expr::Product(vec![x.clone(), row[column].clone()]))
                .collect(),
        )
    };
    let row = |row: &Vec<Expr>| (0..b[0].len()).map(|column| entry(row, column)).collect();
    Some(value(a.iter().map(row).collect()))
}

/// The determinant of a square matrix by its first row; none of a larger one, whose terms would be too many.
pub(crate) fn determinant(matrix: &Value) -> Option<Expr> {
    let rows = entries(matrix)?;
    let is_square = rows.iter().all(|row| row.len() == rows.len());
    (is_square && rows.len() <= LARGEST_DETERMINANT).then(|| expanded(&rows))
}

fn expanded(rows: &[Vec<Expr>]) -> Expr {
    if let [row] = rows {
        return row[0].clone();
    }
    let minor = |left_out: usize| -> Rows {
        let without = |row: &Vec<Expr>| {
            let kept = row.iter().enumerate().filter(|(at, _)| *at != left_out);
            kept.map(|(_, entry)| entry.clone()).collect()
        };
        rows[1..].iter().map(without).collect()
    };
    let terms = rows[0].iter().enumerate().map(|(at, entry)| {
        let term = Expr::Product(vec![entry.clone(), expanded(&minor(at))]);
        if at % 2 == 0 {
            term
        } else {
            Expr::Negative(Box::new(term))
        }
    });
    Expr::Sum(terms.collect())
}

fn entries(matrix: &Value) -> Option<Rows> {
    let Value::Matrix(rows) = matrix else {
        return None;
    };
    let entry = |value: &Value| match value {
        Value::Scalar(scalar) => Some(scalar.expr.clone()),
        _ => None,
    };
    let rows: Option<Rows> = rows
        .iter()
        .map(|row| row.iter().map(entry).collect())
        .collect();
    rows.filter(|rows| rows.iter().all(|row| row.len() == rows[0].len()))
}

fn value(rows: Rows) -> Value {
    let row = |row: Vec<Expr>| {
        row.into_iter()
            .map(|e| Value::Scalar(Scalar::of(e)))
            .collect()
    };
    Value::Matrix(rows.into_iter().map(row).collect())
}

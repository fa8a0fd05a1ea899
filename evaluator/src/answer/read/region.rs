//! Sets of real numbers made of intervals: their intersections, complements, and one form for all that are equal.
//!
//! Only for ends whose values are known; `(k\pi, k\pi + 1)` is no region.

use crate::answer::{
    evaluate::{constant, sign_of_infinity},
    value::expr::Expr,
    value::fuel::Fuel,
    value::{End, Kind, Scalar, Value},
};

/// Disjoint pieces from below to above.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Region {
    pieces: Vec<Piece>,
}

/// From one cut to another above it.
#[derive(Debug, Clone, PartialEq)]
struct Piece {
    low: Cut,
    high: Cut,
}

/// A place between numbers: directly below or directly above one of them, so that `[a` begins below `a` and `(a`
/// above it.
#[derive(Debug, Clone, PartialEq)]
struct Cut {
    value: f64,
    above: bool,
    /// The number as it was written.
    at: Scalar,
}

impl Cut {
    fn order(&self) -> (f64, bool) {
        (self.value, self.above)
    }

    fn is_below(&self, other: &Self) -> bool {
        self.order() < other.order()
    }

    fn of(end: &End, is_low: bool) -> Option<Self> {
        let value = match sign_of_infinity(&end.at.expr) {
            Some(sign) => f64::from(sign) * f64::INFINITY,
            None => constant(&end.at.expr, &Fuel::full())?,
        };
        let above = if value.is_infinite() {
            value < 0.0
        } else {
            end.closed != is_low
        };
        Some(Self {
            value,
            above,
            at: end.at.clone(),
        })
    }

    fn end(&self, is_low: bool) -> End {
        End {
            at: self.at.clone(),
            closed: self.above != is_low && self.value.is_finite(),
        }
    }
}

impl Region {
    /// The set that a value describes, if it is one.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Interval(low, high) => Self::between(low, high),
            Value::Collection(Kind::Tuple | Kind::Bracket, items) => {
                let [Value::Scalar(low), Value::Scalar(high)] = &items[..] else {
                    return None;
                };
                let closed = matches!(value, Value::Collection(Kind::Bracket, _));
                let end = |at: &Scalar| End {
                    at: at.clone(),
                    closed,
                };
                Self::between(&end(low), &end(high))
            }
            Value::Collection(Kind::Set, items) => {
                let point = |item: &Value| match item {
                    Value::Scalar(scalar) => Self::point(scalar),
                    _ => None,
                };
                Some(Self::joined(
                    items.iter().map(point).collect::<Option<_>>()?,
                ))
            }
            Value::Collection(Kind::Union, parts) => Some(Self::joined(
                parts.iter().map(Self::of).collect::<Option<_>>()?,
            )),
            _ => None,
        }
    }

    /// The single number.
    pub fn point(at: &Scalar) -> Option<Self> {
        let end = End {
            at: at.clone(),
            closed: true,
        };
        Self::between(&end, &end)
    }

    fn between(low: &End, high: &End) -> Option<Self> {
        let piece = Piece {
            low: Cut::of(low, true)?,
            high: Cut::of(high, false)?,
        };
        piece.low.is_below(&piece.high).then(|| Self {
            pieces: vec![piece],
        })
    }

    /// The union, with pieces that touch made one.
    fn joined(regions: Vec<Self>) -> Self {
        let mut pieces: Vec<Piece> = regions
            .into_iter()
            .flat_map(|region| region.pieces)
            .collect();
        pieces.sort_by(|a, b| {
            let ((x, i), (y, j)) = (a.low.order(), b.low.order());
            x.total_cmp(&y).then(i.cmp(&j))
        });
        let mut joined: Vec<Piece> = Vec::new();
        for piece in pieces {
            match joined.last_mut() {
                Some(last) if !last.high.is_below(&piece.low) => {
                    if last.high.is_below(&piece.high) {
                        last.high = piece.high;
                    }
                }
                _ => joined.push(piece),
            }
        }
        Self { pieces: joined }
    }

    /// What is in both.
    pub fn intersected(&self, other: &Self) -> Self {
        let mut pieces = Vec::new();
        for a in &self.pieces {
            for b in &other.pieces {
                let low = if a.low.is_below(&b.low) {
                    &b.low
                } else {
                    &a.low
                };
                let high = if a.high.is_below(&b.high) {
                    &a.high
                } else {
                    &b.high
                };
                if low.is_below(high) {
                    pieces.push(Piece {
                        low: low.clone(),
                        high: high.clone(),
                    });
                }
            }
        }
        Self { pieces }
    }

    /// All other real numbers.
    pub fn complement(&self) -> Self {
        let infinite = |value: f64, expr| Cut {
            value,
            above: value < 0.0,
            at: Scalar::of(expr),
        };
        let mut low = infinite(f64::NEG_INFINITY, Expr::Negative(Box::new(Expr::Infinity)));
        let mut pieces = Vec::new();
        for piece in &self.pieces {
            pieces.push(Piece {
                low,
                high: piece.low.clone(),
            });
            low = piece.high.clone();
        }
        pieces.push(Piece {
            low,
            high: infinite(f64::INFINITY, Expr::Infinity),
        });
        pieces.retain(|piece| piece.low.is_below(&piece.high));
        Self { pieces }
    }

    /// Whether nothing but single numbers is missing.
    pub fn is_all_but_points(&self) -> bool {
        self.complement().pieces.iter().all(Piece::is_point)
    }

    /// As an interval, a set of numbers, or a union of such; `None` for the empty set.
    pub fn value(&self) -> Option<Value> {
        if !self.pieces.is_empty() && self.pieces.iter().all(Piece::is_point) {
            let points = self
                .pieces
                .iter()
                .map(|piece| Value::Scalar(piece.low.at.clone()));
            return Some(Value::Collection(Kind::Set, points.collect()));
        }
        let mut parts: Vec<Value> = self.pieces.iter().map(Piece::part).collect();
        if parts.len() > 1 {
            return Some(Value::Collection(Kind::Union, parts));
        }
        parts.pop()
    }
}

impl Piece {
    fn is_point(&self) -> bool {
        self.low.value == self.high.value
    }

    fn part(&self) -> Value {
        if self.is_point() {
            return Value::Collection(Kind::Set, vec![Value::Scalar(self.low.at.clone())]);
        }
        Value::Interval(self.low.end(true), self.high.end(false))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::answer::read::answer::Given;

    fn region(text: &str) -> Region {
        Given::new(text)
            .readings()
            .iter()
            .find_map(Region::of)
            .unwrap()
    }

    fn shown(region: &Region) -> String {
        region
            .value()
            .map_or("empty".to_owned(), |value| value.to_string())
    }

    #[test]
    fn intervals_are_cut_and_joined() {
        let cases = [
            (region(r"(0,1] \cup (1,2)"), "(0, 2)"),
            (region(r"(0,1) \cup (1,2)"), "(0, 1) U (1, 2)"),
            (region("[2,5]").complement(), "(-oo, 2) U (5, oo)"),
            (region("[2,5)").complement().complement(), "[2, 5)"),
            (
                region(r"(-\infty,3)").intersected(&region(r"[1,\infty)")),
                "[1, 3)",
            ),
            (region("[0,1]").intersected(&region("[1,2]")), "{1}"),
            (region("[0,1)").intersected(&region("[1,2]")), "empty"),
            (region(r"(-\infty,\infty)").complement(), "empty"),
        ];
        for (region, expected) in cases {
            assert_eq!(shown(&region), expected);
        }
    }
}

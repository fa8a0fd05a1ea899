//! Answers as structures: a number with its unit, a list, a tuple, an interval, a relation, a text.

use super::{expr::Expr, token::Relation};

/// An expression with what stood beside it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scalar {
    pub expr: Expr,
    /// A percent sign followed; the expression is not divided by it.
    pub percent: bool,
    /// A degree sign followed; the expression is the number of degrees.
    pub degrees: bool,
    /// Words or a unit that followed.
    pub unit: Option<String>,
    /// A decimal point was written, so the value may be rounded.
    pub decimal: bool,
}

/// How the parts of a collection are held together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// By commas or words alone: the order means nothing.
    List,
    /// `{a, b}`: the order means nothing.
    Set,
    /// `A ∪ B`: the order means nothing.
    Union,
    /// `(a, b)`, a vector: the order counts.
    Tuple,
    /// `[a, b]`: the order counts.
    Bracket,
}

/// The end of an interval.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct End {
    pub at: Scalar,
    pub closed: bool,
}

/// What an equation with a bare left side defines.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    /// As spelled: `x`, `f(x)`, `AB`.
    pub name: String,
    /// The single argument of a function, as in `f(x)`.
    pub parameter: Option<String>,
}

/// An answer that has been understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Scalar(Scalar),
    Collection(Kind, Vec<Value>),
    /// Not for two parts in equal brackets, which stay [`Kind::Tuple`] and [`Kind::Bracket`].
    Interval(End, End),
    Labelled(Label, Box<Value>),
    /// Sides and the relations between them.
    Relation(Vec<Expr>, Vec<Relation>),
    /// Rows.
    Matrix(Vec<Vec<Value>>),
}

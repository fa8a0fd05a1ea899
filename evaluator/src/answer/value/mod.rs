//! Answers as structures: a number with its unit, a list, a tuple, an interval, a relation, a text.

pub(crate) mod counted;
pub(crate) mod expr;
pub(crate) mod fuel;
pub(crate) mod number;
pub(crate) mod numerals;
pub(crate) mod relation;
pub(crate) mod show;
pub(crate) mod unit;
pub(crate) mod words;

use crate::answer::{
    value::expr::Expr,
    value::relation::Relation,
    value::unit::{DEGREES, PERCENT},
};

/// An expression with what stood beside it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scalar {
    pub expr: Expr,
    /// A percent sign followed; the expression is not divided by it.
    pub percent: bool,
    /// A degree sign followed; the expression is the number of degrees.
    pub degrees: bool,
    /// Words or a unit that followed.
    pub unit: Option<String>,
    /// The fewest decimal places of a number in it, if any was written with a decimal point: the value may be rounded.
    pub places: Option<usize>,
}

impl Scalar {
    /// The unit, of which per cent and degrees are two.
    pub fn unit(&self) -> Option<&str> {
        match self {
            Self { percent: true, .. } => Some(PERCENT),
            Self { degrees: true, .. } => Some(DEGREES),
            _ => self.unit.as_deref(),
        }
    }

    /// Whether it says that it is an angle in radians.
    pub fn is_in_radians(&self) -> bool {
        self.unit.as_deref().is_some_and(unit::is_radians)
    }
}

/// How the parts of a collection are held together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
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
pub(crate) struct End {
    pub at: Scalar,
    pub closed: bool,
}

/// What an equation with a bare left side defines.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label {
    /// As spelled: `x`, `f(x)`, `AB`.
    pub name: String,
    /// The variables of a function, as in `f(x, y)`, or the index of a sequence, as in `a_n`.
    pub parameters: Vec<String>,
}

impl Label {
    /// A name without variables.
    pub fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            parameters: Vec::new(),
        }
    }

    /// The name without its variables: `f`, `a`.
    pub fn stem(&self) -> &str {
        self.name.split(['(', '_']).next().unwrap_or_default()
    }
}

/// An answer that has been understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Scalar(Scalar),
    Collection(Kind, Vec<Value>),
    /// Not for two parts in equal brackets, which stay [`Kind::Tuple`] and [`Kind::Bracket`].
    Interval(End, End),
    Labelled(Label, Box<Value>),
    /// Sides and the relations between them.
    Relation(Vec<Expr>, Vec<Relation>),
    /// Rows.
    Matrix(Vec<Vec<Value>>),
    /// A value, and the condition on which it is the answer.
    Under(Box<Value>, Box<Value>),
}

impl Value {
    /// The value with the symbol `from` called `to`.
    pub fn renamed(&self, from: &str, to: &str) -> Self {
        self.mapped(&|expr| expr.renamed(from, to))
    }

    /// Whether a symbol occurs in it, as a name on the left or a variable of one, too.
    pub fn mentions(&self, name: &str) -> bool {
        let in_scalar = |scalar: &Scalar| scalar.expr.symbols().contains(&name);
        let in_any = |values: &[Self]| values.iter().any(|value| value.mentions(name));
        match self {
            Self::Scalar(scalar) => in_scalar(scalar),
            Self::Collection(_, items) => in_any(items),
            Self::Interval(low, high) => in_scalar(&low.at) || in_scalar(&high.at),
            Self::Labelled(label, inner) => {
                label.name == name
                    || label.parameters.iter().any(|parameter| parameter == name)
                    || inner.mentions(name)
            }
            Self::Relation(sides, _) => sides.iter().any(|side| side.symbols().contains(&name)),
            Self::Matrix(rows) => rows.iter().any(|row| in_any(row)),
            Self::Under(value, condition) => value.mentions(name) || condition.mentions(name),
        }
    }

    /// The value with every expression in it replaced.
    fn mapped(&self, f: &impl Fn(&Expr) -> Expr) -> Self {
        let scalar = |s: &Scalar| Scalar {
            expr: f(&s.expr),
            ..s.clone()
        };
        let end = |e: &End| End {
            at: scalar(&e.at),
            closed: e.closed,
        };
        let all = |values: &[Self]| values.iter().map(|v| v.mapped(f)).collect();
        match self {
            Self::Scalar(s) => Self::Scalar(scalar(s)),
            Self::Collection(kind, items) => Self::Collection(*kind, all(items)),
            Self::Interval(low, high) => Self::Interval(end(low), end(high)),
            Self::Labelled(label, inner) => {
                Self::Labelled(label.clone(), Box::new(inner.mapped(f)))
            }
            Self::Matrix(rows) => Self::Matrix(rows.iter().map(|row| all(row)).collect()),
            Self::Relation(sides, relations) => {
                Self::Relation(sides.iter().map(f).collect(), relations.clone())
            }
            Self::Under(value, condition) => {
                Self::Under(Box::new(value.mapped(f)), Box::new(condition.mapped(f)))
            }
        }
    }
}

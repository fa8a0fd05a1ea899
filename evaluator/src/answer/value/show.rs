//! How an answer was understood, in one spelling for people to read: `sqrt(3)/2`, `(-oo, 2] U {5}`, `x = 1, 2`.
//!
//! Only for explanations. Nothing compares these texts, and nothing reads them back.

use std::fmt::{self, Display, Formatter};

use crate::answer::{
    value::expr::{Expr, Function},
    value::relation::Relation,
    value::{End, Kind, Scalar, Value},
};

/// How tightly an expression holds together, from loose to tight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Sum,
    Product,
    Power,
    Atom,
}

impl Expr {
    fn binding(&self) -> Binding {
        match self {
            Self::Sum(_) | Self::Negative(_) | Self::PlusMinus { .. } => Binding::Sum,
            Self::Product(_) | Self::Quotient(..) => Binding::Product,
            Self::Number(value) if !value.is_integer() => Binding::Product,
            Self::Power(..) => Binding::Power,
            _ => Binding::Atom,
        }
    }

    /// In parentheses, unless it holds together more tightly than `outer`.
    fn inside(&self, outer: Binding) -> Inside<'_> {
        Inside { expr: self, outer }
    }
}

struct Inside<'a> {
    expr: &'a Expr,
    outer: Binding,
}

impl Display for Inside<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.expr.binding() > self.outer {
            write!(f, "{}", self.expr)
        } else {
            write!(f, "({})", self.expr)
        }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(value) => write!(f, "{value}"),
            Self::Pi => f.write_str("pi"),
            Self::Euler => f.write_str("e"),
            Self::Imaginary => f.write_str("i"),
            Self::Infinity => f.write_str("oo"),
            Self::Symbol(name) => f.write_str(name),
            Self::Sum(parts) => sum(parts, f),
            Self::Product(parts) => {
                let parts: Vec<_> = parts.iter().map(|x| x.inside(Binding::Sum)).collect();
                joined(&parts, "*", f)
            }
            Self::Negative(x) => write!(f, "-{}", x.inside(Binding::Sum)),
            Self::PlusMinus { flipped, inner } => {
                let sign = if *flipped { "∓" } else { "±" };
                write!(f, "{sign}{}", inner.inside(Binding::Sum))
            }
            Self::Quotient(a, b) => {
                write!(
                    f,
                    "{}/{}",
                    a.inside(Binding::Sum),
                    b.inside(Binding::Product)
                )
            }
            Self::Power(a, b) => {
                write!(
                    f,
                    "{}^{}",
                    a.inside(Binding::Power),
                    b.inside(Binding::Product)
                )
            }
            Self::Root(index, x) if **index == Self::integer(2) => write!(f, "sqrt({x})"),
            Self::Root(index, x) => write!(f, "root({index}, {x})"),
            Self::Function(Function::Factorial, x) => write!(f, "{}!", x.inside(Binding::Power)),
            Self::Function(function, x) => {
                write!(f, "{}({x})", format!("{function:?}").to_lowercase())
            }
            Self::Binomial(n, k) => write!(f, "binomial({n}, {k})"),
            Self::Apply(name, arguments) => {
                write!(f, "{name}(")?;
                joined(arguments, ", ", f)?;
                f.write_str(")")
            }
        }
    }
}

fn sum(parts: &[Expr], f: &mut Formatter<'_>) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        match (part, index) {
            (part, 0) => write!(f, "{part}")?,
            (Expr::Negative(x), _) => write!(f, " - {}", x.inside(Binding::Sum))?,
            (Expr::PlusMinus { .. }, _) => write!(f, " {part}")?,
            (part, _) => write!(f, " + {}", part.inside(Binding::Sum))?,
        }
    }
    Ok(())
}

fn joined(parts: &[impl Display], joint: &str, f: &mut Formatter<'_>) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(joint)?;
        }
        write!(f, "{part}")?;
    }
    Ok(())
}

impl Display for Scalar {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.expr)?;
        if self.percent {
            f.write_str(" %")?;
        }
        if self.degrees {
            f.write_str(" degrees")?;
        }
        match &self.unit {
            Some(unit) => write!(f, " [{unit}]"),
            None => Ok(()),
        }
    }
}

impl Display for Relation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Approximately => "~",
            Self::Element => "in",
            Self::NotElement => "not in",
        })
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(scalar) => write!(f, "{scalar}"),
            Self::Collection(kind, items) => collection(*kind, items, f),
            Self::Interval(low, high) => interval(low, high, f),
            Self::Labelled(label, inner) => match **inner {
                Self::Interval(..) | Self::Collection(Kind::Union, _) => {
                    write!(f, "{} in {inner}", label.name)
                }
                _ => write!(f, "{} = {inner}", label.name),
            },
            Self::Relation(sides, relations) => {
                for (index, side) in sides.iter().enumerate() {
                    if index > 0 {
                        write!(f, " {} ", relations[index - 1])?;
                    }
                    write!(f, "{side}")?;
                }
                Ok(())
            }
            Self::Under(value, condition) => write!(f, "{value} if {condition}"),
            Self::Matrix(rows) => {
                f.write_str("[")?;
                for (index, row) in rows.iter().enumerate() {
                    f.write_str(if index > 0 { "; " } else { "" })?;
                    joined(row, ", ", f)?;
                }
                f.write_str("]")
            }
        }
    }
}

fn collection(kind: Kind, items: &[Value], f: &mut Formatter<'_>) -> fmt::Result {
    let (open, joint, close) = match kind {
        Kind::List => ("", ", ", ""),
        Kind::Set => ("{", ", ", "}"),
        Kind::Union => ("", " U ", ""),
        Kind::Tuple => ("(", ", ", ")"),
        Kind::Bracket => ("[", ", ", "]"),
    };
    f.write_str(open)?;
    joined(items, joint, f)?;
    f.write_str(close)
}

fn interval(low: &End, high: &End, f: &mut Formatter<'_>) -> fmt::Result {
    let open = if low.closed { '[' } else { '(' };
    let close = if high.closed { ']' } else { ')' };
    write!(f, "{open}{}, {}{close}", low.at, high.at)
}

/// The kind of a value, in a few words for people.
pub(crate) fn described(value: &Value) -> String {
    match value {
        Value::Scalar(scalar) if scalar.expr.is_constant() => "a constant".to_owned(),
        Value::Scalar(scalar) => format!("an expression in {}", scalar.expr.symbols().join(", ")),
        Value::Labelled(label, inner) => format!("{}: {}", label.name, described(inner)),
        Value::Interval(..) => "an interval".to_owned(),
        Value::Relation(..) => "a relation".to_owned(),
        Value::Under(value, _) => format!("{} on a condition", described(value)),
        Value::Matrix(rows) => format!("a matrix of {} rows", rows.len()),
        Value::Collection(kind, items) => {
            let name = match kind {
                Kind::List => "a list",
                Kind::Set => "a set",
                Kind::Union => "a union",
                Kind::Tuple => "a tuple",
                Kind::Bracket => "a pair of brackets",
            };
            format!("{name} of {}", items.len())
        }
    }
}

//! Mathematical expressions as trees.

use num_rational::BigRational;

/// A function of one argument that can be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Sin,
    Cos,
    Tan,
    Cot,
    Sec,
    Csc,
    Arcsin,
    Arccos,
    Arctan,
    Sinh,
    Cosh,
    Tanh,
    Ln,
    Exp,
    Abs,
    Floor,
    Ceil,
    Factorial,
}

impl Function {
    /// The function with this LaTeX name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "sin" => Self::Sin,
            "cos" => Self::Cos,
            "tan" | "tg" => Self::Tan,
            "cot" | "ctg" => Self::Cot,
            "sec" => Self::Sec,
            "csc" => Self::Csc,
            "arcsin" => Self::Arcsin,
            "arccos" => Self::Arccos,
            "arctan" | "arctg" => Self::Arctan,
            "sinh" => Self::Sinh,
            "cosh" => Self::Cosh,
            "tanh" => Self::Tanh,
            "ln" => Self::Ln,
            "exp" => Self::Exp,
            _ => return None,
        })
    }

    /// What `\sin^{-1}` and its like stand for.
    pub const fn inverse(self) -> Option<Self> {
        match self {
            Self::Sin => Some(Self::Arcsin),
            Self::Cos => Some(Self::Arccos),
            Self::Tan => Some(Self::Arctan),
            _ => None,
        }
    }
}

/// An expression. Trees are at most as deep as the parser allows, so recursion over them is safe.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Number(BigRational),
    Pi,
    /// Euler's number.
    Euler,
    Imaginary,
    Infinity,
    /// A variable, or anything opaque that is equal when its name is.
    Symbol(String),
    Sum(Vec<Expr>),
    Product(Vec<Expr>),
    Negative(Box<Expr>),
    Quotient(Box<Expr>, Box<Expr>),
    /// Base and exponent.
    Power(Box<Expr>, Box<Expr>),
    /// Index and radicand.
    Root(Box<Expr>, Box<Expr>),
    Function(Function, Box<Expr>),
    /// n over k.
    Binomial(Box<Expr>, Box<Expr>),
    /// An unknown function of arguments.
    Apply(String, Vec<Expr>),
    /// `±x`, or `∓x` when flipped: stands for two values.
    PlusMinus {
        flipped: bool,
        inner: Box<Expr>,
    },
}

impl Expr {
    pub fn integer(value: i64) -> Self {
        Self::Number(BigRational::from_integer(value.into()))
    }

    pub fn quotient(numerator: Self, denominator: Self) -> Self {
        Self::Quotient(Box::new(numerator), Box::new(denominator))
    }

    /// The product of several factors. Beside the inverse or transpose of a matrix their order counts.
    pub fn product(factors: Vec<Self>) -> Self {
        let capitals = factors.iter().filter(|factor| factor.is_capital()).count();
        if capitals > 1 && factors.iter().any(Self::is_of_matrix) {
            return Self::Apply("product".to_owned(), factors);
        }
        Self::Product(factors)
    }

    /// `A`, `A^2`: what matrices are called.
    fn is_capital(&self) -> bool {
        match self {
            Self::Symbol(name) => name.starts_with(|c: char| c.is_ascii_uppercase()),
            Self::Power(base, _) => base.is_capital(),
            _ => false,
        }
    }

    /// `A^{-1}`, `A^T`
    fn is_of_matrix(&self) -> bool {
        let Self::Power(base, exponent) = self else {
            return false;
        };
        let is_matrix_power = match &**exponent {
            Self::Negative(one) => **one == Self::integer(1),
            Self::Symbol(name) => name == "T",
            _ => false,
        };
        base.is_capital() && is_matrix_power
    }

    pub fn minus(self, other: Self) -> Self {
        Self::Sum(vec![self, Self::Negative(Box::new(other))])
    }

    /// The direct parts.
    fn children(&self) -> Vec<&Self> {
        match self {
            Self::Sum(parts) | Self::Product(parts) | Self::Apply(_, parts) => {
                parts.iter().collect()
            }
            Self::Negative(x) | Self::Function(_, x) | Self::PlusMinus { inner: x, .. } => vec![x],
            Self::Quotient(a, b) | Self::Power(a, b) | Self::Root(a, b) | Self::Binomial(a, b) => {
                vec![a, b]
            }
            _ => Vec::new(),
        }
    }

    /// Whether `test` holds anywhere in the tree.
    pub fn any(&self, test: &impl Fn(&Self) -> bool) -> bool {
        test(self) || self.children().into_iter().any(|child| child.any(test))
    }

    /// Whether the value depends on nothing.
    pub fn is_constant(&self) -> bool {
        !self.any(&|e| matches!(e, Self::Symbol(_) | Self::Apply(..)))
    }

    /// The names of all symbols, sorted.
    pub fn symbols(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.collect_symbols(&mut names);
        names.sort_unstable();
        names.dedup();
        names
    }

    fn collect_symbols<'a>(&'a self, names: &mut Vec<&'a str>) {
        if let Self::Symbol(name) = self {
            names.push(name);
        }
        for child in self.children() {
            child.collect_symbols(names);
        }
    }

    /// How many `±` there are.
    pub fn plus_minus_count(&self) -> usize {
        usize::from(matches!(self, Self::PlusMinus { .. }))
            + self
                .children()
                .into_iter()
                .map(Self::plus_minus_count)
                .sum::<usize>()
    }

    /// The tree with every node replaced bottom-up.
    pub fn map(&self, f: &mut impl FnMut(Self) -> Self) -> Self {
        let mut boxed = |x: &Self| Box::new(x.map(f));
        let rebuilt = match self {
            Self::Negative(x) => Self::Negative(boxed(x)),
            Self::Function(function, x) => Self::Function(*function, boxed(x)),
            Self::PlusMinus { flipped, inner } => Self::PlusMinus {
                flipped: *flipped,
                inner: boxed(inner),
            },
            Self::Quotient(a, b) => Self::Quotient(boxed(a), boxed(b)),
            Self::Power(a, b) => Self::Power(boxed(a), boxed(b)),
            Self::Root(a, b) => Self::Root(boxed(a), boxed(b)),
            Self::Binomial(a, b) => Self::Binomial(boxed(a), boxed(b)),
            Self::Sum(parts) => Self::Sum(parts.iter().map(|x| x.map(f)).collect()),
            Self::Product(parts) => Self::Product(parts.iter().map(|x| x.map(f)).collect()),
            Self::Apply(name, parts) => {
                Self::Apply(name.clone(), parts.iter().map(|x| x.map(f)).collect())
            }
            leaf => leaf.clone(),
        };
        f(rebuilt)
    }

    /// The tree with the symbol `from` called `to`.
    pub fn renamed(&self, from: &str, to: &str) -> Self {
        self.map(&mut |e| match e {
            Self::Symbol(name) if name == from => Self::Symbol(to.to_owned()),
            other => other,
        })
    }

    /// The tree with the symbol `name` replaced by `value`.
    pub fn with_value(&self, name: &str, value: &Self) -> Self {
        self.map(&mut |e| match e {
            Self::Symbol(symbol) if symbol == name => value.clone(),
            other => other,
        })
    }

    /// The tree with the sign of each `±` chosen: bit i of `choice` set means the lower sign of the i-th.
    pub fn with_signs(&self, choice: u32) -> Self {
        let mut next = 0;
        self.map(&mut |e| match e {
            Self::PlusMinus { flipped, inner } => {
                let lower = choice >> next & 1 == 1;
                next += 1;
                if lower != flipped {
                    Self::Negative(inner)
                } else {
                    *inner
                }
            }
            other => other,
        })
    }
}

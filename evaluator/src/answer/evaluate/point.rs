//! The points at which expressions are told apart: which of them, and the values of symbols there.

use num_rational::BigRational;

use crate::answer::{
    evaluate::residue::PRIMES,
    value::expr::{Expr, Function},
    value::fuel::Fuel,
};

/// A value for every symbol, by its place among the names. So a verdict does not depend on what a symbol is called.
#[derive(Clone, Copy)]
pub(crate) struct Point<'a> {
    index: u8,
    domain: Domain,
    names: &'a [&'a str],
}

impl Point<'_> {
    /// Whether every value is whole, so that roots have a chance to be exact.
    pub fn is_whole(self) -> bool {
        self.names.is_empty() || matches!(self.domain, Domain::Counted | Domain::Large)
    }

    /// One prime for every other point: what one of them overlooks the other sees.
    pub fn prime(self) -> u64 {
        PRIMES[self.turn()]
    }

    /// The place of its prime among [`PRIMES`].
    pub fn turn(self) -> usize {
        usize::from(self.index) % PRIMES.len()
    }
}

/// Where an expression is evaluated, and what pays for it.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub point: Point<'a>,
    pub fuel: &'a Fuel,
    /// Roots and logarithms of negative numbers are undefined, as they are for a reader who means real numbers.
    pub is_real: bool,
    /// Where only one of two is undefined they differ.
    pub is_strict: bool,
}

/// Where the values come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Domain {
    /// Rationals between 1/4 and 9/4.
    Near,
    /// Rationals of either sign, from less than one to several thousands.
    Wide,
    /// The whole numbers from one on.
    Counted,
    /// Whole numbers up to a hundred thousand.
    Large,
}

impl Domain {
    /// How many points are taken from it.
    pub const fn count(self) -> u8 {
        match self {
            Self::Near => 6,
            Self::Wide => 12,
            Self::Counted => 30,
            Self::Large => 8,
        }
    }

    /// Whether what comes after it is only for expressions that are defined almost nowhere else.
    pub const fn is_last_resort_next(self) -> bool {
        matches!(self, Self::Wide)
    }
}

/// At which points expressions are told apart.
pub(crate) struct Plan {
    is_rational: bool,
    /// Steps, factorials and binomials occur.
    counts: bool,
    /// Every symbol is called as counters are.
    are_counters: bool,
    is_real: bool,
    is_strict: bool,
}

impl Plan {
    pub fn of(expressions: &[&Expr], names: &[&str]) -> Self {
        let any = |test: &dyn Fn(&Expr) -> bool| expressions.iter().any(|e| e.any(&|e| test(e)));
        let has = |wanted: &dyn Fn(Function) -> bool| {
            any(&|e| matches!(e, Expr::Function(function, _) if wanted(*function)))
        };
        let is_counter = |name: &&str| {
            matches!(
                *name,
                "i" | "j" | "k" | "l" | "m" | "n" | "p" | "q" | "N" | "M"
            )
        };
        let is_power =
            |exponent: &Expr| matches!(exponent, Expr::Number(value) if value.is_integer());
        let is_negative_power =
            |exponent: &Expr| matches!(exponent, Expr::Negative(inner) if is_power(inner));
        Self {
            is_rational: !any(&|e| match e {
                Expr::Function(..) | Expr::Root(..) | Expr::Binomial(..) | Expr::Apply(..) => true,
                Expr::Power(_, exponent) => !is_power(exponent) && !is_negative_power(exponent),
                _ => false,
            }),
            counts: any(&|e| matches!(e, Expr::Binomial(..)))
                || has(&|f| matches!(f, Function::Floor | Function::Ceil | Function::Factorial)),
            are_counters: names.iter().all(is_counter),
            is_real: !any(&|e| matches!(e, Expr::Imaginary)),
            is_strict: has(&|f| f == Function::Abs),
        }
    }

    /// Where values are taken from, in order.
    pub fn domains(&self) -> Vec<Domain> {
        use Domain::{Counted, Large, Near, Wide};
        match self {
            Self {
                is_rational: true, ..
            } => vec![Near],
            Self {
                counts: true,
                are_counters: true,
                ..
            } => vec![Counted, Large],
            Self { counts: true, .. } => vec![Counted, Large, Wide],
            // A negative base has powers at whole exponents alone.
            _ => vec![Near, Wide, Counted],
        }
    }

    pub fn at<'a>(
        &self,
        domain: Domain,
        index: u8,
        names: &'a [&'a str],
        fuel: &'a Fuel,
    ) -> At<'a> {
        At {
            point: Point {
                index,
                domain,
                names,
            },
            fuel,
            is_real: self.is_real,
            is_strict: self.is_strict,
        }
    }

    /// All points, in order.
    pub fn points<'a>(&self, names: &'a [&'a str], fuel: &'a Fuel) -> Vec<At<'a>> {
        let domains = self.domains().into_iter();
        domains
            .flat_map(|domain| (0..domain.count()).map(move |index| (domain, index)))
            .map(|(domain, index)| self.at(domain, index, names, fuel))
            .collect()
    }
}

/// Where constants are evaluated.
pub(crate) fn anywhere(fuel: &Fuel) -> At<'_> {
    At {
        point: Point {
            index: 0,
            domain: Domain::Near,
            names: &[],
        },
        fuel,
        is_real: false,
        is_strict: false,
    }
}

/// The value of a symbol at a point: a fraction of small numbers.
#[derive(Clone, Copy)]
pub(crate) struct Value {
    pub numerator: i64,
    pub denominator: i64,
}

impl Value {
    /// Both are far below 2^53, so that this is the nearest there is.
    pub fn as_float(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    pub fn exactly(self) -> BigRational {
        BigRational::new(self.numerator.into(), self.denominator.into())
    }
}

/// The value of a symbol at a point.
pub(crate) fn symbol(name: &str, point: Point<'_>) -> Value {
    let rank = point.names.iter().position(|other| *other == name);
    let seed = match rank {
        Some(rank) => seed(&[rank as u8], point.index),
        None => seed(name.as_bytes(), point.index),
    };
    let seed = i64::from(seed);
    let index = i64::from(point.index);
    let (numerator, denominator) = match point.domain {
        Domain::Near => (16_411 + 2 * seed, 65_537),
        Domain::Wide => {
            // From below one to some thousands, by turns positive and negative.
            let size = [1, 16, 256, 4096][usize::from(point.index / 2) % 4];
            let value = size * (16_411 + 2 * seed);
            (
                if (index + rank.unwrap_or(0) as i64) % 2 == 0 {
                    -value
                } else {
                    value
                },
                65_537,
            )
        }
        Domain::Counted if rank == Some(0) => (1 + index, 1),
        Domain::Counted => (1 + seed % 30, 1),
        Domain::Large => (31 + seed * (1 + index / 4), 1),
    };
    Value {
        numerator,
        denominator,
    }
}

/// Sixteen bits that depend on the name and the point alone: FNV-1a (Fowler, Noll and Vo), its high and
/// low halves folded together.
fn seed(name: &[u8], point: u8) -> u16 {
    let hash = name
        .iter()
        .chain([&point])
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    (hash ^ hash >> 16 ^ hash >> 32 ^ hash >> 48) as u16
}

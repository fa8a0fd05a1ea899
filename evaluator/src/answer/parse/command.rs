//! Letters and commands: symbols, constants, fractions, roots, functions.

use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::ToPrimitive;

use super::{MAX_DEPTH, Parser, single_or, spelled};
use crate::answer::{
    parse::token::Token,
    value::expr::{Expr, Function},
    value::relation::Relation,
};

/// Letters that, before an opening parenthesis, name a function and not a factor.
const FUNCTION_LETTERS: [char; 6] = ['f', 'g', 'h', 'F', 'G', 'W'];

impl Parser {
    pub(super) fn letter(&mut self, letter: char) -> Option<Expr> {
        match letter {
            'e' => return Some(Expr::Euler),
            'i' => return Some(Expr::Imaginary),
            _ => {}
        }
        if FUNCTION_LETTERS.contains(&letter) && self.peek_mark() == Some('(') {
            let mut arguments = Vec::new();
            self.at += 1;
            loop {
                arguments.push(self.sum()?);
                if self.eat_mark(')') {
                    return Some(Expr::Apply(letter.to_string(), arguments));
                }
                if !self.eat_mark(',') {
                    return None;
                }
            }
        }
        Some(Expr::Symbol(letter.to_string()))
    }

    pub(super) fn command(&mut self, name: &str) -> Option<Expr> {
        match name {
            "frac" => self.fraction(),
            "sqrt" => {
                let index = if self.eat_mark('[') {
                    self.closed(&Token::Mark(']'))?
                } else {
                    Expr::integer(2)
                };
                Some(root(index, self.argument()?))
            }
            "binom" => {
                let n = self.argument()?;
                Some(Expr::Binomial(Box::new(n), Box::new(self.argument()?)))
            }
            "pi" => Some(Expr::Pi),
            "infty" => Some(Expr::Infinity),
            "abs" => Some(Expr::Function(Function::Abs, Box::new(self.atom()?))),
            "cbrt" => Some(root(Expr::integer(3), self.atom()?)),
            "wholeratio" => Some(Expr::Apply("ratio".to_owned(), vec![self.argument()?])),
            "gcd" | "lcm" | "max" | "min" => match self.of_numbers(name) {
                Some(value) => Some(value),
                None => self.opaque(name),
            },
            "sum" | "prod" => match self.spelled_out(name) {
                Some(value) => Some(value),
                None => self.opaque(name),
            },
            "lfloor" => self.rounded(Function::Floor, "rfloor"),
            "lceil" => self.rounded(Function::Ceil, "rceil"),
            "log" | "lg" => self.logarithm(),
            "boxed" | "mathbf" | "bf" | "rm" | "boldsymbol" | "bm" | "underline" | "fbox" => {
                self.argument()
            }
            "overline" | "vec" | "bar" => self.accented(name),
            _ => match Function::named(name) {
                Some(function) => self.function(function),
                None => self.opaque(name),
            },
        }
    }

    /// `\frac{a}{b}`; `\frac{dy}{dx}` is one symbol, whose d does not cancel.
    fn fraction(&mut self) -> Option<Expr> {
        let start = self.at;
        let (numerator, denominator) = (self.argument()?, self.argument()?);
        if begins_with_d(&numerator) && begins_with_d(&denominator) {
            let name = spelled(&self.tokens[start..self.at]);
            return Some(Expr::Symbol(format!("frac{name}")));
        }
        Some(Expr::quotient(numerator, denominator))
    }

    /// What stands under a bar or an arrow is another thing than what stands there without: a segment, a vector, a
    /// mean, or the conjugate, which for numbers is known.
    fn accented(&mut self, name: &str) -> Option<Expr> {
        let argument = self.argument()?;
        let is_imaginary = argument.any(&|e| *e == Expr::Imaginary);
        if name != "vec" && is_imaginary && argument.is_constant() {
            return Some(argument.map(&mut |e| match e {
                Expr::Imaginary => Expr::Negative(Box::new(Expr::Imaginary)),
                other => other,
            }));
        }
        let name = if name == "bar" { "overline" } else { name };
        Some(Expr::Apply(name.to_owned(), vec![argument]))
    }

    fn rounded(&mut self, function: Function, close: &str) -> Option<Expr> {
        let inner = self.closed(&Token::Command(close.to_owned()))?;
        Some(Expr::Function(function, Box::new(inner)))
    }

    /// `\sin x`, `\sin^2 x`, `\sin^{-1} x`, `\sin(x)`.
    fn function(&mut self, function: Function) -> Option<Expr> {
        let power = if self.eat_mark('^') {
            Some(self.exponent()?)
        } else {
            None
        };
        let argument = self.function_argument()?;
        let value = |function| Expr::Function(function, Box::new(argument.clone()));
        if let (Some(-1), Some(inverse)) = (power.as_ref().and_then(small), function.inverse()) {
            return Some(value(inverse));
        }
        let value = value(function);
        Some(match power {
            None => value,
            Some(power) => Expr::Power(Box::new(value), Box::new(power)),
        })
    }

    /// Without parentheses a function takes the factors up to the next sign or function.
    fn function_argument(&mut self) -> Option<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let grouped = matches!(self.peek_mark(), Some('(' | '[' | '{'));
        let negative = self.eat_mark('-');
        let mut factors = vec![self.factor()?];
        while !grouped && self.starts_factor() && self.peek_mark() != Some('(') {
            let is_function = self.peek_command().is_some_and(|name| {
                Function::named(name).is_some() || matches!(name, "log" | "lg" | "times" | "cdot")
            });
            if is_function {
                break;
            }
            factors.push(self.factor()?);
        }
        self.depth -= 1;
        let argument = single_or(factors, Expr::Product);
        Some(if negative {
            Expr::Negative(Box::new(argument))
        } else {
            argument
        })
    }

    /// A base may follow; without one it is ten, for `\log` as for `\lg`.
    fn logarithm(&mut self) -> Option<Expr> {
        let base = if self.eat_mark('_') {
            self.argument()?
        } else {
            Expr::integer(10)
        };
        let power = self.eat_mark('^').then(|| self.exponent());
        let value = self.function(Function::Ln)?;
        let value = Expr::quotient(value, Expr::Function(Function::Ln, Box::new(base)));
        Some(match power {
            None => value,
            Some(power) => Expr::Power(Box::new(value), Box::new(power?)),
        })
    }

    /// `\gcd(12, 18)`, `\max\{3, 5\}` of whole numbers, worked out; nothing is read where it is of anything else.
    fn of_numbers(&mut self, name: &str) -> Option<Expr> {
        let (start, depth) = (self.at, self.depth);
        let numbers = self.spells_out.then(|| self.numbers_in_brackets());
        let value = numbers.flatten().and_then(|numbers| {
            let whole = numbers.iter().all(BigRational::is_integer);
            let of_whole = |f: fn(&BigInt, &BigInt) -> BigInt| {
                let mut all = numbers.iter().map(BigRational::to_integer);
                let first = all.next()?;
                let folded = all.fold(first, |a, b| f(&a, &b));
                Some(BigRational::from_integer(folded))
            };
            match name {
                "gcd" if whole => of_whole(|a, b| a.gcd(b)),
                "lcm" if whole => of_whole(|a, b| a.lcm(b)),
                "max" => numbers.iter().max().cloned(),
                "min" => numbers.iter().min().cloned(),
                _ => None,
            }
        });
        if value.is_none() {
            (self.at, self.depth) = (start, depth);
            self.spells_out = false;
        }
        value.map(Expr::Number)
    }

    /// At least two numbers in parentheses or braces.
    fn numbers_in_brackets(&mut self) -> Option<Vec<BigRational>> {
        let close = match self.peek()? {
            Token::Mark('(') => Token::Mark(')'),
            Token::SetOpen => Token::SetClose,
            _ => return None,
        };
        self.at += 1;
        let mut numbers = Vec::new();
        loop {
            numbers.push(match self.sum()? {
                Expr::Number(value) => value,
                Expr::Negative(inner) => match *inner {
                    Expr::Number(value) => -value,
                    _ => return None,
                },
                _ => return None,
            });
            if self.eat(&close) {
                return (numbers.len() > 1).then_some(numbers);
            }
            if !self.eat_mark(',') {
                return None;
            }
        }
    }

    /// `\sum_{k=1}^{10} k^2` between whole numbers as the sum of its terms; nothing is read where the bounds are
    /// others, or too far apart.
    fn spelled_out(&mut self, name: &str) -> Option<Expr> {
        let (start, depth) = (self.at, self.depth);
        let may = self.spells_out && depth < MAX_DEPTH;
        self.depth += 1;
        let terms = may.then(|| self.terms()).flatten();
        self.depth = depth;
        if terms.is_none() {
            self.at = start;
            self.spells_out = false;
        }
        terms.map(if name == "sum" {
            Expr::Sum
        } else {
            Expr::Product
        })
    }

    fn terms(&mut self) -> Option<Vec<Expr>> {
        let whole = |expr: Expr| match expr {
            Expr::Number(value) if value.is_integer() => value.to_integer().to_i64(),
            _ => None,
        };
        let (mut index, mut last) = (None, None);
        for _ in 0..2 {
            if self.eat_mark('_') {
                let group = self.at;
                self.argument_tokens()?;
                let [
                    Token::Mark('{'),
                    Token::Letter(name),
                    Token::Relation(Relation::Equal),
                    Token::Number(from),
                    Token::Mark('}'),
                ] = &self.tokens[group..self.at]
                else {
                    return None;
                };
                index = Some((name.to_string(), from.parse::<i64>().ok()?));
            } else if self.eat_mark('^') {
                last = Some(whole(self.argument()?)?);
            }
        }
        let ((name, first), last) = (index?, last?);
        let count = usize::try_from(last - first + 1).ok()?;
        let body = self.product()?;
        // Beside the imaginary unit and Euler's number an index of their name would not be seen.
        let is_other = name != "e" && (name != "i" || body.any(&|e| *e == Expr::Imaginary));
        let body = match name.as_str() {
            "i" => body.map(&mut |e| match e {
                Expr::Imaginary => Expr::Symbol("i".to_owned()),
                other => other,
            }),
            _ => body,
        };
        let mut size = 0;
        body.map(&mut |e| {
            size += 1;
            e
        });
        if !is_other || count > MOST_TERMS || count * size > MOST_NODES {
            return None;
        }
        Some(
            (first..=last)
                .map(|k| body.with_value(&name, &Expr::integer(k)))
                .collect(),
        )
    }

    /// An unknown command with its sub- and superscripts and groups is a symbol of that spelling.
    fn opaque(&mut self, name: &str) -> Option<Expr> {
        let start = self.at;
        while matches!(self.peek_mark(), Some('_' | '^' | '{')) {
            if self.peek_mark() != Some('{') {
                // A power of a Greek letter is a power; limits of a sum belong to its name.
                if self.peek_mark() == Some('^') && !is_operator(name) {
                    break;
                }
                self.at += 1;
            }
            self.argument_tokens()?;
        }
        Some(Expr::Symbol(format!(
            "{name}{}",
            spelled(&self.tokens[start..self.at])
        )))
    }
}

/// Longer sums and products are symbols.
const MOST_TERMS: usize = 200;

/// As are those of long terms.
const MOST_NODES: usize = 4000;

/// The value of an exponent that is 1 or -1.
fn small(exponent: &Expr) -> Option<i8> {
    match exponent {
        Expr::Negative(inner) => small(inner).map(|value| -value),
        one => (*one == Expr::integer(1)).then_some(1),
    }
}

/// `d`, `dx`, `d^2 y`
fn begins_with_d(expr: &Expr) -> bool {
    match expr {
        Expr::Symbol(name) => name == "d",
        Expr::Product(parts) => parts.first().is_some_and(begins_with_d),
        Expr::Power(base, _) => begins_with_d(base),
        _ => false,
    }
}

fn is_operator(name: &str) -> bool {
    matches!(
        name,
        "sum" | "prod" | "int" | "lim" | "max" | "min" | "bigcup" | "bigcap"
    )
}

/// The square root of a number below zero is imaginary.
fn root(index: Expr, radicand: Expr) -> Expr {
    match radicand {
        Expr::Negative(number)
            if index == Expr::integer(2) && matches!(*number, Expr::Number(_)) =>
        {
            let real = Expr::Root(Box::new(index), number);
            Expr::Product(vec![Expr::Imaginary, real])
        }
        other => Expr::Root(Box::new(index), Box::new(other)),
    }
}

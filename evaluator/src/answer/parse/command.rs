//! Letters and commands: symbols, constants, fractions, roots, functions.

use super::{MAX_DEPTH, Parser, single_or, spelled};
use crate::answer::{
    parse::token::Token,
    value::expr::{Expr, Function},
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

//! Reads tokens as one expression.
//!
//! A recursive-descent parser with one token of lookahead and a limit on depth: what nests deeper is
//! no answer, and the trees it returns are safe to walk recursively.
//!
//! ```text
//! sum     = [sign] product { sign product }
//! product = signed { [* | / | :] signed }
//! power   = atom { ^ argument | _ argument | ! | % | ' }
//! ```

use num_bigint::BigInt;
use num_rational::BigRational;

use super::{
    expr::{Expr, Function},
    number::decimal,
    token::Token,
};

/// How deep expressions may nest.
const MAX_DEPTH: usize = 40;

/// Letters that, before an opening parenthesis, name a function and not a factor.
const FUNCTION_LETTERS: [char; 6] = ['f', 'g', 'h', 'F', 'G', 'W'];

/// Reads all of `tokens` as one expression; `None` if they are not exactly one.
pub(super) fn expression(tokens: &[Token]) -> Option<Expr> {
    let mut parser = Parser {
        tokens: tokens.to_vec(),
        at: 0,
        depth: 0,
        bars: 0,
    };
    let expr = parser.sum()?;
    (parser.at == tokens.len()).then_some(expr)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// How many `|` are open, so that the next one closes.
    bars: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn eat(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }

    fn eat_mark(&mut self, mark: char) -> bool {
        self.eat(&Token::Mark(mark))
    }

    fn peek_mark(&self) -> Option<char> {
        match self.peek() {
            Some(Token::Mark(mark)) => Some(*mark),
            _ => None,
        }
    }

    fn peek_command(&self) -> Option<&str> {
        match self.peek() {
            Some(Token::Command(name)) => Some(name),
            _ => None,
        }
    }

    fn sum(&mut self) -> Option<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut terms = Vec::new();
        loop {
            let sign = self.sign();
            if sign.is_none() && !terms.is_empty() {
                break;
            }
            let term = self.product()?;
            terms.push(match sign {
                None | Some(Sign::Plus) => term,
                Some(Sign::Minus) => Expr::Negative(Box::new(term)),
                Some(Sign::PlusMinus { flipped }) => Expr::PlusMinus {
                    flipped,
                    inner: Box::new(term),
                },
            });
        }
        self.depth -= 1;
        Some(single_or(terms, Expr::Sum))
    }

    fn sign(&mut self) -> Option<Sign> {
        let sign = match self.peek()? {
            Token::Mark('+') => Sign::Plus,
            Token::Mark('-') => Sign::Minus,
            Token::Command(name) if name == "pm" => Sign::PlusMinus { flipped: false },
            Token::Command(name) if name == "mp" => Sign::PlusMinus { flipped: true },
            _ => return None,
        };
        self.at += 1;
        Some(sign)
    }

    fn product(&mut self) -> Option<Expr> {
        let first = self.factor()?;
        let mut value = vec![first];
        loop {
            let times = self.eat_mark('*')
                || matches!(self.peek_command(), Some("times" | "cdot" | "ast")) && {
                    self.at += 1;
                    true
                };
            let over = !times
                && (self.eat_mark('/')
                    || self.eat_mark(':')
                    || self.peek_command() == Some("div") && {
                        self.at += 1;
                        true
                    });
            if times || over {
                let negative = self.eat_mark('-');
                let mut factor = self.factor()?;
                if negative {
                    factor = Expr::Negative(Box::new(factor));
                }
                if over {
                    value = vec![Expr::quotient(single_or(value, Expr::Product), factor)];
                } else {
                    value.push(factor);
                }
            } else if self.starts_factor() {
                let mixed = self.is_mixed_number();
                let factor = self.factor()?;
                match value.last_mut() {
                    Some(last) if mixed => *last = Expr::Sum(vec![last.clone(), factor]),
                    _ => value.push(factor),
                }
            } else {
                return Some(single_or(value, Expr::Product));
            }
        }
    }

    /// Whether a factor can begin here without a sign of multiplication.
    fn starts_factor(&self) -> bool {
        match self.peek() {
            None => false,
            Some(Token::Number(_) | Token::Letter(_)) => true,
            Some(Token::Mark('(' | '[' | '{')) => true,
            Some(Token::Mark('|')) => self.bars == 0,
            Some(Token::Command(name)) => !matches!(
                name.as_str(),
                "pm" | "mp" | "rfloor" | "rceil" | "rangle" | "mid" | "cup" | "cap" | "to"
            ),
            _ => false,
        }
    }

    /// `21 \frac{13}{14}`: a whole number directly followed by a fraction of whole numbers.
    fn is_mixed_number(&self) -> bool {
        let whole = |token: Option<&Token>| matches!(token, Some(Token::Number(digits)) if !digits.contains('.'));
        let open = |token: Option<&Token>| token == Some(&Token::Mark('{'));
        let next = |offset: usize| self.tokens.get(self.at + offset);
        self.at > 0
            && whole(self.tokens.get(self.at - 1))
            && (self.at < 2 || self.tokens[self.at - 2] != Token::Mark('^'))
            && self.peek_command() == Some("frac")
            && (whole(next(1))
                || open(next(1)) && whole(next(2)) && open(next(4)) && whole(next(5)))
    }

    fn factor(&mut self) -> Option<Expr> {
        let mut base = self.atom()?;
        loop {
            let Some(token) = self.peek() else {
                return Some(base);
            };
            match token {
                Token::Mark('^') => {
                    self.at += 1;
                    base = self.raised(base)?;
                }
                Token::Mark('_') => {
                    self.at += 1;
                    base = self.subscripted(base)?;
                }
                Token::Mark('!') => {
                    self.at += 1;
                    base = Expr::Function(Function::Factorial, Box::new(base));
                }
                Token::Mark('%') => {
                    self.at += 1;
                    base = Expr::quotient(base, Expr::integer(100));
                }
                Token::Mark('\'') if matches!(base, Expr::Symbol(_)) => {
                    self.at += 1;
                    base = named(base, "'");
                }
                _ => return Some(base),
            }
        }
    }

    fn raised(&mut self, base: Expr) -> Option<Expr> {
        if self.peek_command() == Some("circ") {
            self.at += 1;
            let half_turn = Expr::quotient(Expr::Pi, Expr::integer(180));
            return Some(Expr::Product(vec![base, half_turn]));
        }
        let exponent = self.exponent()?;
        Some(Expr::Power(Box::new(base), Box::new(exponent)))
    }

    /// People write `10^10` and `2^-1` where LaTeX wants braces.
    fn exponent(&mut self) -> Option<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let negative = self.eat_mark('-');
        let mut exponent = match self.peek()? {
            Token::Number(digits) => {
                let value = Expr::Number(decimal(digits)?);
                self.at += 1;
                value
            }
            _ => self.atom()?,
        };
        // Towers associate to the right.
        if self.eat_mark('^') {
            exponent = Expr::Power(Box::new(exponent), Box::new(self.exponent()?));
        }
        self.depth -= 1;
        Some(if negative {
            Expr::Negative(Box::new(exponent))
        } else {
            exponent
        })
    }

    /// `x_1` is a symbol of that name; `204_5` is a number in base 5.
    fn subscripted(&mut self, base: Expr) -> Option<Expr> {
        let start = self.at;
        self.argument_tokens()?;
        let subscript = &self.tokens[start..self.at];
        match base {
            Expr::Number(number) => {
                let base: u32 = spelled(subscript).parse().ok()?;
                let digits = number.is_integer().then(|| number.to_integer())?;
                in_base(&digits.to_string(), base)
            }
            symbol => Some(named(symbol, &format!("_{}", spelled(subscript)))),
        }
    }

    /// Passes one argument of a command: a group, or a single token.
    fn argument_tokens(&mut self) -> Option<()> {
        if !self.eat_mark('{') {
            self.peek()?;
            self.at += 1;
            return Some(());
        }
        let mut depth = 1;
        while depth > 0 {
            match self.peek()? {
                Token::Mark('{') => depth += 1,
                Token::Mark('}') => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
        Some(())
    }

    /// One argument of a command as an expression; of digits without braces only the first.
    fn argument(&mut self) -> Option<Expr> {
        if let Some(Token::Number(digits)) = self.peek() {
            let (first, rest) = digits.split_at(digits.chars().next()?.len_utf8());
            let (first, rest) = (first.to_owned(), rest.to_owned());
            self.at += 1;
            if !rest.is_empty() {
                self.at -= 1;
                self.tokens[self.at] = Token::Number(rest);
            }
            return Some(Expr::Number(decimal(&first)?));
        }
        self.atom()
    }

    fn closed(&mut self, close: &Token) -> Option<Expr> {
        let bars = std::mem::take(&mut self.bars);
        let inner = self.sum()?;
        self.bars = bars;
        self.eat(close).then_some(inner)
    }

    fn atom(&mut self) -> Option<Expr> {
        let token = self.peek()?.clone();
        self.at += 1;
        match token {
            Token::Number(digits) => Some(Expr::Number(decimal(&digits)?)),
            Token::Letter(letter) => self.letter(letter),
            Token::Mark('(') => self.closed(&Token::Mark(')')),
            Token::Mark('[') => self.closed(&Token::Mark(']')),
            Token::Mark('{') => self.closed(&Token::Mark('}')),
            Token::Mark('|') => {
                self.bars += 1;
                let inner = self.sum()?;
                self.bars -= 1;
                let closed = self.eat_mark('|');
                closed.then(|| Expr::Function(Function::Abs, Box::new(inner)))
            }
            Token::Command(name) => self.command(&name),
            _ => None,
        }
    }

    fn letter(&mut self, letter: char) -> Option<Expr> {
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

    fn command(&mut self, name: &str) -> Option<Expr> {
        match name {
            "frac" => {
                let numerator = self.argument()?;
                Some(Expr::quotient(numerator, self.argument()?))
            }
            "sqrt" => {
                let index = if self.eat_mark('[') {
                    self.closed(&Token::Mark(']'))?
                } else {
                    Expr::integer(2)
                };
                Some(Expr::Root(Box::new(index), Box::new(self.argument()?)))
            }
            "binom" => {
                let n = self.argument()?;
                Some(Expr::Binomial(Box::new(n), Box::new(self.argument()?)))
            }
            "pi" => Some(Expr::Pi),
            "infty" => Some(Expr::Infinity),
            "lfloor" => self.rounded(Function::Floor, "rfloor"),
            "lceil" => self.rounded(Function::Ceil, "rceil"),
            "log" | "lg" => self.logarithm(name),
            "boxed" | "overline" | "vec" | "mathbf" | "bf" | "rm" => self.argument(),
            _ => match Function::named(name) {
                Some(function) => self.function(function),
                None => self.opaque(name),
            },
        }
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
        let value = Expr::Function(function, Box::new(argument));
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

    /// A base may follow; without one `\log` is taken to the base of Euler and `\lg` to that of ten.
    fn logarithm(&mut self, name: &str) -> Option<Expr> {
        let base = if self.eat_mark('_') {
            Some(self.argument()?)
        } else {
            (name == "lg").then(|| Expr::integer(10))
        };
        let value = self.function(Function::Ln)?;
        Some(match base {
            None => value,
            Some(base) => Expr::quotient(value, Expr::Function(Function::Ln, Box::new(base))),
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

enum Sign {
    Plus,
    Minus,
    PlusMinus { flipped: bool },
}

fn is_operator(name: &str) -> bool {
    matches!(
        name,
        "sum" | "prod" | "int" | "lim" | "max" | "min" | "bigcup" | "bigcap"
    )
}

fn single_or(mut parts: Vec<Expr>, many: impl Fn(Vec<Expr>) -> Expr) -> Expr {
    if parts.len() == 1 {
        parts.remove(0)
    } else {
        many(parts)
    }
}

/// The symbol with something added to its name; of anything else, an opaque application.
fn named(expr: Expr, suffix: &str) -> Expr {
    match expr {
        Expr::Symbol(name) => Expr::Symbol(name + suffix),
        Expr::Euler => Expr::Symbol(format!("e{suffix}")),
        Expr::Imaginary => Expr::Symbol(format!("i{suffix}")),
        other => Expr::Apply(suffix.to_owned(), vec![other]),
    }
}

/// The tokens written without spaces and braces, as a name.
pub(super) fn spelled(tokens: &[Token]) -> String {
    let mut name = String::new();
    for token in tokens {
        match token {
            Token::Number(text) | Token::Command(text) | Token::Text(text) => name.push_str(text),
            Token::Letter(letter) => name.push(*letter),
            Token::Mark('{' | '}') => {}
            Token::Mark(mark) => name.push(*mark),
            Token::Relation(relation) => name.push_str(&format!("{relation:?}")),
            Token::SetOpen | Token::SetClose | Token::RowBreak | Token::Begin | Token::End => {
                name.push('|');
            }
        }
    }
    name
}

fn in_base(digits: &str, base: u32) -> Option<Expr> {
    let value = BigInt::parse_bytes(digits.as_bytes(), (2..=36).contains(&base).then_some(base)?)?;
    Some(Expr::Number(BigRational::from_integer(value)))
}

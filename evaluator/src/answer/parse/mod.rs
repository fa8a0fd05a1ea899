//! Reads tokens as one expression.
//!
//! A recursive-descent parser with one token of lookahead and limits on the depth of brackets and on the signs
//! and divisions in a row: what nests deeper is no answer, and the trees it returns are safe to walk recursively.
//!
//! ```text
//! sum     = [sign] product { sign product }
//! product = signed { [* | / | :] signed }
//! power   = atom { ^ argument | _ argument | ! | % | ' }
//! ```

pub(crate) mod brackets;
pub(crate) mod clean;
pub(crate) mod gaps;
pub(crate) mod letters;
pub(crate) mod respelled;
pub(crate) mod scripts;
pub(crate) mod token;

mod command;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;

use crate::answer::{
    parse::token::Token,
    value::expr::{Expr, Function},
    value::number::decimal,
    value::words,
};

/// How deep brackets may nest, and how many divisions or signs behind a factor may follow each other.
const MAX_DEPTH: usize = 40;

/// Commands between things whose order counts, or that are no arithmetic: what stands around them is no product.
const NO_FACTORS: [&str; 26] = [
    "pm",
    "mp",
    "rfloor",
    "rceil",
    "rangle",
    "mid",
    "cup",
    "cap",
    "to",
    "circ",
    "setminus",
    "Rightarrow",
    "Leftarrow",
    "rightarrow",
    "leftarrow",
    "Leftrightarrow",
    "leftrightarrow",
    "implies",
    "iff",
    "mapsto",
    "wedge",
    "vee",
    "land",
    "lor",
    "subset",
    "subseteq",
];

/// Reads all of `tokens` as one expression; `None` if they are not exactly one.
pub(crate) fn expression(tokens: &[Token]) -> Option<Expr> {
    let mut parser = Parser {
        tokens: tokens.to_vec(),
        at: 0,
        depth: 0,
        bars: 0,
        spells_out: true,
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
    /// Whether sums are still written out, and `\gcd` worked out. What cannot be is read again as a symbol; trying it again doubles the work.
    spells_out: bool,
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
            // `5 + -4i`
            let is_turned = sign.is_some() && self.eat_mark('-');
            // `5 - +2`
            if sign.is_some() && !is_turned {
                self.eat_mark('+');
            }
            let mut term = self.product()?;
            if is_turned {
                term = Expr::Negative(Box::new(term));
            }
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
        let mut divisions = 0;
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
                divisions += usize::from(over);
                if divisions > MAX_DEPTH {
                    return None;
                }
                let negative = self.eat_mark('-');
                let mut factor = self.factor()?;
                if negative {
                    factor = Expr::Negative(Box::new(factor));
                }
                if over {
                    value = vec![Expr::quotient(single_or(value, Expr::product), factor)];
                } else {
                    value.push(factor);
                }
            } else if let Some(part) = self.plain_fraction() {
                let whole = value.pop()?;
                value.push(Expr::Sum(vec![whole, part]));
            } else if self.starts_power_behind(value.last()) {
                value.push(self.factor()?);
            } else if self.starts_factor() {
                let mixed = self.is_mixed_number();
                let factor = self.factor()?;
                match value.last_mut() {
                    Some(last) if mixed => *last = Expr::Sum(vec![last.clone(), factor]),
                    _ => value.push(factor),
                }
            } else {
                return Some(single_or(value, Expr::product));
            }
        }
    }

    /// Whether a factor can begin here without a sign of multiplication. A number cannot: `5 6` is two answers and no
    /// product, and `H2O` or `3 R 2` is none either.
    fn starts_factor(&self) -> bool {
        match self.peek() {
            Some(Token::Letter(_) | Token::Name(_)) => true,
            Some(Token::Mark('(' | '[' | '{')) => true,
            Some(Token::Mark('|')) => self.bars == 0,
            Some(Token::Command(name)) => !NO_FACTORS.contains(&name.as_str()),
            _ => false,
        }
    }

    /// `2^3 3^2`, `4! 5!`: a power or factorial of a number behind another one, with no sign between.
    fn starts_power_behind(&self, last: Option<&Expr>) -> bool {
        let is_raised = |token: Option<&Token>| matches!(token, Some(Token::Mark('^' | '!')));
        matches!(
            last,
            Some(Expr::Power(..) | Expr::Function(Function::Factorial, _) | Expr::Binomial(..))
        ) && matches!(self.peek(), Some(Token::Number(_)))
            && is_raised(self.tokens.get(self.at + 1))
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

    /// The `1/7` of `3 1/7`: less than one, behind a whole number that is no power.
    fn plain_fraction(&mut self) -> Option<Expr> {
        let whole = |at: usize| match self.tokens.get(at) {
            Some(Token::Number(digits)) if !digits.contains('.') => decimal(digits),
            _ => None,
        };
        let is_mark = |at: usize, marks: [char; 4]| matches!(self.tokens.get(at), Some(Token::Mark(mark)) if marks.contains(mark));
        let at = self.at;
        whole(at.checked_sub(1)?)?;
        let (numerator, denominator) = (whole(at)?, whole(at + 2)?);
        let is_part = is_mark(at + 1, ['/'; 4])
            && !is_mark(at + 3, ['/', '^', '!', '_'])
            && !(at > 1 && is_mark(at - 2, ['/', '^', ':', '_']));
        (is_part && numerator < denominator).then(|| {
            self.at += 3;
            Expr::Number(numerator / denominator)
        })
    }

    fn factor(&mut self) -> Option<Expr> {
        let mut base = self.atom()?;
        for _ in 0..=MAX_DEPTH {
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
        None
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
                let base = base_named(&spelled(subscript))?;
                let digits = number.is_integer().then(|| number.to_integer())?;
                in_base(&digits.to_string(), base)
            }
            symbol => {
                let name = format!("_{}", spelled(subscript));
                let chosen = (symbol == Expr::Symbol("C".to_owned())).then(|| self.chosen(start));
                Some(chosen.flatten().unwrap_or_else(|| named(symbol, &name)))
            }
        }
    }

    /// `C_5^2`, whose index begins at `start`: two of five, where both are whole numbers and the first is not less.
    fn chosen(&mut self, start: usize) -> Option<Expr> {
        let number = |tokens: &[Token]| match tokens {
            [Token::Number(digits)] | [_, Token::Number(digits), _] => decimal(digits),
            _ => None,
        };
        let all = number(&self.tokens[start..self.at])?;
        let before = self.at;
        let some = self.eat_mark('^').then(|| {
            let start = self.at;
            self.argument_tokens()?;
            number(&self.tokens[start..self.at])
        });
        match some.flatten().filter(|some| *some <= all) {
            Some(some) => Some(Expr::Binomial(
                Box::new(Expr::Number(all)),
                Box::new(Expr::Number(some)),
            )),
            None => {
                self.at = before;
                None
            }
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
            Token::Name(name) => Some(Expr::Symbol(name)),
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
}

enum Sign {
    Plus,
    Minus,
    PlusMinus { flipped: bool },
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
pub(crate) fn spelled(tokens: &[Token]) -> String {
    let mut name = String::new();
    for token in tokens {
        match token {
            Token::Number(text) | Token::Name(text) | Token::Command(text) | Token::Text(text) => {
                name.push_str(text)
            }
            Token::Letter(letter) => name.push(*letter),
            Token::Mark('{' | '}') => {}
            Token::Mark(mark) => name.push(*mark),
            Token::Relation(relation) => name.push_str(&format!("{relation:?}")),
            Token::Gap => {}
            Token::SetOpen | Token::SetClose | Token::RowBreak | Token::Begin | Token::End => {
                name.push('|');
            }
        }
    }
    name
}

/// The base of a number: `8`, `eight`.
fn base_named(name: &str) -> Option<u32> {
    let digits = name.parse().ok();
    digits.or_else(|| words::leading_number(&[name])?.0.to_u32())
}

fn in_base(digits: &str, base: u32) -> Option<Expr> {
    let value = BigInt::parse_bytes(digits.as_bytes(), (2..=36).contains(&base).then_some(base)?)?;
    Some(Expr::Number(BigRational::from_integer(value)))
}

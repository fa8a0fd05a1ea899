//! Cuts cleaned LaTeX into tokens.

use crate::answer::{
    parse::clean::GAP_MARK, parse::gaps, parse::letters, value::expr::Function,
    value::relation::Relation, value::unit,
};

/// The smallest unit with a meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// Digits with at most one point, separators removed; a period in parentheses at the end.
    Number(String),
    /// One letter: a symbol.
    Letter(char),
    /// Several capital letters, which together are the name of a segment, a triangle, a row of results.
    Name(String),
    /// `\name`, without the backslash.
    Command(String),
    /// The words of `\text{…}`, and bare ones.
    Text(String),
    Relation(Relation),
    /// White space that keeps two formulas apart: a wide one, a new line, dollars that close and open.
    Gap,
    /// `\{`
    SetOpen,
    /// `\}`
    SetClose,
    /// `\\`
    RowBreak,
    /// `\begin{name}`, with the columns of an array.
    Begin,
    /// `\end{name}`
    End,
    /// Any other character.
    Mark(char),
}

/// Commands whose argument is text.
const TEXTS: [&str; 4] = ["text", "mathrm", "operatorname", "mathit"];

/// Cuts `text` into tokens. With `thousands`, `1,234` outside of brackets is one number.
pub(crate) fn tokens(text: &str, thousands: bool) -> Vec<Token> {
    let mut lexer = Lexer {
        text,
        at: 0,
        depth: 0,
        braces: 0,
        in_equation: false,
        thousands,
        tokens: Vec::new(),
    };
    while lexer.at < text.len() {
        lexer.step();
    }
    let mut tokens = lexer.tokens;
    if tokens.contains(&Token::Gap) {
        gaps::drop_idle(&mut tokens);
    }
    tokens
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// How many brackets are open.
    depth: usize,
    /// How many braces are open.
    braces: usize,
    /// A sign of equality stands before, with no gap behind it.
    in_equation: bool,
    thousands: bool,
    tokens: Vec<Token>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn push(&mut self, token: Token, length: usize) {
        self.tokens.push(token);
        self.at += length;
    }

    fn step(&mut self) {
        let rest = self.rest();
        let Some(c) = rest.chars().next() else { return };
        match c {
            _ if c.is_whitespace() => self.at += c.len_utf8(),
            '\\' => self.command(),
            '0'..='9' => self.number(),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            'a'..='z' | 'A'..='Z' => self.letters(),
            '<' if rest.starts_with("<=") => self.relation(Relation::LessOrEqual, 2),
            '>' if rest.starts_with(">=") => self.relation(Relation::GreaterOrEqual, 2),
            '!' if rest.starts_with("!=") => self.relation(Relation::NotEqual, 2),
            '<' => self.relation(Relation::Less, 1),
            '>' => self.relation(Relation::Greater, 1),
            '=' => {
                self.in_equation = true;
                self.relation(Relation::Equal, 1);
            }
            GAP_MARK => self.gap(1),
            _ if c.is_alphabetic() => self.push(Token::Letter(c), c.len_utf8()),
            _ => {
                match c {
                    '(' | '[' => self.depth += 1,
                    ')' | ']' => self.depth = self.depth.saturating_sub(1),
                    '{' => self.braces += 1,
                    '}' => self.braces = self.braces.saturating_sub(1),
                    _ => {}
                }
                self.push(Token::Mark(c), c.len_utf8());
            }
        }
    }

    /// Notes a gap where no bracket is open.
    fn gap(&mut self, length: usize) {
        self.at += length;
        let is_new = !self.tokens.is_empty() && self.tokens.last() != Some(&Token::Gap);
        if self.depth == 0 && self.braces == 0 && is_new {
            self.tokens.push(Token::Gap);
            self.in_equation = false;
        }
    }

    fn relation(&mut self, relation: Relation, length: usize) {
        self.push(Token::Relation(relation), length);
    }

    fn command(&mut self) {
        let after = &self.rest()[1..];
        let name: &str = &after[..after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len())];
        let length = 1 + name.len();
        match name {
            "" => {
                let Some(c) = after.chars().next() else {
                    self.at += 1;
                    return;
                };
                let token = match c {
                    '{' => {
                        self.depth += 1;
                        Token::SetOpen
                    }
                    '}' => {
                        self.depth = self.depth.saturating_sub(1);
                        Token::SetClose
                    }
                    '\\' if self.depth == 0 && self.braces == 0 => return self.gap(2),
                    '\\' => Token::RowBreak,
                    c => Token::Mark(c),
                };
                self.push(token, 1 + c.len_utf8());
            }
            "le" | "leq" | "leqslant" => self.relation(Relation::LessOrEqual, length),
            "ge" | "geq" | "geqslant" => self.relation(Relation::GreaterOrEqual, length),
            "lt" => self.relation(Relation::Less, length),
            "gt" => self.relation(Relation::Greater, length),
            "ne" | "neq" => self.relation(Relation::NotEqual, length),
            "approx" | "simeq" | "doteq" => self.relation(Relation::Approximately, length),
            "in" => self.relation(Relation::Element, length),
            "notin" => self.relation(Relation::NotElement, length),
            "quad" | "qquad" => self.gap(length),
            "big" | "Big" | "bigg" | "Bigg" | "bigl" | "bigr" => self.at += length,
            "begin" | "end" => self.environment(name == "begin", length),
            _ if name.starts_with("quad") => self.gap("\\quad".len()),
            _ if TEXTS.contains(&name) => self.text(length),
            _ => match unit_fraction(self.rest()).filter(|_| self.is_behind_value()) {
                Some((unit, length)) => self.push(Token::Text(unit), length),
                None => self.push(Token::Command(name.to_owned()), length),
            },
        }
    }

    /// `\begin{name}`, `\end{name}`; all environments are matrices here.
    fn environment(&mut self, begins: bool, length: usize) {
        self.at += length;
        if begins && self.rest().trim_start().starts_with("{vmatrix}") {
            self.tokens.push(Token::Command("det".to_owned()));
        }
        let groups = if self.rest().trim_start().starts_with("{array}") && begins {
            2
        } else {
            1
        };
        for _ in 0..groups {
            let Some(close) = self.rest().find('}') else {
                break;
            };
            self.at += close + 1;
        }
        self.depth = if begins {
            self.depth + 1
        } else {
            self.depth.saturating_sub(1)
        };
        self.tokens
            .push(if begins { Token::Begin } else { Token::End });
    }

    /// `\text{…}`; braces inside count. A single letter in it is a symbol.
    fn text(&mut self, length: usize) {
        self.at += length;
        let rest = self.rest().trim_start();
        let Some(inner) = rest.strip_prefix('{') else {
            return;
        };
        let mut depth = 1;
        let end = inner.find(|c| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let words = inner[..end.unwrap_or(inner.len())].trim();
        let command = match words {
            "infinity" | "inf" if self.depth > 0 => Some("infty"),
            "lcm" | "gcd" | "max" | "min" => Some(words),
            _ => Function::named(words).map(|_| words),
        };
        if let Some(command) = command {
            self.at = self.text.len() - inner.len() + end.map_or(inner.len(), |end| end + 1);
            self.tokens.push(Token::Command(command.to_owned()));
            return;
        }
        if words.contains('\\') {
            // A formula in the clothes of a text: its braces only group.
            self.at = self.text.len() - rest.len();
            return;
        }
        self.at = self.text.len() - inner.len() + end.map_or(inner.len(), |end| end + 1);
        let number = words
            .split(' ')
            .next()
            .filter(|word| crate::answer::value::number::decimal(word).is_some());
        if let Some(number) = number {
            self.tokens.push(Token::Number(number.replace(',', "")));
        }
        let words = words[number.map_or(0, str::len)..].trim();
        let mut letters = words.chars();
        match (letters.next(), letters.next()) {
            (None, _) => {}
            // Alone a letter is a symbol, behind a number it is a unit.
            (Some(letter), None)
                if letter.is_alphabetic() && !self.is_behind_value() && !self.is_behind_unit() =>
            {
                self.tokens.push(Token::Letter(letter));
            }
            _ if let Some((joint @ ("and" | "or"), behind)) = words.split_once(' ') => {
                self.tokens.push(Token::Text(joint.to_owned()));
                self.tokens.push(Token::Text(behind.to_owned()));
            }
            _ => match words.rsplit_once(' ') {
                // `5 \text{ red and } 3 \text{ blue}`
                Some((before, joint @ ("and" | "or"))) if self.is_behind_value() => {
                    self.tokens.push(Token::Text(before.to_owned()));
                    self.tokens.push(Token::Text(joint.to_owned()));
                }
                _ => self.tokens.push(Token::Text(words.to_owned())),
            },
        }
    }

    fn is_behind_value(&self) -> bool {
        match self.tokens.last() {
            Some(Token::Number(_) | Token::Mark('}' | ')')) => true,
            Some(Token::Command(name)) => name == "pi",
            _ => false,
        }
    }

    /// `km`, `km /`: what follows is a part of the unit.
    fn is_behind_unit(&self) -> bool {
        match &self.tokens[..] {
            [.., Token::Text(unit)] | [.., Token::Text(unit), Token::Mark('/')] => {
                unit::named(unit).is_some()
            }
            _ => false,
        }
    }

    fn letters(&mut self) {
        let rest = self.rest();
        let run = &rest[..rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len())];
        if self.in_equation && self.tokens.last().is_some_and(gaps::ends_number) {
            let is_apart = self.text[..self.at].ends_with(char::is_whitespace);
            if is_apart && gaps::begins_equation(rest) {
                self.gap(0);
            }
        }
        if self.follows_number_apart()
            && let Some(rate) = rate(rest)
        {
            return self.word(rate);
        }
        let stands_alone = self.text[..self.at].trim_end().len() < self.at || self.at == 0;
        match run {
            // Two letters that nobody means as a product.
            "is" | "It" | "it" if stands_alone && rest[run.len()..].starts_with(' ') => {
                self.word(run);
            }
            "and" | "or" => self.push(Token::Text(run.to_owned()), run.len()),
            "infinity" | "Infinity" | "inf" | "oo" if self.depth > 0 => {
                self.push(Token::Command("infty".to_owned()), run.len());
            }
            "st" | "nd" | "rd" | "th"
                if self.text[..self.at].ends_with(|c: char| c.is_ascii_digit()) =>
            {
                self.word(run);
            }
            _ if let Some(name) = letters::command(run) => {
                self.push(Token::Command(name.to_owned()), run.len());
            }
            "gcd" | "lcm" | "max" | "min" if rest[run.len()..].starts_with('(') => {
                self.push(Token::Command(run.to_owned()), run.len());
            }
            "abs" | "cbrt" if rest[run.len()..].starts_with('(') => {
                self.push(Token::Command(run.to_owned()), run.len());
            }
            // Glued to what it joins, as in `x=1ory=2`.
            _ if run.starts_with("or") && self.follows_value() => {
                self.push(Token::Text("or".to_owned()), 2);
            }
            _ if self.follows_number_apart()
                && (run.len() > 1 || is_before_number(&rest[run.len()..]))
                && unit::named(run).is_some() =>
            {
                self.word(run);
            }
            _ => match letters::symbols(run) {
                Some(symbols) => {
                    self.tokens.extend(symbols);
                    self.at += run.len();
                }
                None => self.word(run),
            },
        }
    }

    /// A bare word. Words in a row are one text, as they are in `\text{…}`.
    fn word(&mut self, word: &str) {
        let follows_word = self.text[..self.at].ends_with(char::is_whitespace);
        match self.tokens.last_mut() {
            Some(Token::Text(words)) if follows_word && !matches!(words.as_str(), "and" | "or") => {
                words.push(' ');
                words.push_str(word);
            }
            _ => self.tokens.push(Token::Text(word.to_owned())),
        }
        self.at += word.len();
    }

    /// Whether white space keeps what follows apart from a number: there `cm` is a unit and no product.
    fn follows_number_apart(&self) -> bool {
        let before = &self.text[..self.at];
        before.ends_with(' ') && before.trim_end().ends_with(|c: char| c.is_ascii_digit())
    }

    fn follows_value(&self) -> bool {
        self.text[..self.at].ends_with(|c: char| c.is_ascii_digit() || c == ')')
    }

    fn number(&mut self) {
        let bytes = self.rest().as_bytes();
        let digits_from = |from: usize| {
            bytes[from..]
                .iter()
                .take_while(|b| b.is_ascii_digit())
                .count()
        };
        let mut number = String::new();
        let mut at = digits_from(0);
        number.push_str(&self.rest()[..at]);
        let may_group = (1..=3).contains(&at);
        while may_group && at > 0 {
            // `1,234` where wished; `1 234` always, for two numbers side by side mean nothing else.
            let group_follows = match bytes.get(at) {
                // No group of thousands is counted from zero.
                Some(_) if number.starts_with('0') => false,
                Some(b',') => self.thousands && self.depth == 0 && digits_from(at + 1) == 3,
                Some(b' ') => digits_from(at + 1) == 3,
                _ => false,
            };
            if !group_follows {
                break;
            }
            number.push_str(&self.rest()[at + 1..at + 4]);
            at += 4;
        }
        if bytes.get(at) == Some(&b'.') {
            let decimals = digits_from(at + 1);
            let after = at + 1 + decimals;
            let period = period(&self.rest()[after..]);
            // A point without digits ends a sentence.
            if decimals > 0 || period.is_some() {
                number.push_str(&self.rest()[at..after]);
                at = after;
            }
            if let Some((digits, length)) = period {
                number.push_str(&format!("({digits})"));
                at += length;
            }
        }
        self.push(Token::Number(number), at.max(1));
    }
}

/// The rate at the start of `text`, such as `m/s^2`, if it is one that is known.
fn rate(text: &str) -> Option<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '^');
    let rate = &text[..text.find(|c| !is_part(c)).unwrap_or(text.len())];
    (rate.contains('/') && unit::named(rate).is_some()).then_some(rate)
}

/// Whether the next quantity follows, as the minutes follow in `2 h 30 min`.
fn is_before_number(text: &str) -> bool {
    let number = text.trim_start();
    number.len() < text.len() && number.starts_with(|c: char| c.is_ascii_digit())
}

/// `\frac{\text{km}}{\text{h}}` at the start of `text` as `km/h`, and its length.
fn unit_fraction(text: &str) -> Option<(String, usize)> {
    let (above, rest) = worded(text.strip_prefix(r"\frac{")?)?;
    let (below, rest) = worded(rest.strip_prefix('{')?)?;
    let unit = format!("{above}/{below}");
    unit::named(&unit)?;
    Some((unit, text.len() - rest.len()))
}

/// The words of `\text{…}}` at the start of `text`, and what is behind its braces.
fn worded(text: &str) -> Option<(&str, &str)> {
    let command = text.trim_start().strip_prefix('\\')?;
    let name = TEXTS.iter().find(|name| command.starts_with(**name))?;
    let (words, rest) = command[name.len()..].strip_prefix('{')?.split_once('}')?;
    Some((words.trim(), rest.trim_start().strip_prefix('}')?))
}

/// The period of a repeating decimal at the start of `text`, `\overline{3}` or `\dot{3}`, and its length
/// with its dress.
fn period(text: &str) -> Option<(&str, usize)> {
    let inner = text
        .strip_prefix(r"\overline{")
        .or_else(|| text.strip_prefix(r"\dot{"))?;
    let digits = &inner[..inner.find('}')?];
    let length = text.len() - inner.len() + digits.len() + 1;
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then_some((digits, length))
}

//! Patterns as trees.

use super::RegexError;
use super::class::{self, Class, DIGITS, SPACE, WORD, complement, other_case};

/// A parsed pattern.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// Matches the empty text.
    Empty,
    /// One character out of a class.
    Class(Class),
    /// A character as it is.
    Char(char),
    Assert(Assertion),
    /// A numbered group.
    Group(usize, Box<Node>),
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat {
        node: Box<Node>,
        least: u32,
        most: Option<u32>,
        greedy: bool,
    },
}

/// A condition on a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Assertion {
    TextStart,
    TextEnd,
    LineStart,
    LineEnd,
    WordEdge,
    NotWordEdge,
}

/// A tree with what else the pattern says.
#[derive(Debug, Clone)]
pub(crate) struct Parsed {
    pub(crate) node: Node,
    /// Number of groups, the whole match included.
    pub(crate) groups: usize,
    pub(crate) names: Vec<(String, usize)>,
}

const MOST_DEPTH: usize = 100;
const MOST_REPEATS: u32 = 1000;

/// Parses a pattern.
pub(crate) fn parse(pattern: &str) -> Result<Parsed, RegexError> {
    let mut parser = Parser {
        pattern,
        at: 0,
        depth: 0,
        groups: 1,
        names: Vec::new(),
        flags: Flags::default(),
    };
    let node = parser.alternatives()?;
    if parser.at < pattern.len() {
        return Err(parser.error("this `)` closes nothing"));
    }
    Ok(Parsed {
        node,
        groups: parser.groups,
        names: parser.names,
    })
}

#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    ignore_case: bool,
    dot_is_any: bool,
    lines: bool,
    verbose: bool,
}

struct Parser<'p> {
    pattern: &'p str,
    at: usize,
    depth: usize,
    groups: usize,
    names: Vec<(String, usize)>,
    flags: Flags,
}

impl<'p> Parser<'p> {
    fn error(&self, message: &'static str) -> RegexError {
        RegexError {
            message,
            position: self.at,
        }
    }

    fn rest(&self) -> &'p str {
        &self.pattern[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn take_if(&mut self, text: &str) -> bool {
        let there = self.rest().starts_with(text);
        self.at += if there { text.len() } else { 0 };
        there
    }

    fn alternatives(&mut self) -> Result<Node, RegexError> {
        if self.depth > MOST_DEPTH {
            return Err(self.error("groups are nested too deep"));
        }
        self.depth += 1;
        let mut all = vec![self.sequence()?];
        while self.take_if("|") {
            all.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(match all.pop() {
            Some(only) if all.is_empty() => only,
            last => Node::Either(all.into_iter().chain(last).collect()),
        })
    }

    fn sequence(&mut self) -> Result<Node, RegexError> {
        let mut all = Vec::new();
        while let Some(c) = self.peek() {
            match c {
                '|' | ')' => break,
                _ if self.flags.verbose && c.is_whitespace() => self.at += c.len_utf8(),
                '#' if self.flags.verbose => {
                    self.at += self.rest().find('\n').unwrap_or(self.rest().len())
                }
                _ => {
                    let atom = self.atom()?;
                    all.push(self.repeats(atom)?);
                }
            }
        }
        Ok(Node::Sequence(all))
    }

    fn atom(&mut self) -> Result<Node, RegexError> {
        let start = self.at;
        let Some(c) = self.take() else {
            return Ok(Node::Empty);
        };
        Ok(match c {
            '(' => return self.group(start),
            '[' => Node::Class(self.class(start)?),
            '.' if self.flags.dot_is_any => Node::Class(Class {
                ranges: Vec::new(),
                negated: true,
            }),
            '.' => Node::Class(Class {
                ranges: vec![('\n', '\n')],
                negated: true,
            }),
            '^' if self.flags.lines => Node::Assert(Assertion::LineStart),
            '^' => Node::Assert(Assertion::TextStart),
            '$' if self.flags.lines => Node::Assert(Assertion::LineEnd),
            '$' => Node::Assert(Assertion::TextEnd),
            '*' | '+' | '?' => {
                return Err(RegexError {
                    message: "there is nothing to repeat",
                    position: start,
                });
            }
            '\\' => return self.escape(),
            c => self.literal(c),
        })
    }

    fn literal(&self, c: char) -> Node {
        if self.flags.ignore_case && c.is_ascii_alphabetic() {
            let (lower, upper) = (c.to_ascii_lowercase(), c.to_ascii_uppercase());
            return Node::Class(Class {
                ranges: vec![(upper, upper), (lower, lower)],
                negated: false,
            });
        }
        Node::Char(c)
    }

    fn group(&mut self, start: usize) -> Result<Node, RegexError> {
        let before = self.flags;
        let mut number = None;
        if self.take_if("?") {
            if self.take_if("P<")
                || (self.rest().starts_with('<')
                    && !self.rest().starts_with("<=")
                    && !self.rest().starts_with("<!")
                    && self.take_if("<"))
            {
                let name = self.group_name()?;
                number = Some(self.groups);
                self.names.push((name, self.groups));
                self.groups += 1;
            } else if !self.flag_list()? {
                // `(?i)` holds to the end of the group around it.
                return Ok(Node::Empty);
            }
        } else {
            number = Some(self.groups);
            self.groups += 1;
        }
        let inner = self.alternatives()?;
        if !self.take_if(")") {
            return Err(RegexError {
                message: "this group is not closed",
                position: start,
            });
        }
        self.flags = before;
        Ok(match number {
            Some(number) => Node::Group(number, Box::new(inner)),
            None => inner,
        })
    }

    fn group_name(&mut self) -> Result<String, RegexError> {
        let end = self
            .rest()
            .find('>')
            .ok_or_else(|| self.error("the name of this group has no end"))?;
        let name = &self.rest()[..end];
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(self.error("a group name consists of letters, digits and `_`"));
        }
        if self.names.iter().any(|(known, _)| known == name) {
            return Err(self.error("another group has this name"));
        }
        self.at += end + 1;
        Ok(name.to_owned())
    }

    /// The flags after `(?`. Whether a group follows (`:`) or the flags stand alone (`)`).
    fn flag_list(&mut self) -> Result<bool, RegexError> {
        let mut on = true;
        loop {
            let unknown = self.error("look-around and this kind of group are not available");
            match self
                .take()
                .ok_or_else(|| self.error("this group is not closed"))?
            {
                ':' => return Ok(true),
                ')' => return Ok(false),
                '-' => on = false,
                'i' => self.flags.ignore_case = on,
                's' => self.flags.dot_is_any = on,
                'm' => self.flags.lines = on,
                'x' => self.flags.verbose = on,
                'u' => {}
                _ => return Err(unknown),
            }
        }
    }

    fn repeats(&mut self, node: Node) -> Result<Node, RegexError> {
        let start = self.at;
        let (least, most) = match self.peek() {
            Some('{') => self.counts()?,
            Some(sign @ ('*' | '+' | '?')) => {
                self.at += 1;
                (u32::from(sign == '+'), (sign == '?').then_some(1))
            }
            _ => return Ok(node),
        };
        if least > MOST_REPEATS || most.is_some_and(|most| most > MOST_REPEATS || most < least) {
            return Err(RegexError {
                message: "these counts are too large or in the wrong order",
                position: start,
            });
        }
        let greedy = !self.take_if("?");
        if matches!(self.peek(), Some('*' | '+' | '?')) {
            return Err(self.error("there is nothing to repeat"));
        }
        Ok(Node::Repeat {
            node: Box::new(node),
            least,
            most,
            greedy,
        })
    }

    /// `{n}`, `{n,}` or `{n,m}`.
    fn counts(&mut self) -> Result<(u32, Option<u32>), RegexError> {
        let inside = self.rest()[1..].split_once('}').map(|(inside, _)| inside);
        let number = |text: &str| text.trim().parse::<u32>().ok();
        let counts = inside.and_then(|inside| match inside.split_once(',') {
            None => number(inside).map(|n| (n, Some(n))),
            Some((least, most)) if most.trim().is_empty() => number(least).map(|n| (n, None)),
            Some((least, most)) => number(least).zip(number(most)).map(|(n, m)| (n, Some(m))),
        });
        let counts = counts.ok_or_else(|| self.error("write a literal `{` as `\\{`"))?;
        self.at += inside.map_or(0, str::len) + 2;
        Ok(counts)
    }

    fn escape(&mut self) -> Result<Node, RegexError> {
        let edge = match self.peek() {
            Some('b') => Some(Assertion::WordEdge),
            Some('B') => Some(Assertion::NotWordEdge),
            Some('A') => Some(Assertion::TextStart),
            Some('z') => Some(Assertion::TextEnd),
            _ => None,
        };
        if let Some(edge) = edge {
            self.at += 1;
            return Ok(Node::Assert(edge));
        }
        Ok(match self.escaped()? {
            Escaped::Char(c) => self.literal(c),
            Escaped::Class(class) => Node::Class(class),
        })
    }

    /// What follows a backslash, in a class or outside.
    fn escaped(&mut self) -> Result<Escaped, RegexError> {
        let Some(c) = self.take() else {
            return Err(self.error("a backslash stands at the end"));
        };
        let class = |ranges: &[(char, char)], negated| {
            Escaped::Class(Class {
                ranges: ranges.to_vec(),
                negated,
            })
        };
        Ok(match c {
            'd' | 'D' => class(DIGITS, c == 'D'),
            'w' | 'W' => class(WORD, c == 'W'),
            's' | 'S' => class(SPACE, c == 'S'),
            'n' => Escaped::Char('\n'),
            't' => Escaped::Char('\t'),
            'r' => Escaped::Char('\r'),
            'f' => Escaped::Char('\u{c}'),
            'v' => Escaped::Char('\u{b}'),
            'x' | 'u' => Escaped::Char(self.code_point(c)?),
            c if c.is_ascii_alphanumeric() => {
                return Err(self.error("this escape is not available"));
            }
            c => Escaped::Char(c),
        })
    }

    fn code_point(&mut self, kind: char) -> Result<char, RegexError> {
        let rest = self.rest();
        let (digits, length) = match rest
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            Some((digits, _)) => (digits, digits.len() + 2),
            None => {
                let length = if kind == 'x' { 2 } else { 4 };
                (rest.get(..length).unwrap_or(""), length)
            }
        };
        let c = u32::from_str_radix(digits, 16)
            .ok()
            .and_then(char::from_u32);
        let c = c.ok_or_else(|| self.error("this is no code point"))?;
        self.at += length;
        Ok(c)
    }

    fn class(&mut self, start: usize) -> Result<Class, RegexError> {
        let unclosed = RegexError {
            message: "this class is not closed",
            position: start,
        };
        let negated = self.take_if("^");
        let mut ranges: Vec<(char, char)> = Vec::new();
        let mut first = true;
        loop {
            let at = self.at;
            let Some(c) = self.take() else {
                return Err(unclosed);
            };
            let low = match c {
                ']' if !first => break,
                '[' if self.rest().starts_with(':') => {
                    ranges.extend(self.posix()?);
                    first = false;
                    continue;
                }
                '[' => {
                    return Err(RegexError {
                        message: "write a literal `[` in a class as `\\[`",
                        position: at,
                    });
                }
                '&' if self.rest().starts_with('&') => {
                    return Err(RegexError {
                        message: "class operations are not available",
                        position: at,
                    });
                }
                '\\' => match self.escaped()? {
                    Escaped::Char(c) => c,
                    Escaped::Class(class) => {
                        ranges.extend(if class.negated {
                            complement(&class.ranges)
                        } else {
                            class.ranges
                        });
                        first = false;
                        continue;
                    }
                },
                c => c,
            };
            first = false;
            let high = if self.rest().starts_with('-') && !self.rest().starts_with("-]") {
                self.at += 1;
                match self.take().ok_or_else(|| unclosed.clone())? {
                    '\\' => match self.escaped()? {
                        Escaped::Char(c) => c,
                        Escaped::Class(_) => {
                            return Err(RegexError {
                                message: "a range ends with a character",
                                position: at,
                            });
                        }
                    },
                    c => c,
                }
            } else {
                low
            };
            if high < low {
                return Err(RegexError {
                    message: "this range is the wrong way round",
                    position: at,
                });
            }
            ranges.push((low, high));
        }
        if self.flags.ignore_case {
            ranges.extend(other_case(&ranges));
        }
        Ok(Class { ranges, negated })
    }

    /// `[:alpha:]` and its kind, after the first bracket.
    fn posix(&mut self) -> Result<&'static [(char, char)], RegexError> {
        let name = self.rest()[1..].split_once(":]").map(|(name, _)| name);
        let ranges = name
            .and_then(class::named)
            .ok_or_else(|| self.error("this class name is not available"))?;
        self.at += name.map_or(0, str::len) + 3;
        Ok(ranges)
    }
}

enum Escaped {
    Char(char),
    Class(Class),
}

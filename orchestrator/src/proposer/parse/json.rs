//! A forgiving reader of JSON somewhere in a text.
//!
//! Beyond the standard it takes raw line breaks in strings, unknown escapes, trailing commas, comments, strings of Python
//! (`'…'`, `"""…"""`, `r"…"`) and between backticks, and, in a second attempt, quotes inside a string that should have been escaped. Of an
//! array that breaks off it keeps what is complete.

use serde_json::{Map, Number, Value};

/// Nesting beyond which a text is not taken for JSON; bounds recursion.
const DEEPEST: usize = 64;
/// How many times over a text may be read in search of something that parses.
const MOST_READINGS: usize = 64;
/// Bytes of a key that tells a string's end from a quote within it.
const LONGEST_KEY: usize = 100;
/// The key that a draft cannot be without.
const CODE_KEYS: [&str; 2] = ["\"code\"", "'code'"];

/// What a text holds.
pub(super) struct Scan<'a> {
    /// Arrays and objects in order, as far as complete.
    pub(super) values: Vec<Value>,
    /// Where the last of them breaks off, if it does.
    pub(super) broken_off: Option<&'a str>,
}

/// All outermost arrays and objects of `text`.
pub(super) fn scan(text: &str) -> Scan<'_> {
    let mut scan = Scan {
        values: Vec::new(),
        broken_off: None,
    };
    let last_draft = CODE_KEYS.iter().filter_map(|key| text.rfind(key)).max();
    // Each failed attempt may read to the end: a text made to fail everywhere is given up.
    let mut budget = text.len().saturating_mul(MOST_READINGS);
    let mut at = 0;
    while let Some(offset) = text[at..].find(['[', '{']) {
        let start = at + offset;
        at = start + 1;
        // Strings that end at every quote first: what is proper JSON must be read as such.
        let mut part = None;
        for quotes in [Quotes::End, Quotes::MayBeInside] {
            let (read, cost) = read(text, start, quotes);
            budget = budget.saturating_sub(cost);
            match read {
                Some(Read::Whole(value, end)) => {
                    scan.values.push(value);
                    at = end;
                    part = None;
                    break;
                }
                Some(Read::Part(value, end)) => part = part.or(Some((value, end))),
                None => {}
            }
        }
        if let Some((value, end)) = part
            && last_draft.is_some_and(|draft| draft >= start)
        {
            scan.values.push(value);
            scan.broken_off = Some(&text[end..]);
            break;
        }
        if budget == 0 {
            break;
        }
    }
    scan
}

/// Whether a piece of JSON looks as if a draft began in it.
pub(super) fn mentions_code(text: &str) -> bool {
    CODE_KEYS.iter().any(|key| text.contains(key))
}

enum Read {
    /// A value and the position after it.
    Whole(Value, usize),
    /// The complete items of a value that the text's end cut off, and the position after the last of them.
    Part(Value, usize),
}

/// Whether a quote always ends a string.
#[derive(Clone, Copy, PartialEq)]
enum Quotes {
    End,
    /// Only where JSON goes on after it as it must.
    MayBeInside,
}

/// Where a string stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Key,
    Field,
    Item,
}

/// What begins at `start`, if anything, and how many bytes were read to find out.
fn read(text: &str, start: usize, quotes: Quotes) -> (Option<Read>, usize) {
    let mut reader = Reader {
        text,
        at: start,
        quotes,
        last_complete: start,
    };
    let read = match reader.value(0, Place::Item) {
        Ok(value) => Some(Read::Whole(value, reader.at)),
        Err(Stop::Ended(Some(value))) => Some(Read::Part(value, reader.last_complete)),
        Err(Stop::Ended(None) | Stop::Malformed) => None,
    };
    (read, 1 + reader.at - start)
}

/// Why a value could not be read whole.
enum Stop {
    /// The text ended; what was complete of the value.
    Ended(Option<Value>),
    Malformed,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    quotes: Quotes,
    /// Position after the last item of an array or object that was complete.
    last_complete: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize, place: Place) -> Result<Value, Stop> {
        if depth > DEEPEST {
            return Err(Stop::Malformed);
        }
        self.skip_blanks();
        match self.peek().ok_or(Stop::Ended(None))? {
            b'[' => self.array(depth),
            b'{' => self.object(depth),
            b'"' | b'`' | b'\'' => self.string(place).map(Value::String),
            b'r' | b'R' | b'f' | b'u' | b'b' if self.is_prefixed() => {
                self.at += 1;
                self.string(place).map(Value::String)
            }
            _ => self.word(),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, Stop> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            match self.next_item(b']') {
                Ok(false) => return Ok(Value::Array(items)),
                Ok(true) => {}
                Err(stop) => return Err(stop.holding(Value::Array(items))),
            }
            match self.value(depth + 1, Place::Item) {
                Ok(item) => items.push(item),
                Err(Stop::Ended(part)) => {
                    // Of an object cut short nothing is kept: its code is not all there.
                    items.extend(part.filter(Value::is_array));
                    return Err(Stop::Ended(Some(Value::Array(items))));
                }
                Err(Stop::Malformed) => return Err(Stop::Malformed),
            }
            self.last_complete = self.at;
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Stop> {
        self.at += 1;
        let mut fields = Map::new();
        loop {
            match self.next_item(b'}') {
                Ok(false) => return Ok(Value::Object(fields)),
                Ok(true) => {}
                Err(_) if self.peek().is_none() => return Err(Stop::Ended(None)),
                Err(stop) => return Err(stop),
            }
            if !matches!(self.peek(), Some(b'"' | b'\'')) {
                return Err(Stop::Malformed);
            }
            let key = self.string(Place::Key)?;
            self.skip_blanks();
            match self.peek() {
                Some(b':') => self.at += 1,
                Some(_) => return Err(Stop::Malformed),
                None => return Err(Stop::Ended(None)),
            }
            match self.value(depth + 1, Place::Field) {
                Ok(value) => {
                    fields.insert(key, value);
                }
                // `{"rewards": [{…}, {…` keeps the drafts that are whole.
                Err(Stop::Ended(Some(Value::Array(items)))) => {
                    return Err(Stop::Ended(Some(Value::Array(items))));
                }
                Err(Stop::Ended(_)) => return Err(Stop::Ended(None)),
                Err(Stop::Malformed) => return Err(Stop::Malformed),
            }
        }
    }

    /// Moves to the next item, past commas; `false` past the closing bracket.
    fn next_item(&mut self, close: u8) -> Result<bool, Stop> {
        loop {
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => {
                    self.at += 1;
                    return Ok(false);
                }
                Some(_) => return Ok(true),
                None => return Err(Stop::Ended(None)),
            }
        }
    }

    fn string(&mut self, place: Place) -> Result<String, Stop> {
        for fence in ["\"\"\"", "\'\'\'", "`"] {
            if let Some(rest) = self.text[self.at..].strip_prefix(fence) {
                let Some(end) = rest.find(fence) else {
                    self.at = self.text.len();
                    return Err(Stop::Ended(None));
                };
                self.at += 2 * fence.len() + end;
                return Ok(rest[..end].to_owned());
            }
        }
        let is_raw = self.at > 0 && matches!(self.text.as_bytes()[self.at - 1], b'r' | b'R');
        let quote = char::from(self.text.as_bytes()[self.at]);
        self.at += 1;
        let mut string = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(plain) = rest.find([quote, '\\']) else {
                self.at = self.text.len();
                return Err(Stop::Ended(None));
            };
            string.push_str(&rest[..plain]);
            self.at += plain;
            if rest.as_bytes()[plain] == b'\\' {
                if is_raw {
                    string.push('\\');
                    self.at += 1;
                } else {
                    self.escape(&mut string)?;
                }
                continue;
            }
            self.at += 1;
            if self.quotes == Quotes::End || self.string_may_end(place) {
                return Ok(string);
            }
            string.push(quote);
        }
    }

    /// Whether a letter stands before a string of Python.
    fn is_prefixed(&self) -> bool {
        matches!(self.text.as_bytes().get(self.at + 1), Some(b'"' | b'\''))
    }

    /// Whether what follows a quote is what JSON has after a string in such a place.
    fn string_may_end(&self, place: Place) -> bool {
        let rest = self.text[self.at..].trim_start();
        let after = |mark: char| rest.strip_prefix(mark).map(str::trim_start);
        match place {
            Place::Key => rest.starts_with(':'),
            Place::Item => rest.starts_with([',', ']']),
            Place::Field => match (after(','), after('}')) {
                (Some(next), _) => begins_with_key(next) || next.starts_with('}'),
                // Code has braces too, but hardly in front of one of these.
                (_, Some(next)) => next.is_empty() || next.starts_with([',', ']', '}', '`']),
                (None, None) => rest.is_empty(),
            },
        }
    }

    /// Reads an escape; an unknown one stands for itself.
    fn escape(&mut self, into: &mut String) -> Result<(), Stop> {
        let rest = &self.text[self.at + 1..];
        let escaped = rest.chars().next().ok_or(Stop::Ended(None))?;
        self.at += 1 + escaped.len_utf8();
        match escaped {
            'n' => into.push('\n'),
            't' => into.push('\t'),
            'r' => into.push('\r'),
            'b' => into.push('\u{8}'),
            'f' => into.push('\u{c}'),
            '"' | '\\' | '/' | '\'' | '`' => into.push(escaped),
            'u' => self.code_point(into),
            _ => {
                into.push('\\');
                into.push(escaped);
            }
        }
        Ok(())
    }

    /// The four digits after `\u`, with the second half of a surrogate pair; `\u` itself if they are not there.
    fn code_point(&mut self, into: &mut String) {
        let unit = |at: usize| {
            let digits = self.text.get(at..at + 4)?;
            digits
                .bytes()
                .all(|b| b.is_ascii_hexdigit())
                .then(|| u16::from_str_radix(digits, 16).ok())?
        };
        let Some(first) = unit(self.at) else {
            into.push_str("\\u");
            return;
        };
        let second = (self.text.get(self.at + 4..self.at + 6) == Some("\\u"))
            .then(|| unit(self.at + 6))
            .flatten();
        let pair: Vec<u16> = std::iter::once(first).chain(second).collect();
        match char::decode_utf16(pair).next() {
            Some(Ok(character)) => {
                into.push(character);
                self.at += if character.len_utf16() == 2 { 10 } else { 4 };
            }
            _ => {
                into.push(char::REPLACEMENT_CHARACTER);
                self.at += 4;
            }
        }
    }

    /// `true`, `None`, a number.
    fn word(&mut self) -> Result<Value, Stop> {
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
            .ok_or(Stop::Ended(None))?;
        let value = match &rest[..end] {
            "true" | "True" => Value::Bool(true),
            "false" | "False" => Value::Bool(false),
            "null" | "None" => Value::Null,
            word => word
                .parse()
                .ok()
                .and_then(Number::from_f64)
                .map(Value::Number)
                .ok_or(Stop::Malformed)?,
        };
        self.at += end;
        Ok(value)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Moves past blanks and comments.
    fn skip_blanks(&mut self) {
        loop {
            while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
                self.at += 1;
            }
            let rest = &self.text[self.at..];
            let end = if rest.starts_with("//") || rest.starts_with('#') {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else {
                return;
            };
            self.at += end;
        }
    }
}

/// Whether `text` begins with `"key":`.
fn begins_with_key(text: &str) -> bool {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return false;
    };
    let key = &text[1..];
    key[..key.floor_char_boundary(LONGEST_KEY)]
        .split_once(quote)
        .is_some_and(|(key, after)| after.trim_start().starts_with(':') && !key.contains('\n'))
}

impl Stop {
    /// The same, with what was complete.
    fn holding(self, value: Value) -> Self {
        match self {
            Self::Ended(_) => Self::Ended(Some(value)),
            Self::Malformed => Self::Malformed,
        }
    }
}

//! Regular expressions, in the syntax and with the methods of the `regex` crate.
//!
//! The engine is small and made for guests: compiling a pattern costs a microsecond or two, so that a pattern may be
//! compiled for each sample, and a search takes at most pattern length times text length steps, whatever the pattern.
//! `\d`, `\w`, `\s`, `\b` and `(?i)` know ASCII only; `.` and classes work on whole characters. There is no look-around,
//! no back-reference and no `\p{…}`.

mod class;
mod compile;
mod parse;
mod search;

use std::ops::{Index, Range};

use compile::Program;

/// A compiled pattern.
///
/// ```
/// use reward_sdk::prelude::*;
/// let step = Regex::new(r"(\d+)\s*([-+*/])\s*(\d+)").unwrap();
/// let found = step.captures("so 6 * 49 = 294").unwrap();
/// assert_eq!((&found[1], &found[2], &found[3]), ("6", "*", "49"));
/// assert_eq!(Regex::new(r"(?i)\bthe\b").unwrap().find_iter("The other the").count(), 2);
/// ```
#[derive(Debug, Clone)]
pub struct Regex {
    program: Program,
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexError {
    message: &'static str,
    position: usize,
}

impl std::fmt::Display for RegexError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} at byte {} of the pattern",
            self.message, self.position
        )
    }
}

impl std::error::Error for RegexError {}

/// A piece of text that matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match<'t> {
    text: &'t str,
    start: usize,
    end: usize,
}

impl<'t> Match<'t> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &'t str {
        &self.text[self.start..self.end]
    }

    /// Byte position of its start.
    #[must_use]
    pub const fn start(&self) -> usize {
        self.start
    }

    /// Byte position after its end.
    #[must_use]
    pub const fn end(&self) -> usize {
        self.end
    }

    /// Both positions.
    #[must_use]
    pub const fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

/// A match with its groups. Group 0 is the whole match; `captures[1]` panics if the group took no part.
#[derive(Debug, Clone)]
pub struct Captures<'t, 'r> {
    text: &'t str,
    slots: Vec<Option<usize>>,
    names: &'r [(String, usize)],
}

impl<'t> Captures<'t, '_> {
    /// The group of that number, if it took part.
    #[must_use]
    pub fn get(&self, group: usize) -> Option<Match<'t>> {
        let start = (*self.slots.get(group.checked_mul(2)?)?)?;
        let end = (*self.slots.get(group * 2 + 1)?)?;
        Some(Match {
            text: self.text,
            start,
            end,
        })
    }

    /// The group of that name, if it took part.
    #[must_use]
    pub fn name(&self, name: &str) -> Option<Match<'t>> {
        let (_, group) = self.names.iter().find(|(known, _)| known == name)?;
        self.get(*group)
    }

    /// Number of groups, the whole match included.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.slots.len() / 2
    }

    /// Never: group 0 is always there.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// All groups from 0.
    pub fn iter(&self) -> impl Iterator<Item = Option<Match<'t>>> {
        (0..self.len()).map(|group| self.get(group))
    }
}

impl Index<usize> for Captures<'_, '_> {
    type Output = str;

    fn index(&self, group: usize) -> &str {
        self.get(group)
            .map(|found| found.as_str())
            .expect("the group takes part in the match")
    }
}

impl Index<&str> for Captures<'_, '_> {
    type Output = str;

    fn index(&self, name: &str) -> &str {
        self.name(name)
            .map(|found| found.as_str())
            .expect("the group takes part in the match")
    }
}

impl Regex {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When it is not valid, uses something that is not available, or is too large.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        Ok(Self {
            program: compile::compile(&parse::parse(pattern)?)?,
        })
    }

    /// Whether it matches anywhere.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.find(text).is_some()
    }

    /// The first match.
    #[must_use]
    pub fn find<'t>(&self, text: &'t str) -> Option<Match<'t>> {
        self.find_iter(text).next()
    }

    /// All matches from left to right, without overlaps.
    pub fn find_iter<'t>(&self, text: &'t str) -> impl Iterator<Item = Match<'t>> {
        self.all(text, 2).filter_map(move |slots| {
            Some(Match {
                text,
                start: slots[0]?,
                end: slots[1]?,
            })
        })
    }

    /// The first match with its groups.
    #[must_use]
    pub fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t, '_>> {
        self.captures_iter(text).next()
    }

    /// All matches with their groups.
    pub fn captures_iter<'r, 't>(
        &'r self,
        text: &'t str,
    ) -> impl Iterator<Item = Captures<'t, 'r>> {
        let names = self.program.names.as_slice();
        self.all(text, self.program.slots)
            .map(move |slots| Captures { text, slots, names })
    }

    /// The parts of the text between the matches.
    pub fn split<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let mut matches = self.find_iter(text);
        let mut rest = Some(0);
        std::iter::from_fn(move || {
            let start = rest?;
            match matches.next() {
                Some(found) => {
                    rest = Some(found.end());
                    Some(&text[start..found.start()])
                }
                None => {
                    rest = None;
                    Some(&text[start..])
                }
            }
        })
    }

    /// The text with every match replaced. `$1` and `${name}` in the replacement stand for groups, `$$` for a dollar.
    #[must_use]
    pub fn replace_all(&self, text: &str, replacement: &str) -> String {
        let mut result = String::with_capacity(text.len());
        let mut copied = 0;
        for found in self.captures_iter(text) {
            let Some(whole) = found.get(0) else { continue };
            result.push_str(&text[copied..whole.start()]);
            expand(&found, replacement, &mut result);
            copied = whole.end();
        }
        result.push_str(&text[copied..]);
        result
    }

    /// The slots of all matches. An empty match right after the last match is none, as usual.
    fn all(&self, text: &str, slots: usize) -> impl Iterator<Item = Vec<Option<usize>>> {
        let mut search = search::Search::new(&self.program, text, slots);
        let mut next = Some(0);
        let mut last_end = None;
        std::iter::from_fn(move || {
            loop {
                let found = search.find_from(next?)?;
                let (start, end) = (found[0]?, found[1]?);
                next = if start == end {
                    search::step_over(text, end)
                } else {
                    Some(end)
                };
                if start == end && last_end == Some(end) {
                    continue;
                }
                last_end = Some(end);
                return Some(found);
            }
        })
    }
}

/// Appends a replacement with its references filled in.
fn expand(found: &Captures<'_, '_>, replacement: &str, result: &mut String) {
    let mut rest = replacement;
    while let Some(dollar) = rest.find('$') {
        result.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            result.push('$');
            rest = after;
            continue;
        }
        let braced = rest
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'));
        let (name, after) = braced.unwrap_or_else(|| {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            rest.split_at(end)
        });
        if name.is_empty() {
            result.push('$');
            continue;
        }
        let group = name
            .parse()
            .map_or_else(|_| found.name(name), |number| found.get(number));
        result.push_str(group.map_or("", |group| group.as_str()));
        rest = after;
    }
    result.push_str(rest);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn all<'t>(pattern: &str, text: &'t str) -> Vec<&'t str> {
        Regex::new(pattern).map_or_else(
            |_| vec!["?"],
            |regex| regex.find_iter(text).map(|found| found.as_str()).collect(),
        )
    }

    #[test]
    fn the_syntax_people_use() {
        assert_eq!(
            all(r"-?\d+(?:,\d{3})*(?:\.\d+)?", "1,234.5 and -7 or 3."),
            ["1,234.5", "-7", "3"]
        );
        assert_eq!(
            all(r"(?s)<a>(.*?)</a>", "<a>x\ny</a><a></a>"),
            ["<a>x\ny</a>", "<a></a>"]
        );
        assert_eq!(
            all(r"<a>(.*)</a>", "<a>x</a><a>y</a>"),
            ["<a>x</a><a>y</a>"]
        );
        assert_eq!(
            all(r"(?i)step \d", "Step 1, STEP 2, stop 3"),
            ["Step 1", "STEP 2"]
        );
        assert_eq!(all(r"(?m)^\w+", "one two\nthree"), ["one", "three"]);
        assert_eq!(all(r"^\w+", "one two\nthree"), ["one"]);
        assert_eq!(all(r"[^\s,]+", "a, bé  c"), ["a", "bé", "c"]);
        assert_eq!(all(r"[]a-c^-]+", "x]b-^y"), ["]b-^"]);
        assert_eq!(all(r"a|ab|abc", "abc"), ["a"]);
        assert_eq!(
            all(r"\\boxed\{([^}]*)\}", r"so \boxed{42}."),
            [r"\boxed{42}"]
        );
        assert_eq!(all(r"\bcat\b", "cat concat cat's"), ["cat", "cat"]);
        assert_eq!(all(r"x{2,3}?", "xxxxx"), ["xx", "xx"]);
        assert_eq!(all(r"\x41\u{42}[\x43]", "ABC"), ["ABC"]);
        assert_eq!(all(r"é+.", "éé→"), ["éé→"]);
        assert_eq!(all(r"", "ab"), ["", "", ""]);
        assert_eq!(all(r"a*", "baac"), ["", "aa", ""]);
        assert_eq!(all(r"(a*)*b", "aab"), ["aab"]);
        assert_eq!(all(r"(?i:A)b", "ab aB"), ["ab"]);
        assert_eq!(all(r"(?x) a  b # tail", "ab"), ["ab"]);
        assert_eq!(all(r"[[:digit:]]+", "a12"), ["12"]);
    }

    #[test]
    fn groups_names_splits_and_replacements() {
        let regex = Regex::new(r"(?P<key>\w+)=(?<value>\d+)?").unwrap();
        let found = regex.captures("a=1 b=").unwrap();
        assert_eq!((&found["key"], &found["value"], found.len()), ("a", "1", 3));
        let second = regex.captures_iter("a=1 b=").nth(1).unwrap();
        assert_eq!(
            (second.name("value"), second.get(0).map(|m| m.range())),
            (None, Some(4..6))
        );
        assert_eq!(
            regex.replace_all("a=1 b=", "$value:${key} $$"),
            "1:a $ :b $"
        );
        let commas = Regex::new(r",\s*").unwrap();
        assert_eq!(
            commas.split("a, b,c,").collect::<Vec<_>>(),
            ["a", "b", "c", ""]
        );
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        for pattern in [
            "(",
            ")",
            "a)",
            "[a",
            "*",
            "a**",
            "a{3,2}",
            "a{99999}",
            r"\",
            r"(?=a)",
            r"(?<!a)",
            r"\1",
            r"\p{L}",
            "(?P<n",
            "(?z)",
            "[b-a]",
            "(((((a{90}){90}){90}){90}){90})",
            r"\q",
            r"(?P<n>a)(?P<n>b)",
        ] {
            assert!(Regex::new(pattern).is_err(), "{pattern}");
        }
        let error = Regex::new("ab(").unwrap_err();
        assert_eq!(
            error.to_string(),
            "this group is not closed at byte 2 of the pattern"
        );
    }

    #[test]
    fn catastrophic_patterns_are_harmless() {
        let text = "a".repeat(5000);
        assert!(!Regex::new(r"(a+)+$b").unwrap().is_match(&text));
        assert!(Regex::new(r"(a|a)*").unwrap().is_match(&text));
        assert!(!Regex::new(r"(.*)(.*)(.*)(.*)x").unwrap().is_match(&text));
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_overflow() {
        assert!(Regex::new(&("(".repeat(5000) + &")".repeat(5000))).is_err());
    }
}

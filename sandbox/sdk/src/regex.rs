//! Regular expressions: the interface of the `regex` crate, answered by the crate itself in a module of its own.
//!
//! The crate is too large to go into every candidate, so the sandbox keeps it compiled and a guest asks it across its only
//! import (see `module`). A pattern is compiled once an instance however often `Regex::new` is called, and matches are
//! fetched some at a time, because each question costs about 0.1 microseconds.

mod captures;
mod matches;
mod module;
mod replace;

pub use captures::{CaptureMatches, Captures};
pub use matches::{Match, Matches, Split, SplitN};
pub use module::Error;
pub use replace::{NoExpand, Replacer};

use std::borrow::Cow;

use matches::Chunks;
use module::Program;

/// A compiled pattern.
#[derive(Clone, Copy)]
pub struct Regex {
    program: &'static Program,
}

impl Regex {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When it is not valid, uses look-around or back-references, or is too large.
    pub fn new(pattern: &str) -> Result<Self, Error> {
        module::program("", pattern).map(|program| Self { program })
    }

    /// The pattern.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.program.pattern()
    }

    /// Number of groups, the whole match included.
    #[must_use]
    pub const fn captures_len(&self) -> usize {
        self.program.groups
    }

    /// The names of the groups from 0.
    pub fn capture_names(&self) -> impl Iterator<Item = Option<&str>> {
        self.program.names()
    }

    /// Whether it matches anywhere.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.is_match_at(text, 0)
    }

    /// Whether it matches from byte `start` on.
    #[must_use]
    pub fn is_match_at(&self, text: &str, start: usize) -> bool {
        self.program.search(0, text, start, false, &mut [0]) > 0
    }

    /// The first match.
    #[must_use]
    pub fn find<'h>(&self, text: &'h str) -> Option<Match<'h>> {
        self.find_at(text, 0)
    }

    /// The first match from byte `start` on.
    #[must_use]
    pub fn find_at<'h>(&self, text: &'h str, start: usize) -> Option<Match<'h>> {
        let mut slots = [0; 2];
        let found = self.program.search(1, text, start, false, &mut slots);
        (found > 0).then(|| Match::new(text, slots))
    }

    /// All matches from left to right, without overlaps.
    #[must_use]
    pub fn find_iter<'h>(&self, text: &'h str) -> Matches<'h> {
        Matches::new(Chunks::new(self.program, 1, text))
    }

    /// The first match with its groups.
    #[must_use]
    pub fn captures<'h>(&self, text: &'h str) -> Option<Captures<'h>> {
        self.captures_at(text, 0)
    }

    /// The first match from byte `start` on, with its groups.
    #[must_use]
    pub fn captures_at<'h>(&self, text: &'h str, start: usize) -> Option<Captures<'h>> {
        let groups = self.program.groups;
        let mut slots = vec![0; 2 * groups];
        let found = self.program.search(groups, text, start, false, &mut slots);
        (found > 0).then(|| Captures::new(self.program, text, slots))
    }

    /// All matches with their groups.
    #[must_use]
    pub fn captures_iter<'h>(&self, text: &'h str) -> CaptureMatches<'h> {
        CaptureMatches::new(Chunks::new(self.program, self.program.groups, text))
    }

    /// The parts of the text between the matches.
    #[must_use]
    pub fn split<'h>(&self, text: &'h str) -> Split<'h> {
        Split::new(self.find_iter(text))
    }

    /// At most `limit` parts, the last of which holds the rest.
    #[must_use]
    pub fn splitn<'h>(&self, text: &'h str, limit: usize) -> SplitN<'h> {
        SplitN::new(self.split(text), limit)
    }

    /// The text with the first match replaced.
    #[must_use]
    pub fn replace<'h>(&self, text: &'h str, replacement: impl Replacer) -> Cow<'h, str> {
        self.replacen(text, 1, replacement)
    }

    /// The text with every match replaced. `$1` and `${name}` in the replacement stand for groups, `$$` for a dollar; a
    /// closure gets the [`Captures`].
    #[must_use]
    pub fn replace_all<'h>(&self, text: &'h str, replacement: impl Replacer) -> Cow<'h, str> {
        self.replacen(text, 0, replacement)
    }

    /// The text with the first `limit` matches replaced, with all for 0.
    #[must_use]
    pub fn replacen<'h>(
        &self,
        text: &'h str,
        limit: usize,
        replacement: impl Replacer,
    ) -> Cow<'h, str> {
        replace::replace(self.captures_iter(text), text, limit, replacement)
    }
}

impl std::fmt::Debug for Regex {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_tuple("Regex")
            .field(&self.as_str())
            .finish()
    }
}

impl std::fmt::Display for Regex {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl std::str::FromStr for Regex {
    type Err = Error;

    fn from_str(pattern: &str) -> Result<Self, Error> {
        Self::new(pattern)
    }
}

/// A pattern with options.
#[derive(Debug, Clone)]
pub struct RegexBuilder {
    pattern: String,
    flags: Vec<char>,
}

impl RegexBuilder {
    /// A pattern without options.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self {
            pattern: pattern.to_owned(),
            flags: Vec::new(),
        }
    }

    /// `(?i)`: upper and lower case are the same.
    pub fn case_insensitive(&mut self, yes: bool) -> &mut Self {
        self.set('i', yes)
    }

    /// `(?m)`: `^` and `$` match at the borders of lines.
    pub fn multi_line(&mut self, yes: bool) -> &mut Self {
        self.set('m', yes)
    }

    /// `(?s)`: `.` matches line breaks as well.
    pub fn dot_matches_new_line(&mut self, yes: bool) -> &mut Self {
        self.set('s', yes)
    }

    /// `(?U)`: `*` is lazy and `*?` is greedy.
    pub fn swap_greed(&mut self, yes: bool) -> &mut Self {
        self.set('U', yes)
    }

    /// `(?x)`: white space and comments in the pattern mean nothing.
    pub fn ignore_whitespace(&mut self, yes: bool) -> &mut Self {
        self.set('x', yes)
    }

    /// Compiles the pattern.
    ///
    /// # Errors
    /// As [`Regex::new`].
    pub fn build(&self) -> Result<Regex, Error> {
        let prefix = if self.flags.is_empty() {
            String::new()
        } else {
            format!("(?{})", self.flags.iter().collect::<String>())
        };
        module::program(&prefix, &self.pattern).map(|program| Regex { program })
    }

    fn set(&mut self, flag: char, yes: bool) -> &mut Self {
        self.flags.retain(|set| *set != flag);
        self.flags.extend(yes.then_some(flag));
        self
    }
}

/// The text as a pattern that matches it literally.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

//! Matches with their groups.

use std::ops::Index;

use super::matches::{Chunks, Match};
use super::module::{NONE, Program};

/// A match with its groups. Group 0 is the whole match; `captures[1]` panics if the group took no part.
#[derive(Clone)]
pub struct Captures<'h> {
    program: &'static Program,
    text: &'h str,
    slots: Vec<u32>,
}

impl<'h> Captures<'h> {
    pub(super) const fn new(program: &'static Program, text: &'h str, slots: Vec<u32>) -> Self {
        Self {
            program,
            text,
            slots,
        }
    }

    /// The group of that number, if it took part.
    #[must_use]
    pub fn get(&self, group: usize) -> Option<Match<'h>> {
        let start = *self.slots.get(group.checked_mul(2)?)?;
        let end = *self.slots.get(group * 2 + 1)?;
        (start != NONE).then(|| Match::new(self.text, [start, end]))
    }

    /// The group of that name, if it took part.
    #[must_use]
    pub fn name(&self, name: &str) -> Option<Match<'h>> {
        let mut names = self.program.names();
        self.get(names.position(|known| known == Some(name))?)
    }

    /// Number of groups, the whole match included.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // As in the crate: there is always a group.
    pub const fn len(&self) -> usize {
        self.slots.len() / 2
    }

    /// All groups from 0.
    pub fn iter(&self) -> impl Iterator<Item = Option<Match<'h>>> {
        (0..self.len()).map(|group| self.get(group))
    }

    /// The whole match, and all `N` groups, which must be all there are and take part in every match.
    #[must_use]
    pub fn extract<const N: usize>(&self) -> (&'h str, [&'h str; N]) {
        assert_eq!(
            self.len(),
            N + 1,
            "the pattern has another number of groups"
        );
        let group = |number: usize| self.get(number).expect("every group takes part").as_str();
        (group(0), std::array::from_fn(|place| group(place + 1)))
    }

    /// Appends a replacement with its references (`$1`, `${name}`, `$$`) filled in.
    pub fn expand(&self, replacement: &str, result: &mut String) {
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
                .map_or_else(|_| self.name(name), |number| self.get(number));
            result.push_str(group.map_or("", |group| group.as_str()));
            rest = after;
        }
        result.push_str(rest);
    }
}

impl std::fmt::Debug for Captures<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl Index<usize> for Captures<'_> {
    type Output = str;

    fn index(&self, group: usize) -> &str {
        self.get(group)
            .map(|found| found.as_str())
            .expect("the group takes part in the match")
    }
}

impl Index<&str> for Captures<'_> {
    type Output = str;

    fn index(&self, name: &str) -> &str {
        self.name(name)
            .map(|found| found.as_str())
            .expect("the group takes part in the match")
    }
}

/// Iterator over matches with their groups.
#[derive(Clone)]
pub struct CaptureMatches<'h>(Chunks<'h>);

impl<'h> CaptureMatches<'h> {
    pub(super) const fn new(chunks: Chunks<'h>) -> Self {
        Self(chunks)
    }
}

impl<'h> Iterator for CaptureMatches<'h> {
    type Item = Captures<'h>;

    fn next(&mut self) -> Option<Captures<'h>> {
        let (program, text) = (self.0.program, self.0.text);
        let slots = self.0.next()?.to_vec();
        Some(Captures::new(program, text, slots))
    }
}

impl std::iter::FusedIterator for CaptureMatches<'_> {}

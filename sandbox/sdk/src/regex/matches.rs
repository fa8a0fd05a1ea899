//! Matches and the iterators over them.

use std::ops::Range;

use super::module::Program;

/// Matches fetched with the first question of an iteration: all there are in most texts.
const FIRST_CHUNK: usize = 16;
/// Matches fetched with each further one.
const CHUNK: usize = 128;

/// A piece of text that matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match<'h> {
    text: &'h str,
    start: usize,
    end: usize,
}

impl<'h> Match<'h> {
    pub(super) const fn new(text: &'h str, [start, end]: [u32; 2]) -> Self {
        Self {
            text,
            start: start as usize,
            end: end as usize,
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &'h str {
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

impl<'h> From<Match<'h>> for &'h str {
    fn from(found: Match<'h>) -> Self {
        found.as_str()
    }
}

impl From<Match<'_>> for Range<usize> {
    fn from(found: Match<'_>) -> Self {
        found.range()
    }
}

/// The positions of all matches of a text, some fetched at a time.
#[derive(Clone)]
pub(super) struct Chunks<'h> {
    pub(super) program: &'static Program,
    pub(super) text: &'h str,
    groups: usize,
    slots: Vec<u32>,
    /// How many slots hold something, and how many of those were given out.
    filled: usize,
    given: usize,
    from: usize,
    after_match: bool,
    last_chunk: bool,
}

impl<'h> Chunks<'h> {
    pub(super) const fn new(program: &'static Program, groups: usize, text: &'h str) -> Self {
        Self {
            program,
            text,
            groups,
            slots: Vec::new(),
            filled: 0,
            given: 0,
            from: 0,
            after_match: false,
            last_chunk: false,
        }
    }

    /// The positions of the next match: start and end of each group.
    pub(super) fn next(&mut self) -> Option<&[u32]> {
        if self.given == self.filled {
            self.fetch();
        }
        let size = 2 * self.groups;
        let slots = &self.slots[..self.filled];
        let found = slots.get(self.given..self.given + size)?;
        self.given += size;
        Some(found)
    }

    fn fetch(&mut self) {
        self.given = 0;
        self.filled = 0;
        if self.last_chunk {
            return;
        }
        let size = 2 * self.groups;
        let matches = if self.slots.is_empty() {
            FIRST_CHUNK
        } else {
            CHUNK
        };
        self.slots.resize(matches * size, 0);
        self.filled = self.program.search(
            self.groups,
            self.text,
            self.from,
            self.after_match,
            &mut self.slots,
        );
        self.last_chunk = self.filled < self.slots.len();
        if let Some(last) = self.filled.checked_sub(size) {
            self.from = self.slots[last + 1] as usize;
            self.after_match = true;
        }
    }
}

/// Iterator over matches.
#[derive(Clone)]
pub struct Matches<'h>(Chunks<'h>);

impl<'h> Matches<'h> {
    pub(super) const fn new(chunks: Chunks<'h>) -> Self {
        Self(chunks)
    }
}

impl<'h> Iterator for Matches<'h> {
    type Item = Match<'h>;

    fn next(&mut self) -> Option<Match<'h>> {
        let text = self.0.text;
        let slots = self.0.next()?;
        Some(Match::new(text, [slots[0], slots[1]]))
    }
}

impl std::iter::FusedIterator for Matches<'_> {}

/// Iterator over the parts between matches.
#[derive(Clone)]
pub struct Split<'h> {
    matches: Matches<'h>,
    /// Where the next part starts; nothing after the last one.
    rest: Option<usize>,
}

impl<'h> Split<'h> {
    pub(super) const fn new(matches: Matches<'h>) -> Self {
        Self {
            matches,
            rest: Some(0),
        }
    }

    /// All that is left.
    fn remainder(&mut self) -> Option<&'h str> {
        Some(&self.matches.0.text[self.rest.take()?..])
    }
}

impl<'h> Iterator for Split<'h> {
    type Item = &'h str;

    fn next(&mut self) -> Option<&'h str> {
        let start = self.rest?;
        match self.matches.next() {
            Some(found) => {
                self.rest = Some(found.end());
                Some(&self.matches.0.text[start..found.start()])
            }
            None => self.remainder(),
        }
    }
}

impl std::iter::FusedIterator for Split<'_> {}

/// Iterator over a limited number of parts between matches.
#[derive(Clone)]
pub struct SplitN<'h> {
    parts: Split<'h>,
    left: usize,
}

impl<'h> SplitN<'h> {
    pub(super) const fn new(parts: Split<'h>, limit: usize) -> Self {
        Self { parts, left: limit }
    }
}

impl<'h> Iterator for SplitN<'h> {
    type Item = &'h str;

    fn next(&mut self) -> Option<&'h str> {
        self.left = self.left.checked_sub(1)?;
        if self.left == 0 {
            self.parts.remainder()
        } else {
            self.parts.next()
        }
    }
}

//! A compiled pattern, and the search for all its matches in a text.

use std::ops::Range;

use regex_automata::util::primitives::PatternID;
use regex_automata::{Anchored, Input};
use regex_syntax::ParserBuilder;

use crate::full::{Full, Slots};
use crate::quick::{Outcome, Quick};
use crate::text::Text;
use crate::{NONE, ascii};

/// Nested groups in a pattern.
const NEST_LIMIT: u32 = 64;

/// Where a search goes on.
pub struct Position {
    pub at: usize,
    /// A match has ended here.
    pub after_match: bool,
}

pub struct Pattern {
    text: String,
    full: Full,
    quick: Option<Quick>,
    slots: Slots,
}

impl Pattern {
    /// Compiles a pattern, or says why not.
    pub fn new(text: &str) -> Result<Self, String> {
        let pattern = ParserBuilder::new()
            .nest_limit(NEST_LIMIT)
            .build()
            .parse(text)
            .map_err(|error| error.to_string())?;
        let full = Full::new(&pattern)?;
        Ok(Self {
            text: text.to_owned(),
            slots: vec![None; 2 * full.regex.captures_len()],
            quick: Quick::new(&ascii::narrowed(&pattern)),
            full,
        })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Number of its groups, the whole match included.
    pub fn groups(&self) -> usize {
        self.slots.len() / 2
    }

    pub fn names(&self) -> impl Iterator<Item = Option<&str>> {
        self.full.regex.group_info().pattern_names(PatternID::ZERO)
    }

    /// Appends the positions of at most `most` matches with `groups` groups each; for no groups, a 1 if there is a match.
    pub fn search(
        &mut self,
        text: Text<'_>,
        mut from: Position,
        groups: u32,
        most: u32,
        found: &mut Vec<u32>,
    ) {
        if !text.is_boundary(from.at) {
            return;
        }
        if groups == 0 {
            found.extend(self.next(text, from.at, 1).map(|_| 1));
            return;
        }
        let mut left = most;
        while left > 0 {
            let Some(Range { start, end }) = self.next(text, from.at, groups) else {
                return;
            };
            if start == end && from.after_match && end == from.at {
                // As everywhere: right after a match an empty one is none.
                let Some(at) = text.after_character(end) else {
                    return;
                };
                from = Position {
                    at,
                    after_match: false,
                };
                continue;
            }
            found.extend([start as u32, end as u32]);
            for slot in 2..2 * groups as usize {
                let place = self.slots.get(slot).copied().flatten();
                found.push(place.map_or(NONE, |place| place.get() as u32));
            }
            from = Position {
                at: end,
                after_match: true,
            };
            left -= 1;
        }
    }

    /// The next match; its groups are in `self.slots` where more than the whole is asked for.
    fn next(&mut self, text: Text<'_>, mut at: usize, groups: u32) -> Option<Range<usize>> {
        if text.is_ascii()
            && let Some(quick) = &mut self.quick
        {
            match quick.find(text.bytes(), at) {
                Outcome::Match(found) => {
                    if groups > 1 {
                        quick.find_groups(text.bytes(), found.clone(), &mut self.slots);
                    }
                    return Some(found);
                }
                Outcome::NoMatch => return None,
                Outcome::GivenUp(place) => at = place,
            }
        }
        let input = Input::new(text.bytes()).range(at..).anchored(Anchored::No);
        let found = self.full.find(&input)?;
        if groups > 1 {
            let span = input.span(found.clone()).anchored(Anchored::Yes);
            self.full.find_groups(&span, &mut self.slots)?;
        }
        Some(found)
    }
}

//! Runs programs over text: backtracking that never tries the same thing twice.
//!
//! Whether the rest of a program matches the rest of a text depends on nothing but the two positions, so each pair is
//! tried at most once in a search; that bounds the work by their product (after RE2's `BitState`).

use super::compile::{Program, Step};
use super::parse::Assertion;

/// A search through one text.
pub(crate) struct Search<'p, 't> {
    program: &'p Program,
    text: &'t str,
    /// Slots that are wanted; the others are not noted.
    wanted: usize,
    slots: Vec<Option<usize>>,
    /// One bit for each step at each position from `origin` on.
    tried: Vec<u64>,
    origin: usize,
    jobs: Vec<Job>,
}

/// What is left to do, on a stack.
enum Job {
    Try {
        step: usize,
        at: usize,
    },
    /// Takes back a note made on the way that failed.
    Restore {
        slot: usize,
        position: Option<usize>,
    },
}

impl<'p, 't> Search<'p, 't> {
    pub(crate) fn new(program: &'p Program, text: &'t str, wanted: usize) -> Self {
        Self {
            program,
            text,
            wanted,
            slots: vec![None; wanted],
            tried: Vec::new(),
            origin: 0,
            jobs: Vec::new(),
        }
    }

    /// The slots of the leftmost match at or after `start`.
    pub(crate) fn find_from(&mut self, start: usize) -> Option<Vec<Option<usize>>> {
        let bytes = self.text.as_bytes();
        let mut fresh = false;
        for at in start..=bytes.len() {
            if self.program.anchored && at > 0 {
                return None;
            }
            let starts = match (&self.program.first, bytes.get(at)) {
                (Some(first), Some(byte)) => first[usize::from(*byte)],
                (Some(_), None) => false,
                (None, _) => true,
            };
            if !starts || !self.text.is_char_boundary(at) {
                continue;
            }
            if !fresh {
                // Cleared as late as possible: most searches end above.
                self.origin = at;
                let bits = (bytes.len() - at + 1) * self.program.steps.len();
                self.tried.clear();
                self.tried.resize(bits.div_ceil(64), 0);
                fresh = true;
            }
            if self.matches_at(at) {
                return Some(self.slots.clone());
            }
        }
        None
    }

    fn matches_at(&mut self, start: usize) -> bool {
        self.slots.fill(None);
        self.jobs.clear();
        self.jobs.push(Job::Try { step: 0, at: start });
        while let Some(job) = self.jobs.pop() {
            match job {
                Job::Restore { slot, position } => self.slots[slot] = position,
                Job::Try { step, at } => {
                    if self.follow(step, at) {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Follows one way to its end; other ways go on the stack.
    fn follow(&mut self, mut step: usize, mut at: usize) -> bool {
        let bytes = self.text.as_bytes();
        loop {
            let bit = (at - self.origin) * self.program.steps.len() + step;
            if self.tried[bit / 64] >> (bit % 64) & 1 == 1 {
                return false;
            }
            self.tried[bit / 64] |= 1 << (bit % 64);
            match self.program.steps[step] {
                Step::Byte(byte) => {
                    if bytes.get(at) != Some(&byte) {
                        return false;
                    }
                    at += 1;
                    step += 1;
                }
                Step::Set(set) => {
                    let set = &self.program.sets[set];
                    match bytes.get(at) {
                        Some(byte) if byte.is_ascii() => {
                            if !set.has_ascii(*byte) {
                                return false;
                            }
                            at += 1;
                        }
                        _ => match self.text.get(at..).and_then(|rest| rest.chars().next()) {
                            Some(c) if set.has_other(c) => at += c.len_utf8(),
                            _ => return false,
                        },
                    }
                    step += 1;
                }
                Step::Split(first, second) => {
                    self.jobs.push(Job::Try { step: second, at });
                    step = first;
                }
                Step::Jump(to) => step = to,
                Step::Save(slot) => {
                    if slot < self.wanted {
                        self.jobs.push(Job::Restore {
                            slot,
                            position: self.slots[slot],
                        });
                        self.slots[slot] = Some(at);
                    }
                    step += 1;
                }
                Step::Assert(assertion) => {
                    if !holds(assertion, bytes, at) {
                        return false;
                    }
                    step += 1;
                }
                Step::Match => return true,
            }
        }
    }
}

/// Position of the next character, if there is one; at the end of the text there is nothing more to look for.
pub(crate) fn step_over(text: &str, at: usize) -> Option<usize> {
    text.get(at..)?.chars().next().map(|c| at + c.len_utf8())
}

fn holds(assertion: Assertion, bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|index| bytes[index]);
    let after = bytes.get(at).copied();
    let is_word =
        |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match assertion {
        Assertion::TextStart => before.is_none(),
        Assertion::TextEnd => after.is_none(),
        Assertion::LineStart => matches!(before, None | Some(b'\n')),
        Assertion::LineEnd => matches!(after, None | Some(b'\n')),
        Assertion::WordEdge => is_word(before) != is_word(after),
        Assertion::NotWordEdge => is_word(before) == is_word(after),
    }
}

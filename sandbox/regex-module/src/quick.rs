//! The quick way through a text of ASCII: from every byte a match can begin with, an automaton runs until it is settled.
//!
//! The matches of rewards are short and many: numbers, words, tags. For these the general way costs more than the text
//! itself: it finds the end of a match, goes back for its start, and builds its automaton while it searches. Here the whole
//! automaton is there, and a match is found in one go where it starts. Starts that come to nothing could cost more than
//! linear time, so the quick way gives up where they cost too much, and the general one goes on.

use std::ops::Range;

use regex_automata::dfa::{Automaton as _, StartKind, dense, onepass};
use regex_automata::nfa::thompson::{NFA, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::Hir;

use crate::full::{Full, Slots};

/// Bytes of an automaton; most take a few thousand.
const SIZE_LIMIT: usize = 64 << 10;
/// Bytes that may be used in making it.
const EFFORT_LIMIT: usize = 256 << 10;
/// Bytes that vain starts may look at, for each byte of progress and at all.
const PATIENCE_PER_BYTE: usize = 4;
const PATIENCE: usize = 1024;
/// Bytes of ASCII, and the place of "none".
const ASCII: usize = 128;

pub struct Quick {
    dfa: dense::DFA<Vec<u32>>,
    /// The automaton's start after each byte, and at the start of the text.
    starts: [StateID; ASCII + 1],
    begins: Begins,
    /// A match can only begin where the text does.
    is_anchored: bool,
    groups: Groups,
}

/// The bytes that a match can begin with.
enum Begins {
    One(u8),
    Two(u8, u8),
    Three(u8, u8, u8),
    Many(Box<[bool; 256]>),
}

/// How the groups of a match are found.
enum Groups {
    OnePass(Box<(onepass::DFA, onepass::Cache)>),
    Full(Box<Full>),
}

/// What a search comes to.
pub enum Outcome {
    Match(Range<usize>),
    NoMatch,
    /// Nothing begins before this place; from there on it is for others to find out.
    GivenUp(usize),
}

impl Quick {
    /// `None` for a pattern that it is not made for: one that matches nothing at all, or with too large an automaton.
    pub fn new(pattern: &Hir) -> Option<Self> {
        if pattern
            .properties()
            .minimum_len()
            .is_none_or(|least| least == 0)
        {
            return None;
        }
        let nfa = compile(pattern, WhichCaptures::None)?;
        let config = dense::Config::new()
            .start_kind(StartKind::Anchored)
            .accelerate(false)
            .dfa_size_limit(Some(SIZE_LIMIT))
            .determinize_size_limit(Some(EFFORT_LIMIT));
        let dfa = dense::Builder::new()
            .configure(config)
            .build_from_nfa(&nfa)
            .ok()?;
        let mut starts = [StateID::ZERO; ASCII + 1];
        for (behind, start) in (0_u8..).zip(&mut starts) {
            let behind = Some(behind).filter(u8::is_ascii);
            let config = start::Config::new()
                .anchored(Anchored::Yes)
                .look_behind(behind);
            *start = dfa.start_state(&config).ok()?;
        }
        let can_begin = |byte: &u8| {
            starts
                .iter()
                .any(|start| !dfa.is_dead_state(dfa.next_state(*start, *byte)))
        };
        let begins: Vec<u8> = (0..=127).filter(can_begin).collect();
        Some(Self {
            begins: Begins::new(&begins),
            dfa,
            starts,
            is_anchored: nfa.is_always_start_anchored(),
            groups: Groups::new(pattern)?,
        })
    }

    /// The first match from a place on.
    pub fn find(&self, text: &[u8], from: usize) -> Outcome {
        if self.is_anchored {
            return match self.end_of_match(text, 0) {
                Ok(end) if from == 0 => Outcome::Match(0..end),
                _ => Outcome::NoMatch,
            };
        }
        let mut at = from;
        let mut in_vain = 0;
        while let Some(skipped) = self.begins.next(&text[at..]) {
            at += skipped;
            match self.end_of_match(text, at) {
                Ok(end) => return Outcome::Match(at..end),
                Err(looked_at) => in_vain += looked_at,
            }
            at += 1;
            if in_vain > PATIENCE + PATIENCE_PER_BYTE * (at - from) {
                return Outcome::GivenUp(at);
            }
        }
        Outcome::NoMatch
    }

    /// Where the match ends that begins at a place; if there is none, how many bytes had to be looked at.
    fn end_of_match(&self, text: &[u8], at: usize) -> Result<usize, usize> {
        let behind = at
            .checked_sub(1)
            .map_or(ASCII, |before| text[before].into());
        let mut state = self.starts[behind];
        let mut end = None;
        // A state tells of a match one byte late.
        for (offset, byte) in text[at..].iter().enumerate() {
            state = self.dfa.next_state(state, *byte);
            if self.dfa.is_special_state(state) {
                if !self.dfa.is_match_state(state) {
                    return end.ok_or(offset + 1);
                }
                end = Some(at + offset);
            }
        }
        if self.dfa.is_match_state(self.dfa.next_eoi_state(state)) {
            end = Some(text.len());
        }
        end.ok_or(text.len() - at)
    }

    /// The groups of a match that was found.
    pub fn find_groups(&mut self, text: &[u8], found: Range<usize>, slots: &mut Slots) {
        let input = Input::new(text).span(found).anchored(Anchored::Yes);
        match &mut self.groups {
            Groups::OnePass(engine) => {
                // It can only fail for an input that is not anchored.
                let _ = engine.0.try_search_slots(&mut engine.1, &input, slots);
            }
            Groups::Full(engine) => {
                let _ = engine.find_groups(&input, slots);
            }
        }
    }
}

impl Begins {
    fn new(bytes: &[u8]) -> Self {
        match *bytes {
            [a] => Self::One(a),
            [a, b] => Self::Two(a, b),
            [a, b, c] => Self::Three(a, b, c),
            _ => {
                let mut set = [false; 256];
                for byte in bytes {
                    set[usize::from(*byte)] = true;
                }
                Self::Many(Box::new(set))
            }
        }
    }

    /// How far off the next such byte is.
    fn next(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::One(a) => memchr::memchr(*a, text),
            Self::Two(a, b) => memchr::memchr2(*a, *b, text),
            Self::Three(a, b, c) => memchr::memchr3(*a, *b, *c, text),
            Self::Many(set) => next_of(set, text),
        }
    }
}

/// How far off the next byte of a set is.
fn next_of(set: &[bool; 256], text: &[u8]) -> Option<usize> {
    let is_begin = |byte: &u8| set[usize::from(*byte)];
    let (chunks, rest) = text.as_chunks::<8>();
    for (number, chunk) in chunks.iter().enumerate() {
        // Without a branch for each byte.
        if chunk.iter().fold(false, |any, byte| any | is_begin(byte)) {
            return chunk
                .iter()
                .position(is_begin)
                .map(|place| 8 * number + place);
        }
    }
    let place = rest.iter().position(is_begin)?;
    Some(8 * chunks.len() + place)
}

impl Groups {
    fn new(pattern: &Hir) -> Option<Self> {
        let nfa = compile(pattern, WhichCaptures::All)?;
        let config = onepass::Config::new().size_limit(Some(SIZE_LIMIT));
        match onepass::Builder::new()
            .configure(config)
            .build_from_nfa(nfa)
        {
            Ok(dfa) => {
                let cache = dfa.create_cache();
                Some(Self::OnePass(Box::new((dfa, cache))))
            }
            Err(_) => Some(Self::Full(Box::new(Full::new(pattern).ok()?))),
        }
    }
}

fn compile(pattern: &Hir, captures: WhichCaptures) -> Option<NFA> {
    let config = NFA::config()
        .nfa_size_limit(Some(EFFORT_LIMIT))
        .which_captures(captures);
    NFA::compiler()
        .configure(config)
        .build_from_hir(pattern)
        .ok()
}

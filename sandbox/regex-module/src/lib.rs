//! The `regex` crate as a module of its own: the regular expressions of all reward functions.
//!
//! It is a guest like the rewards it serves: no imports, a memory of its own, the fuel and the deadline of the call. Only
//! the host calls it (`sandbox/src/regex.rs` is the other side), and only after it has copied a text into [`room`].
//!
//! Texts are searched in one of two places: the sample's own texts, handed over once a sample with [`adopt`], or whatever
//! was written last.

use std::sync::Mutex;

use regex::{CaptureLocations, Regex, RegexBuilder};

/// Bytes a compiled pattern may take. Ordinary ones take some tens of thousands.
const SIZE_LIMIT: usize = 1 << 20;
/// Bytes of the cache a lazy automaton may take.
const CACHE_LIMIT: usize = 1 << 20;
/// Nested groups in a pattern.
const NEST_LIMIT: u32 = 64;
/// In a result: no such position, no such pattern.
const NONE: u32 = u32::MAX;

struct Pattern {
    regex: Regex,
    groups: CaptureLocations,
}

struct Engine {
    /// Written by the host: a pattern, or a text to search.
    room: Vec<u8>,
    /// The texts of the sample under judgement.
    sample: String,
    patterns: Vec<Pattern>,
    /// The result of `compile`.
    description: Vec<u8>,
    /// The result of `search`.
    found: Vec<u32>,
}

static ENGINE: Mutex<Engine> = Mutex::new(Engine {
    room: Vec::new(),
    sample: String::new(),
    patterns: Vec::new(),
    description: Vec::new(),
    found: Vec::new(),
});

/// Makes room for `length` bytes and says where.
#[unsafe(no_mangle)]
extern "C" fn room(length: u32) -> u32 {
    let Ok(mut engine) = ENGINE.lock() else {
        return 0;
    };
    engine.room.clear();
    engine.room.resize(length as usize, 0);
    engine.room.as_mut_ptr().expose_provenance() as u32
}

/// Takes what is in the room as the texts of the sample, to be searched until the next ones come.
#[unsafe(no_mangle)]
extern "C" fn adopt() {
    if let Ok(mut engine) = ENGINE.lock() {
        let texts = std::mem::take(&mut engine.room);
        let spare = std::mem::replace(
            &mut engine.sample,
            String::from_utf8(texts).unwrap_or_default(),
        );
        engine.room = spare.into_bytes();
    }
}

/// Compiles the pattern in the room, unless it was compiled before. The result is the place (high half) and length in bytes (low half) of two `u32` and a
/// text: the pattern's number, the number of its groups, their names with a line break after each; or, where the pattern
/// is not valid, [`NONE`], 0 and the reason.
#[unsafe(no_mangle)]
extern "C" fn compile() -> u64 {
    let Ok(mut engine) = ENGINE.lock() else {
        return 0;
    };
    let engine = &mut *engine;
    engine.description.clear();
    let known = engine
        .patterns
        .iter()
        .position(|pattern| pattern.regex.as_str().as_bytes() == engine.room);
    match known.map_or_else(|| engine.add(), Ok) {
        Ok(number) => engine.describe(number),
        Err(reason) => {
            engine.description.extend(NONE.to_le_bytes());
            engine.description.extend(0_u32.to_le_bytes());
            engine.description.extend(reason.bytes());
        }
    }
    place(
        engine.description.as_ptr().expose_provenance(),
        engine.description.len(),
    )
}

impl Engine {
    /// Compiles the pattern in the room; its number, or why not.
    fn add(&mut self) -> Result<usize, String> {
        let pattern = std::str::from_utf8(&self.room).map_err(|error| error.to_string())?;
        let regex = RegexBuilder::new(pattern)
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(CACHE_LIMIT)
            .nest_limit(NEST_LIMIT)
            .build()
            .map_err(|error| error.to_string())?;
        let groups = regex.capture_locations();
        self.patterns.push(Pattern { regex, groups });
        Ok(self.patterns.len() - 1)
    }

    fn describe(&mut self, number: usize) {
        let regex = &self.patterns[number].regex;
        self.description.extend((number as u32).to_le_bytes());
        self.description
            .extend((regex.captures_len() as u32).to_le_bytes());
        for name in regex.capture_names() {
            self.description.extend(name.unwrap_or_default().bytes());
            self.description.push(b'\n');
        }
    }
}

/// Searches `length` bytes from `start` of the sample's texts (`in_sample`) or of the room, from byte `from` of that text on.
///
/// Finds at most `most` matches with `groups` groups each, at least the whole match; with `groups` 0 it finds out whether there is one. `after_match`
/// says that a match has ended at `from`, so that an empty one there does not count. The result is the place (high half)
/// and length in bytes (low half) of the positions found: two `u32` a group, [`NONE`] for a group that took no part. A
/// pattern or a text that is not there has no matches.
#[unsafe(no_mangle)]
extern "C" fn search(
    pattern: u32,
    groups: u32,
    most: u32,
    in_sample: u32,
    start: u32,
    length: u32,
    from: u32,
    after_match: u32,
) -> u64 {
    let Ok(mut engine) = ENGINE.lock() else {
        return 0;
    };
    let engine = &mut *engine;
    engine.found.clear();
    let range = start as usize..start.saturating_add(length) as usize;
    let text = if in_sample == 0 {
        engine
            .room
            .get(range)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
    } else {
        engine.sample.get(range)
    };
    let pattern = engine.patterns.get_mut(pattern as usize);
    if let (Some(text), Some(pattern)) = (text, pattern) {
        let from = Position {
            at: from as usize,
            after_match: after_match != 0,
        };
        pattern.search(text, from, groups, most, &mut engine.found);
    }
    place(
        engine.found.as_ptr().expose_provenance(),
        engine.found.len() * 4,
    )
}

/// Where a search goes on.
struct Position {
    at: usize,
    /// A match has ended here.
    after_match: bool,
}

impl Pattern {
    fn search(
        &mut self,
        text: &str,
        mut from: Position,
        groups: u32,
        most: u32,
        found: &mut Vec<u32>,
    ) {
        if !text.is_char_boundary(from.at) {
            return;
        }
        if groups == 0 {
            found.extend(self.regex.is_match_at(text, from.at).then_some(1));
            return;
        }
        let mut left = most;
        while left > 0 {
            let Some((start, end)) = self.next(text, from.at, groups) else {
                return;
            };
            if start == end && from.after_match && end == from.at {
                // As everywhere: right after a match an empty one is none.
                match text[end..].chars().next() {
                    Some(skipped) => {
                        from = Position {
                            at: end + skipped.len_utf8(),
                            after_match: false,
                        }
                    }
                    None => return,
                }
                continue;
            }
            found.extend([start as u32, end as u32]);
            for group in 1..groups as usize {
                let (start, end) = self
                    .groups
                    .get(group)
                    .map_or((NONE, NONE), |(start, end)| (start as u32, end as u32));
                found.extend([start, end]);
            }
            from = Position {
                at: end,
                after_match: true,
            };
            left -= 1;
        }
    }

    /// The next match; its groups are in `self.groups` where more than the whole is asked for.
    fn next(&mut self, text: &str, at: usize, groups: u32) -> Option<(usize, usize)> {
        let found = if groups == 1 {
            self.regex.find_at(text, at)
        } else {
            self.regex.captures_read_at(&mut self.groups, text, at)
        };
        found.map(|found| (found.start(), found.end()))
    }
}

const fn place(address: usize, length: usize) -> u64 {
    (address as u64) << 32 | length as u64
}

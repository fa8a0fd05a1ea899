//! The engine of the `regex` crate as a module of its own: the regular expressions of all reward functions.
//!
//! A text of nothing but ASCII, as most are, is searched by `quick`, with an automaton made beforehand; any other text, and
//! whatever `quick` is not made for, by `full`, as the crate does it. Both find the same matches.
//!
//! It is a guest like the rewards it serves: no imports, a memory of its own, the fuel and the deadline of the call. Only
//! the host calls it (`sandbox/src/regex/mod.rs` is the other side), and only after it has copied a text into [`room`].
//!
//! Texts are searched in one of two places: the sample's own texts, handed over once a sample with [`adopt`], or whatever
//! was written last.

// That of the guests: it makes do with the memory there is, and leaves little behind.
#[path = "../../sdk/src/allocator.rs"]
mod allocator;
mod ascii;
mod full;
mod pattern;
mod quick;
mod text;

use std::sync::Mutex;

use pattern::{Pattern, Position};
use text::{Sample, Text};

/// In a result: no such position, no such pattern.
const NONE: u32 = u32::MAX;

struct Engine {
    /// Written by the host: a pattern, or a text to search.
    room: Vec<u8>,
    sample: Sample,
    patterns: Vec<Pattern>,
    /// The result of `compile`.
    description: Vec<u8>,
    /// The result of `search`.
    found: Vec<u32>,
}

static ENGINE: Mutex<Engine> = Mutex::new(Engine {
    room: Vec::new(),
    sample: Sample::EMPTY,
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
        let engine = &mut *engine;
        engine.sample.adopt(&mut engine.room);
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
        .position(|pattern| pattern.as_str().as_bytes() == engine.room);
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
        self.patterns.push(Pattern::new(pattern)?);
        Ok(self.patterns.len() - 1)
    }

    fn describe(&mut self, number: usize) {
        let pattern = &self.patterns[number];
        self.description.extend((number as u32).to_le_bytes());
        self.description
            .extend((pattern.groups() as u32).to_le_bytes());
        for name in pattern.names() {
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
        engine.room.get(range).and_then(Text::new)
    } else {
        engine.sample.text().part(range)
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

const fn place(address: usize, length: usize) -> u64 {
    (address as u64) << 32 | length as u64
}

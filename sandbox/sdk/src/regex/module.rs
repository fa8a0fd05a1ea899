//! The guest's side of its only import: the sandbox's regular-expression module.
//!
//! The host checks every address and length it is given, so nothing here can reach beyond the guest's own memory. This
//! file has `unsafe` because a call out of the guest passes plain addresses.
#![allow(unsafe_code)]

use std::sync::Mutex;

/// In a result: no such position, no such pattern.
pub(super) const NONE: u32 = u32::MAX;

#[link(wasm_import_module = "re")]
unsafe extern "C" {
    /// Compiles a pattern; the description of the outcome goes to `result`, its length is returned.
    fn compile(pattern: *const u8, length: usize, result: *mut u8, room: usize) -> usize;
    /// Searches a text; the positions found go to `result`, their length in bytes is returned.
    fn search(
        pattern: u32,
        groups: usize,
        text: *const u8,
        length: usize,
        from: usize,
        after_match: u32,
        result: *mut u32,
        room: usize,
    ) -> usize;
}

/// A pattern that the module has compiled.
pub(super) struct Program {
    number: u32,
    /// Its groups, the whole match included.
    pub(super) groups: usize,
    /// Names of the groups from 0, a line break after each.
    names: String,
    /// Flags and pattern.
    text: String,
    /// Length of the flags in `text`.
    flags: usize,
}

impl Program {
    pub(super) fn pattern(&self) -> &str {
        &self.text[self.flags..]
    }

    pub(super) fn names(&self) -> impl Iterator<Item = Option<&str>> {
        self.names
            .lines()
            .map(|name| (!name.is_empty()).then_some(name))
    }

    /// Finds as many matches as `slots` has room for, with `groups` groups each, from byte `from` of the text on. For no
    /// groups, one slot says whether there is a match. Returns the number of slots that were filled.
    pub(super) fn search(
        &self,
        groups: usize,
        text: &str,
        from: usize,
        after_match: bool,
        slots: &mut [u32],
    ) -> usize {
        assert!(from <= text.len(), "the search starts behind the text");
        // SAFETY: text and slots are valid for their lengths, and the host writes no more than the room it is told of.
        let bytes = unsafe {
            search(
                self.number,
                groups,
                text.as_ptr(),
                text.len(),
                from,
                after_match.into(),
                slots.as_mut_ptr(),
                size_of_val(slots),
            )
        };
        bytes / size_of::<u32>()
    }
}

/// Every pattern compiled so far. Rewards have a handful, so looking through them is faster than hashing.
static PROGRAMS: Mutex<Vec<&'static Program>> = Mutex::new(Vec::new());

/// The compiled pattern, from an earlier call where there was one.
pub(super) fn program(flags: &str, pattern: &str) -> Result<&'static Program, Error> {
    let mut programs = PROGRAMS.lock().expect("nothing panics while it is held");
    let known = programs.iter().find(|program| {
        program.flags == flags.len()
            && program.pattern() == pattern
            && program.text.starts_with(flags)
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let program = Box::leak(Box::new(compiled(flags, pattern)?));
    programs.push(program);
    Ok(program)
}

fn compiled(flags: &str, pattern: &str) -> Result<Program, Error> {
    let text = format!("{flags}{pattern}");
    // The names are part of the pattern; a reason quotes it and says a few words.
    let mut result = vec![0; 4 * text.len() + 1024];
    // SAFETY: text and result are valid for their lengths, and the host writes no more than the room it is told of.
    let length = unsafe { compile(text.as_ptr(), text.len(), result.as_mut_ptr(), result.len()) };
    let (numbers, words) = result[..length]
        .split_at_checked(8)
        .unwrap_or((&[0xff; 8], &[]));
    let words = String::from_utf8_lossy(words).into_owned();
    let number = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| numbers[at + byte]));
    match number(0) {
        NONE => Err(Error::Syntax(words)),
        handle => Ok(Program {
            number: handle,
            groups: number(4) as usize,
            names: words,
            text,
            flags: flags.len(),
        }),
    }
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// It is not valid, or too large; the text says why.
    Syntax(String),
}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Syntax(reason) = self;
        formatter.write_str(reason)
    }
}

impl std::error::Error for Error {}

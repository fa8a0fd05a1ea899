//! The guest's side of the call: where the host writes a sample, and where a panic leaves its message.
//!
//! The host asks [`prepare`] for room, writes the encoded sample there and calls [`score`]. The layout is the host's
//! `abi` module word for word; both change together with the number in the exports' names.

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};

use crate::Sample;

/// Bytes kept of a panic message.
const MESSAGE_CAPACITY: usize = 1024;
/// Six little-endian u32: flags, then the lengths of prompt, completion, answer and extracted answer, then 0.
const HEADER: usize = 24;
const CORRECT: u32 = 1;
const HAS_EXTRACTED: u32 = 2;

/// The encoded sample. Written by the host between `prepare` and `score`.
static INPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// What the host reads after a trap: the length, then that many bytes of UTF-8.
#[repr(C)]
struct Message {
    length: AtomicU32,
    bytes: [AtomicU8; MESSAGE_CAPACITY],
}

static MESSAGE: Message = Message {
    length: AtomicU32::new(0),
    bytes: [const { AtomicU8::new(0) }; MESSAGE_CAPACITY],
};

/// Makes room for `length` bytes. The low half of the result is where the host is to write them, the high half where it
/// finds the [`Message`] after a trap.
#[must_use]
pub fn prepare(length: u32) -> u64 {
    std::panic::set_hook(Box::new(|panic| {
        // A message that does not fit is cut; nothing else can fail.
        let _ = write!(MessageWriter, "{panic}");
    }));
    let Ok(mut input) = INPUT.lock() else {
        return 0;
    };
    input.clear();
    input.resize(length as usize, 0);
    let message = (&raw const MESSAGE).expose_provenance() as u64;
    (message << 32) | input.as_mut_ptr().expose_provenance() as u64
}

/// Scores the sample that the host wrote.
pub fn score(reward: fn(&Sample<'_>) -> f64) -> f64 {
    match INPUT.lock().ok().as_deref().and_then(|input| decode(input)) {
        Some(sample) => reward(&sample),
        None => f64::NAN,
    }
}

/// The sample in `input`; `None` where host and guest do not speak the same layout.
fn decode(input: &[u8]) -> Option<Sample<'_>> {
    let (header, mut texts) = input.split_at_checked(HEADER)?;
    let (fields, _) = header.as_chunks::<4>();
    let field = |index: usize| fields.get(index).map(|bytes| u32::from_le_bytes(*bytes));
    let mut text = |length: u32| {
        let (head, rest) = texts.split_at_checked(length as usize)?;
        texts = rest;
        std::str::from_utf8(head).ok()
    };
    let flags = field(0)?;
    let (prompt, completion) = (text(field(1)?)?, text(field(2)?)?);
    let (answer, extracted) = (text(field(3)?)?, text(field(4)?)?);
    let extracted = (flags & HAS_EXTRACTED != 0).then_some(extracted);
    Some(Sample::new(prompt, completion, answer).with_verdict(flags & CORRECT != 0, extracted))
}

/// Appends to [`MESSAGE`].
struct MessageWriter;

impl Write for MessageWriter {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let length = MESSAGE.length.load(Relaxed) as usize;
        let room = MESSAGE.bytes.get(length..).unwrap_or_default();
        for (slot, byte) in room.iter().zip(text.bytes()) {
            slot.store(byte, Relaxed);
        }
        MESSAGE
            .length
            .store((length + text.len().min(room.len())) as u32, Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_the_host_encodes_and_nothing_else() {
        let mut input = Vec::new();
        for field in [CORRECT | HAS_EXTRACTED, 2, 3, 1, 1, 0] {
            input.extend_from_slice(&u32::to_le_bytes(field));
        }
        input.extend_from_slice("q?a b42".as_bytes());
        let sample = Sample::new("q?", "a b", "4").with_verdict(true, Some("2"));
        assert_eq!(decode(&input), Some(sample));
        assert_eq!(decode(&input[..input.len() - 1]), None);
        assert_eq!(decode(&input[..10]), None);
        let last = input.len() - 1;
        input[last] = 0xff;
        assert_eq!(decode(&input), None);
    }
}

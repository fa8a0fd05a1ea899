//! The guest's side of the call: where the host writes samples, and where scores and a panic's message are found.
//!
//! The host asks [`prepare`] for room, writes encoded samples there and calls [`score`] or [`score_group`], as often as it
//! likes. The layout is the host's `abi` module word for word; both change together with the number in the exports' names.

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};

use crate::Sample;

/// Bytes kept of a panic message.
const MESSAGE_CAPACITY: usize = 1024;
/// Little-endian u32 of a sample in the header: flags, then the lengths of prompt, completion, answer and extracted answer.
const FIELDS: usize = 5;
const CORRECT: u32 = 1;
const HAS_EXTRACTED: u32 = 2;

/// The encoded samples. Written by the host between calls.
static INPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
/// The scores of the last group.
static SCORES: Mutex<Vec<f64>> = Mutex::new(Vec::new());

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

/// Makes room for `length` bytes, to be written to until the next call of this. The low half of the result is its address,
/// the high half is where the host finds the message of a panic after a trap.
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
    pair(
        input.as_mut_ptr().expose_provenance(),
        (&raw const MESSAGE).expose_provenance(),
    )
}

/// Scores the sample that the host wrote.
pub fn score(reward: fn(&Sample<'_>) -> f64) -> f64 {
    let Ok(input) = INPUT.lock() else {
        return f64::NAN;
    };
    Samples::new(&input)
        .and_then(|mut samples| samples.next())
        .map_or(f64::NAN, |sample| reward(&sample))
}

/// Scores the group that the host wrote. The low half of the result is the address of the scores, the high half their number.
pub fn score_group(reward: fn(&[Sample<'_>]) -> Vec<f64>) -> u64 {
    let (Ok(input), Ok(mut scores)) = (INPUT.lock(), SCORES.lock()) else {
        return 0;
    };
    let samples: Vec<Sample<'_>> = Samples::new(&input).into_iter().flatten().collect();
    *scores = reward(&samples);
    pair(scores.as_ptr().expose_provenance(), scores.len())
}

const fn pair(low: usize, high: usize) -> u64 {
    (high as u64) << 32 | low as u64
}

/// Reads the samples of an input; ends early where host and guest do not speak the same layout.
struct Samples<'a> {
    headers: std::slice::ChunksExact<'a, [u8; 4]>,
    texts: &'a [u8],
}

impl<'a> Samples<'a> {
    fn new(input: &'a [u8]) -> Option<Self> {
        let (count, rest) = input.split_first_chunk()?;
        let fields = (u32::from_le_bytes(*count) as usize).checked_mul(FIELDS)?;
        let (headers, texts) = rest.split_at_checked(fields.checked_mul(4)?)?;
        let headers = headers.as_chunks().0.chunks_exact(FIELDS);
        Some(Self { headers, texts })
    }

    fn text(&mut self, length: [u8; 4]) -> Option<&'a str> {
        let (text, rest) = self
            .texts
            .split_at_checked(u32::from_le_bytes(length) as usize)?;
        self.texts = rest;
        std::str::from_utf8(text).ok()
    }
}

impl<'a> Iterator for Samples<'a> {
    type Item = Sample<'a>;

    fn next(&mut self) -> Option<Sample<'a>> {
        let &[flags, prompt, completion, answer, extracted] = self.headers.next()?.as_array()?;
        let flags = u32::from_le_bytes(flags);
        let (prompt, completion) = (self.text(prompt)?, self.text(completion)?);
        let (answer, extracted) = (self.text(answer)?, self.text(extracted)?);
        let extracted = (flags & HAS_EXTRACTED != 0).then_some(extracted);
        Some(Sample::new(prompt, completion, answer).with_verdict(flags & CORRECT != 0, extracted))
    }
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
        for field in [2, CORRECT | HAS_EXTRACTED, 2, 3, 1, 1, 0, 0, 1, 0, 0] {
            input.extend_from_slice(&u32::to_le_bytes(field));
        }
        input.extend_from_slice("q?a b42x".as_bytes());
        let decode = |input: &[u8]| -> Vec<String> {
            let samples = Samples::new(input).into_iter().flatten();
            samples.map(|sample| format!("{sample:?}")).collect()
        };
        let first = Sample::new("q?", "a b", "4").with_verdict(true, Some("2"));
        let all = [first, Sample::new("", "x", "")].map(|sample| format!("{sample:?}"));
        assert_eq!(decode(&input), all);
        // More room than was written to.
        input.push(0);
        assert_eq!(decode(&input), all);
        assert_eq!(decode(&input[..input.len() - 2]), all[..1]);
        assert_eq!(decode(&input[..20]), [""; 0]);
        let last = input.len() - 2;
        input[last] = 0xff;
        assert_eq!(decode(&input), all[..1]);
    }
}

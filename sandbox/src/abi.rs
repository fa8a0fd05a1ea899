//! The calling convention between host and guest: one sample in, one `f64` out.
//!
//! A guest imports nothing and exports exactly
//!
//! | export | type | meaning |
//! |---|---|---|
//! | `memory` | memory | where samples are written |
//! | `reward_v1_prepare` | `(i32) -> i64` | makes room for that many bytes; the low half of the result is their address, the high half the address of the panic message |
//! | `reward_v1_score` | `() -> f64` | scores the sample in the room prepared last |
//!
//! besides `__data_end` and `__heap_base`, which the linker adds. A call is `prepare`, a write by the host, `score`.
//!
//! A sample is six little-endian `u32` (flags, then the byte lengths of prompt, completion, answer and extracted answer,
//! then 0), followed by the four texts in UTF-8. Flag 1: the answer is right; flag 2: there is an extracted answer.
//!
//! The panic message is a `u32` length and that many bytes; the host reads it after a trap and trusts nothing of it.
//!
//! The number in the export names is the version of all this; `sdk/src/guest.rs` is the other side.

use crate::Sample;

/// Export that makes room for a sample.
pub(crate) const PREPARE: &str = "reward_v1_prepare";
/// Export that scores it.
pub(crate) const SCORE: &str = "reward_v1_score";
/// Export of the linear memory.
pub(crate) const MEMORY: &str = "memory";
/// What the linker adds on its own; harmless, never touched.
pub(crate) const LINKER_EXPORTS: [&str; 2] = ["__data_end", "__heap_base"];

/// What the host appends to a candidate's source: the prelude and the two exports.
pub(crate) const GLUE: &str = r#"
#[allow(unused_imports)]
use ::reward_sdk::prelude::*;
#[unsafe(export_name = "reward_v1_prepare")]
extern "C" fn __reward_prepare(length: u32) -> u64 { ::reward_sdk::abi::prepare(length) }
#[unsafe(export_name = "reward_v1_score")]
extern "C" fn __reward_score() -> f64 { ::reward_sdk::abi::score(reward) }
"#;

const HEADER: usize = 24;
const CORRECT: u32 = 1;
const HAS_EXTRACTED: u32 = 2;
/// Most of a panic message that is kept, in bytes.
const MESSAGE_LIMIT: usize = 1024;

/// Bytes of text in a sample.
pub(crate) fn text_length(sample: &Sample<'_>) -> usize {
    texts(sample).iter().map(|text| text.len()).sum()
}

/// The sample as the guest reads it, into `buffer`, which is cleared first. The texts must be shorter than 4 GiB.
pub(crate) fn encode(sample: &Sample<'_>, buffer: &mut Vec<u8>) {
    let texts = texts(sample);
    let mut flags = if sample.verdict.correct { CORRECT } else { 0 };
    if sample.verdict.extracted.is_some() {
        flags |= HAS_EXTRACTED;
    }
    buffer.clear();
    buffer.reserve(HEADER + text_length(sample));
    buffer.extend_from_slice(&flags.to_le_bytes());
    for text in texts {
        buffer.extend_from_slice(&(text.len() as u32).to_le_bytes());
    }
    buffer.extend_from_slice(&0_u32.to_le_bytes());
    for text in texts {
        buffer.extend_from_slice(text.as_bytes());
    }
}

/// The two addresses in the result of `prepare`: of the room, and of the panic message.
pub(crate) const fn addresses(prepared: u64) -> (usize, usize) {
    (prepared as u32 as usize, (prepared >> 32) as usize)
}

/// The panic message at `address`, if there is a readable one.
pub(crate) fn panic_message(memory: &[u8], address: usize) -> Option<String> {
    let rest = memory.get(address..)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length))
        .ok()?
        .min(MESSAGE_LIMIT);
    let text = String::from_utf8_lossy(rest.get(..length)?);
    // One line, no terminal control sequences: the text is the candidate's.
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .collect();
    (address != 0 && !words.is_empty()).then(|| words.join(" "))
}

fn texts<'a>(sample: &Sample<'a>) -> [&'a str; 4] {
    [
        sample.prompt,
        sample.completion,
        sample.answer,
        sample.verdict.extracted.unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;

    #[test]
    fn a_sample_is_a_header_and_four_texts() {
        let verdict = Verdict {
            correct: true,
            extracted: Some("2"),
        };
        let mut buffer = vec![9; 99];
        encode(
            &Sample {
                prompt: "q?",
                completion: "a b",
                answer: "4",
                verdict,
            },
            &mut buffer,
        );
        let mut expected = Vec::new();
        for field in [3_u32, 2, 3, 1, 1, 0] {
            expected.extend_from_slice(&field.to_le_bytes());
        }
        expected.extend_from_slice(b"q?a b42");
        assert_eq!(buffer, expected);
    }

    #[test]
    fn a_panic_message_is_read_within_bounds_only() {
        let mut memory = vec![0; 64];
        memory[8..12].copy_from_slice(&5_u32.to_le_bytes());
        memory[12..17].copy_from_slice(b"a\n\x1bb!");
        assert_eq!(panic_message(&memory, 8).as_deref(), Some("a b!"));
        memory[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        for address in [0, 8, 61, 64, usize::MAX] {
            assert_eq!(panic_message(&memory, address), None);
        }
    }

    #[test]
    fn the_glue_exports_what_the_host_looks_for() {
        assert!(GLUE.contains(PREPARE) && GLUE.contains(SCORE));
    }
}

//! The calling convention between host and guest: samples in, one `f64` out for each.
//!
//! A guest exports exactly
//!
//! | export | type | meaning |
//! |---|---|---|
//! | `memory` | memory | where samples are written |
//! | `reward_v2_prepare` | `(i32) -> i64` | makes room for that many bytes; the low half of the result is their address, the high half the address of the panic message |
//! | `reward_v2_score` | `() -> f64` | scores the one sample written there |
//!
//! besides `__data_end` and `__heap_base`, which the linker adds. A reward of groups has, instead of the last,
//!
//! | export | type | meaning |
//! |---|---|---|
//! | `reward_v2_score_group` | `() -> i64` | scores the samples written there together; the low half of the result is the address of the scores (`f64`), the high half their number |
//!
//! The host asks for room once and then writes and scores as long as what it got is large enough.
//!
//! Samples are a little-endian `u32`, their number; for each of them five `u32` (flags, then the byte lengths of prompt,
//! completion, answer and extracted answer); then the four texts of each in UTF-8. Flag 1: the answer is right; flag 2:
//! there is an extracted answer.
//!
//! The panic message is a `u32` length and that many bytes; the host reads it after a trap and trusts nothing of it.
//!
//! A guest may import two functions, `re.compile` and `re.search` (see the module `regex`), and nothing else.
//!
//! The number in the export names is the version of all this; `sdk/src/guest.rs` is the other side.

use crate::sample::Sample;
use crate::text::may_be_shown;

/// A breach of this convention: what the guest did, in words.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Breach(pub(crate) &'static str);

/// Export that makes room for samples.
pub(crate) const PREPARE: &str = "reward_v2_prepare";
/// Export that scores one.
pub(crate) const SCORE: &str = "reward_v2_score";
/// Export that scores a group.
pub(crate) const SCORE_GROUP: &str = "reward_v2_score_group";
/// Export of the linear memory.
pub(crate) const MEMORY: &str = "memory";
/// What the linker adds on its own; harmless, never touched.
pub(crate) const LINKER_EXPORTS: [&str; 2] = ["__data_end", "__heap_base"];

const CORRECT: u32 = 1;
const HAS_EXTRACTED: u32 = 2;
/// Most of a panic message that is kept, in bytes.
const MESSAGE_LIMIT: usize = 1024;

/// Bytes of text in a sample.
pub(crate) fn text_length(sample: &Sample<'_>) -> usize {
    texts(sample).iter().map(|text| text.len()).sum()
}

/// Bytes before the texts of `samples` samples.
pub(crate) const fn header_length(samples: usize) -> usize {
    4 + 20 * samples
}

/// Bytes of encoded samples.
pub(crate) fn encoded_length(samples: &[Sample<'_>]) -> usize {
    header_length(samples.len()) + samples.iter().map(text_length).sum::<usize>()
}

/// The samples as the guest reads them, into `buffer`, which is cleared first. All of it must be shorter than 4 GiB.
pub(crate) fn encode(samples: &[Sample<'_>], buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.reserve(encoded_length(samples));
    buffer.extend_from_slice(&(samples.len() as u32).to_le_bytes());
    for sample in samples {
        let mut flags = if sample.verdict.correct { CORRECT } else { 0 };
        if sample.verdict.extracted.is_some() {
            flags |= HAS_EXTRACTED;
        }
        buffer.extend_from_slice(&flags.to_le_bytes());
        for text in texts(sample) {
            buffer.extend_from_slice(&(text.len() as u32).to_le_bytes());
        }
    }
    for text in samples.iter().flat_map(texts) {
        buffer.extend_from_slice(text.as_bytes());
    }
}

/// The two numbers in a result: addresses of the samples and of the panic message, or address and number of scores.
pub(crate) const fn halves(result: u64) -> (usize, usize) {
    (result as u32 as usize, (result >> 32) as usize)
}

/// The scores at `address`, if they are in memory.
pub(crate) fn scores(memory: &[u8], address: usize, count: usize) -> Option<Vec<f64>> {
    let bytes = memory.get(address..address.checked_add(count.checked_mul(8)?)?)?;
    let (scores, _) = bytes.as_chunks();
    Some(
        scores
            .iter()
            .map(|score| f64::from_le_bytes(*score))
            .collect(),
    )
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
        .split(|c: char| c.is_whitespace() || !may_be_shown(c))
        .filter(|w| !w.is_empty())
        .collect();
    (address != 0 && !words.is_empty()).then(|| words.join(" "))
}

fn texts<'a>(sample: &Sample<'a>) -> [&'a str; 4] {
    [
        sample.prompt,
        sample.completion,
        sample.answer,
        sample.verdict.extracted.as_deref().unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Verdict;

    #[test]
    fn samples_are_a_header_and_four_texts_each() {
        let verdict = Verdict {
            correct: true,
            extracted: Some("2".to_owned()),
        };
        let sample = Sample {
            prompt: "q?",
            completion: "a b",
            answer: "4",
            verdict: &verdict,
            row: "",
        };
        let mut expected = Vec::new();
        for field in [2_u32, 3, 2, 3, 1, 1, 3, 2, 3, 1, 1] {
            expected.extend_from_slice(&field.to_le_bytes());
        }
        expected.extend_from_slice(b"q?a b42q?a b42");
        let mut buffer = vec![9; 99];
        encode(&[sample; 2], &mut buffer);
        assert_eq!(buffer, expected);
        assert_eq!(buffer.len(), encoded_length(&[sample; 2]));
    }

    #[test]
    fn scores_are_read_within_bounds_only() {
        let mut memory = vec![0; 24];
        memory[8..16].copy_from_slice(&1.5_f64.to_le_bytes());
        assert_eq!(scores(&memory, 8, 2), Some(vec![1.5, 0.0]));
        assert_eq!(scores(&memory, 24, 0), Some(vec![]));
        for (address, count) in [(8, 3), (17, 1), (25, 0), (usize::MAX, 1), (0, usize::MAX)] {
            assert_eq!(scores(&memory, address, count), None);
        }
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
}

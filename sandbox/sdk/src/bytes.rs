//! Looking for bytes, eight at a time: a guest pays for every turn of a loop.

const ONES: u64 = 0x0101_0101_0101_0101;

/// Position of the first byte between `low` and `high`, both included and both ASCII, from `from` on; the length where
/// there is none.
#[inline]
pub(crate) fn first_within(bytes: &[u8], from: usize, low: u8, high: u8) -> usize {
    let (words, _) = bytes.get(from..).unwrap_or_default().as_chunks::<8>();
    for (turn, word) in words.iter().enumerate() {
        let found = within(u64::from_le_bytes(*word), low, high);
        if found != 0 {
            return from + 8 * turn + (found.trailing_zeros() / 8) as usize;
        }
    }
    let rest = from + 8 * words.len();
    let last = bytes.get(rest..).unwrap_or_default();
    let place = last.iter().position(|byte| (low..=high).contains(byte));
    place.map_or(bytes.len(), |place| rest + place)
}

/// The highest bit of each byte of `word` that is between `low` and `high` (Anderson, Bit Twiddling Hacks, "hasbetween"): a
/// byte without its highest bit neither borrows from the next nor carries into it.
const fn within(word: u64, low: u8, high: u8) -> u64 {
    let seven_bits = word & (ONES * 0x7f);
    let below = ONES * (0x80 + high as u64) - seven_bits;
    let above = seven_bits + ONES * (0x80 - low as u64);
    below & above & !word & (ONES * 0x80)
}

/// Position of a literal from `from` on. Looking for its first byte and comparing beats the preparations of a cleverer
/// search in texts of this length.
pub(crate) fn find(text: &[u8], literal: &[u8], from: usize) -> Option<usize> {
    let (&first, rest) = literal.split_first()?;
    let mut at = from;
    loop {
        at = if first.is_ascii() {
            first_within(text, at, first, first)
        } else {
            at + text.get(at..)?.iter().position(|byte| *byte == first)?
        };
        if text.get(at + 1..)?.starts_with(rest) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_at_a_time_finds_what_one_at_a_time_does() {
        let mut state = 1_u32;
        let bytes: Vec<u8> = (0..4096)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        for (low, high) in [
            (b'.', b'9'),
            (b'<', b'<'),
            (0, 0),
            (0x7f, 0x7f),
            (0, 0x7f),
            (1, 2),
        ] {
            for from in (0..200).chain([4090, 4096, 5000]) {
                let expected = bytes
                    .iter()
                    .skip(from)
                    .position(|byte| (low..=high).contains(byte));
                let expected = expected.map_or(bytes.len(), |place| from + place);
                assert_eq!(
                    first_within(&bytes, from, low, high),
                    expected,
                    "{low} {high} {from}"
                );
            }
        }
    }

    #[test]
    fn literals_are_found_wherever_they_stand() {
        let text = "aab é aab<x".as_bytes();
        assert_eq!(find(text, b"ab", 0), Some(1));
        assert_eq!(find(text, b"ab", 2), Some(8));
        assert_eq!(find(text, "é".as_bytes(), 0), Some(4));
        assert_eq!(find(text, b"<x", 0), Some(10));
        for missing in ["<xy", "b<b", "", "ü"] {
            assert_eq!(find(text, missing.as_bytes(), 0), None);
        }
        assert_eq!(find(text, b"a", 99), None);
    }
}

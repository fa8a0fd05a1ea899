//! How much of a text repeats itself.

use std::hash::{Hash, Hasher};

use crate::maps::{FixedHasher, HashSet};
use crate::words;

/// Share of the word n-grams that already stood earlier in the text, ASCII case aside: 0 where nothing repeats, towards 1
/// for a loop. 0 for texts of fewer than `n` words and for `n = 0`.
///
/// ```
/// use reward_sdk::prelude::*;
/// assert_eq!(repetition("one two three four", 2), 0.0);
/// assert_eq!(repetition("a b a b a b", 2), 0.6);
/// ```
#[must_use]
pub fn repetition(text: &str, n: usize) -> f64 {
    // A 64-bit hash a word and a gram: two grams that collide by chance are a matter of 1e-13 a text.
    let hashes: Vec<u64> = words(text).map(word_hash).collect();
    if n == 0 || hashes.len() < n {
        return 0.0;
    }
    let total = hashes.len() - n + 1;
    let mut seen = HashSet::with_capacity(total);
    let repeated = hashes
        .windows(n)
        .filter(|gram| !seen.insert(gram_hash(gram)))
        .count();
    repeated as f64 / total as f64
}

/// Share of the non-empty lines that already stood earlier in the text, surrounding white space aside.
///
/// ```
/// use reward_sdk::prelude::*;
/// assert_eq!(repeated_lines("2 + 2 = 4\n2 + 2 = 4\n\n5"), 1.0 / 3.0);
/// ```
#[must_use]
pub fn repeated_lines(text: &str) -> f64 {
    let mut seen = HashSet::new();
    let (mut total, mut repeated) = (0_usize, 0_usize);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        total += 1;
        repeated += usize::from(!seen.insert(line));
    }
    if total == 0 {
        0.0
    } else {
        repeated as f64 / total as f64
    }
}

fn word_hash(word: &str) -> u64 {
    let mut hasher = FixedHasher::default();
    for byte in word.bytes() {
        hasher.write_u8(byte.to_ascii_lowercase());
    }
    hasher.finish()
}

fn gram_hash(gram: &[u64]) -> u64 {
    let mut hasher = FixedHasher::default();
    gram.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_known_texts() {
        assert_eq!(repetition("", 2), 0.0);
        assert_eq!(repetition("one", 2), 0.0);
        assert_eq!(repetition("one two", 0), 0.0);
        assert_eq!(repetition("Yes yes YES yes", 1), 0.75);
        assert_eq!(repetition("a b c a b c", 3), 0.25);
        assert_eq!(repeated_lines(""), 0.0);
        assert_eq!(repeated_lines("x\n x \nx\ny"), 0.5);
    }

    #[test]
    fn a_loop_comes_close_to_one() {
        assert!(repetition(&"the answer is 4 . ".repeat(200), 3) > 0.99);
    }
}

//! Words: runs of letters, digits and inner apostrophes.

/// The words of a text from left to right, as written.
///
/// ```
/// use reward_sdk::prelude::*;
/// let all: Vec<&str> = words("Tom's 3 apples, eaten.").collect();
/// assert_eq!(all, ["Tom's", "3", "apples", "eaten"]);
/// ```
#[must_use]
pub const fn words(text: &str) -> Words<'_> {
    Words { rest: text }
}

/// Iterator of [`words`].
#[derive(Debug, Clone)]
pub struct Words<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let start = self.rest.find(char::is_alphanumeric)?;
        let text = &self.rest[start..];
        let end = text
            .find(|c: char| !c.is_alphanumeric() && c != '\'')
            .unwrap_or(text.len());
        self.rest = &text[end..];
        Some(text[..end].trim_end_matches('\''))
    }
}

/// Number of [`words`].
///
/// ```
/// use reward_sdk::prelude::*;
/// assert_eq!(word_count("two words"), 2);
/// ```
#[must_use]
pub fn word_count(text: &str) -> usize {
    words(text).count()
}

/// Whether one of the words is `word`, ASCII case aside.
///
/// ```
/// use reward_sdk::prelude::*;
/// assert!(contains_word("Therefore, 3.", "therefore"));
/// assert!(!contains_word("Thereforeish", "therefore"));
/// ```
#[must_use]
pub fn contains_word(text: &str, word: &str) -> bool {
    words(text).any(|candidate| candidate.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_separates_and_apostrophes_stay_inside() {
        let all: Vec<&str> = words(" 'don't' — naïve,über\n3.5 ' ").collect();
        assert_eq!(all, ["don't", "naïve", "über", "3", "5"]);
        assert_eq!(word_count(""), 0);
        assert_eq!(word_count("…—!"), 0);
    }
}

//! What a match is replaced by: a text with references to groups, a literal text, or whatever a closure says.

use std::borrow::Cow;

use super::captures::{CaptureMatches, Captures};

/// Something that replaces matches.
pub trait Replacer {
    /// Appends what stands for a match.
    fn replace_append(&mut self, found: &Captures<'_>, result: &mut String);
}

/// A replacement that is taken as it is, `$` included.
#[derive(Debug, Clone)]
pub struct NoExpand<'s>(pub &'s str);

impl Replacer for NoExpand<'_> {
    fn replace_append(&mut self, _: &Captures<'_>, result: &mut String) {
        result.push_str(self.0);
    }
}

impl Replacer for &str {
    fn replace_append(&mut self, found: &Captures<'_>, result: &mut String) {
        found.expand(self, result);
    }
}

impl Replacer for String {
    fn replace_append(&mut self, found: &Captures<'_>, result: &mut String) {
        found.expand(self, result);
    }
}

impl Replacer for &String {
    fn replace_append(&mut self, found: &Captures<'_>, result: &mut String) {
        found.expand(self, result);
    }
}

impl Replacer for Cow<'_, str> {
    fn replace_append(&mut self, found: &Captures<'_>, result: &mut String) {
        found.expand(self, result);
    }
}

impl<F: FnMut(&Captures<'_>) -> T, T: AsRef<str>> Replacer for F {
    fn replace_append(&mut self, found: &Captures<'_>, result: &mut String) {
        result.push_str(self(found).as_ref());
    }
}

/// The text with its first `limit` matches replaced, with all for 0.
pub(super) fn replace<'h>(
    matches: CaptureMatches<'h>,
    text: &'h str,
    limit: usize,
    mut replacement: impl Replacer,
) -> Cow<'h, str> {
    let mut matches = matches
        .take(if limit == 0 { usize::MAX } else { limit })
        .peekable();
    if matches.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len());
    let mut copied = 0;
    for found in matches {
        let whole = found.get(0).expect("the whole match takes part");
        result.push_str(&text[copied..whole.start()]);
        replacement.replace_append(&found, &mut result);
        copied = whole.end();
    }
    result.push_str(&text[copied..]);
    Cow::Owned(result)
}

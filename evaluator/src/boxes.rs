//! LaTeX's boxes in a text, with braces balanced.

use std::num::NonZeroUsize;

/// A box: where it stands, brace to brace, and what it holds.
pub(crate) struct Boxed<'a> {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) content: &'a str,
}

/// All boxes that are closed and hold something, in order; a box inside a box is not seen.
pub(crate) fn boxes(completion: &str) -> Vec<Boxed<'_>> {
    let ends = brace_ends(completion);
    let mut boxes: Vec<Boxed<'_>> = Vec::new();
    for (start, _) in completion.match_indices('\\') {
        let inside_last = boxes.last().is_some_and(|last| start < last.end);
        let Some(open) = brace_of_box(completion, start).filter(|_| !inside_last) else {
            continue;
        };
        // A box without an end was cut off by the token limit; one inside it may be whole.
        let Some(end) = ends[open] else {
            continue;
        };
        let end = end.get();
        let content = completion[open + 1..end - 1].trim();
        if !content.is_empty() {
            boxes.push(Boxed {
                start,
                end,
                content,
            });
        }
    }
    boxes
}

/// The opening brace of the box command that begins at `start`, if one does.
fn brace_of_box(completion: &str, start: usize) -> Option<usize> {
    let command = &completion[start..];
    let after = command
        .strip_prefix(r"\boxed")
        .or_else(|| command.strip_prefix(r"\fbox"))?;
    let group = after.trim_start();
    group
        .starts_with('{')
        .then(|| completion.len() - group.len())
}

/// Where each closed group `{…}` ends, by the place of its opening brace. Escaped braces do not count.
fn brace_ends(text: &str) -> Vec<Option<NonZeroUsize>> {
    let mut ends = vec![None; text.len()];
    let mut open = Vec::new();
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'{' => open.push(index),
            b'}' => {
                if let Some(start) = open.pop() {
                    ends[start] = NonZeroUsize::new(index + 1);
                }
            }
            _ => {}
        }
    }
    ends
}

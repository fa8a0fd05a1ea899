//! What a model thought aloud, told from what it answered: only the latter holds drafts.
//!
//! Servers without a parser for it leave the thinking in the text, in many forms: between tags, with the opening tag left out because the
//! template wrote it, cut off before the closing one, or in channels. Tags also stand in rewards (a task may ask for `<thinking>` in
//! completions), so that a tag counts only where a section of its own begins or ends: at the start or end of a line, and not in quotes.

/// Opening and closing marks of thinking. The first needs no opening mark: templates write it themselves.
const MARKS: [(&str, &str); 9] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<reasoning>", "</reasoning>"),
    ("<thought>", "</thought>"),
    ("<reflection>", "</reflection>"),
    ("<scratchpad>", "</scratchpad>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
];
/// Sections in a row that are looked for.
const MOST_SECTIONS: usize = 32;

/// A reply without its thinking.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer<'a> {
    /// What was answered.
    pub(super) text: &'a str,
    /// The reply ends before the thinking does.
    pub(super) is_cut: bool,
}

/// What of a reply is the answer.
pub(super) fn answer_of(reply: &str) -> Answer<'_> {
    if let Some(answer) = final_channel(reply) {
        return answer;
    }
    let mut text = reply;
    for _ in 0..MOST_SECTIONS {
        let begun = text.trim_start();
        let opened = MARKS
            .iter()
            .find_map(|(open, close)| Some((begun.strip_prefix(*open)?, *close)));
        let Some((thoughts, close)) = opened else {
            break;
        };
        match end_of(thoughts, close) {
            Some(end) => text = &thoughts[end..],
            None => {
                return Answer {
                    text: "",
                    is_cut: true,
                };
            }
        }
    }
    // The template wrote the opening mark.
    for (open, close) in [MARKS[0], MARKS[6], MARKS[7], MARKS[8]] {
        if !text.contains(open)
            && let Some(end) = last_end(text, close)
        {
            text = &text[end..];
        }
    }
    Answer {
        text,
        is_cut: false,
    }
}

/// The end of a section: past the first closing mark that ends or begins a line, else past the first that is not quoted.
fn end_of(thoughts: &str, close: &str) -> Option<usize> {
    let ends = || {
        thoughts
            .match_indices(close)
            .filter(|(at, _)| !is_quoted(thoughts, *at, close.len()))
            .map(|(at, _)| (at, at + close.len()))
    };
    ends()
        .find(|&(at, end)| bounds_a_line(thoughts, at, end))
        .or_else(|| ends().next())
        .map(|(_, end)| end)
}

/// Past the last closing mark that ends or begins a line.
fn last_end(text: &str, close: &str) -> Option<usize> {
    text.match_indices(close)
        .map(|(at, _)| (at, at + close.len()))
        .filter(|&(at, end)| !is_quoted(text, at, close.len()) && bounds_a_line(text, at, end))
        .map(|(_, end)| end)
        .last()
}

fn bounds_a_line(text: &str, at: usize, end: usize) -> bool {
    let before = text[..at].rsplit('\n').next().unwrap_or_default();
    let after = text[end..].split('\n').next().unwrap_or_default();
    before.trim().is_empty() || after.trim().is_empty()
}

fn is_quoted(text: &str, at: usize, length: usize) -> bool {
    let quotes = ['"', '\'', '`'];
    text[..at].ends_with(quotes) || text[at + length..].starts_with(quotes)
}

/// The final channel of a reply in channels, as gpt-oss writes them, with its marks or (decoded without special tokens) without.
fn final_channel(reply: &str) -> Option<Answer<'_>> {
    const CHANNEL: &str = "<|channel|>";
    const FINAL: &str = "final<|message|>";
    if reply.contains(CHANNEL) {
        let last = reply
            .match_indices(CHANNEL)
            .filter_map(|(at, _)| {
                let rest = &reply[at + CHANNEL.len()..];
                rest.trim_start().strip_prefix(FINAL)
            })
            .last();
        let ends = ["<|return|>", "<|end|>", "<|start|>"];
        return Some(match last {
            Some(text) => Answer {
                text: ends
                    .iter()
                    .filter_map(|end| text.find(end))
                    .min()
                    .map_or(text, |end| &text[..end]),
                is_cut: false,
            },
            None => Answer {
                text: "",
                is_cut: true,
            },
        });
    }
    let begun = reply.trim_start();
    let analysis = begun.strip_prefix("analysis")?;
    // `analysis` may be a word of an answer; only with its counterpart is it a channel.
    let (_, text) = analysis.rsplit_once("assistantfinal")?;
    Some(Answer {
        text,
        is_cut: false,
    })
}

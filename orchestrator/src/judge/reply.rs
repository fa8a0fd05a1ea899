//! What a judging model's reply means. Anything but the words it was asked for is unclear, never a yes.

use crate::domain::verdict::{ModelKind, Opinion};

/// Reads a reply to a question of this kind.
pub(super) fn read(kind: ModelKind, reply: &str) -> Opinion {
    let reply = after_thinking(reply);
    match kind {
        ModelKind::Tinyv => one_of(reply, "true", "false"),
        ModelKind::Xverify => one_of(reply, "correct", "incorrect"),
        ModelKind::Llm => verdict_line(reply),
    }
}

/// The reply without a leading block of reasoning, as reasoning models write it; one that never ends is all reasoning.
fn after_thinking(reply: &str) -> &str {
    match reply.trim_start().strip_prefix("<think>") {
        Some(thinking) => thinking
            .split_once("</think>")
            .map_or("", |(_, answer)| answer),
        None => reply,
    }
}

/// The reply is one of two words, in whatever case, quotes or brackets, and nothing else.
fn one_of(reply: &str, right: &str, wrong: &str) -> Opinion {
    let word = reply
        .trim_matches(|c: char| c.is_whitespace() || "\"'`*[]().".contains(c))
        .to_lowercase();
    if word == right {
        Opinion::Right
    } else if word == wrong {
        Opinion::Wrong
    } else {
        Opinion::Unclear
    }
}

/// The last line is the verdict, and no other line contradicts it.
fn verdict_line(reply: &str) -> Opinion {
    let verdict = |line: &str| {
        let line = line.trim_matches(|c: char| c.is_whitespace() || "*`".contains(c));
        let word = line
            .get(.."verdict:".len())
            .filter(|start| start.eq_ignore_ascii_case("verdict:"))
            .map(|start| &line[start.len()..])?;
        Some(one_of(word, "correct", "incorrect"))
    };
    let last = reply.lines().rfind(|line| !line.trim().is_empty());
    let Some(opinion) = last.and_then(verdict) else {
        return Opinion::Unclear;
    };
    if reply
        .lines()
        .filter_map(verdict)
        .all(|said| said == opinion)
    {
        opinion
    } else {
        Opinion::Unclear
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_asked_for_count() {
        use ModelKind::{Llm, Tinyv, Xverify};
        use Opinion::{Right, Unclear, Wrong};
        for (kind, reply, expected) in [
            (Tinyv, "True", Right),
            (Tinyv, " \"true\".\n", Right),
            (Tinyv, "**False**", Wrong),
            (Tinyv, "not true", Unclear),
            (Tinyv, "True or False", Unclear),
            (Tinyv, "True, because False is wrong", Unclear),
            (Tinyv, "untrue", Unclear),
            (Tinyv, "Correct", Unclear),
            (Tinyv, "", Unclear),
            (Tinyv, "<think>True?</think>\nFalse", Wrong),
            (Tinyv, "<think>True", Unclear),
            (Xverify, "[Correct]", Right),
            (Xverify, "Incorrect", Wrong),
            (Xverify, "not correct", Unclear),
            (Xverify, "[Correct] [Incorrect]", Unclear),
            (Xverify, "True", Unclear),
            (Llm, "Both are 3.\n\nVerdict: correct", Right),
            (Llm, "**Verdict: INCORRECT.**\n", Wrong),
            (Llm, "Verdict: not correct", Unclear),
            (Llm, "Verdict: correct\nVerdict: incorrect", Unclear),
            (Llm, "Verdict: correct\nUnless it is not.", Unclear),
            (Llm, "correct", Unclear),
            (Llm, "Verdíct: correct", Unclear),
        ] {
            assert_eq!(read(kind, reply), expected, "{kind:?} {reply:?}");
        }
    }
}

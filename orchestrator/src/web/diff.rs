//! What changed from one source to another, line by line.

use std::time::Duration;

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

/// Unchanged lines shown around changes.
const CONTEXT: usize = 3;
/// How long a difference may be looked for; after that it is shown coarser.
const PATIENCE: Duration = Duration::from_millis(200);

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct DiffLine {
    /// `+`, `-`, a blank, or `…` for unchanged lines left out.
    pub(crate) sign: &'static str,
    /// The line.
    pub(crate) text: String,
}

/// The lines that differ with some around them; empty if none do.
pub(crate) fn diff(before: &str, after: &str) -> Vec<DiffLine> {
    let diff = TextDiff::configure()
        .timeout(PATIENCE)
        .diff_lines(before, after);
    let mut lines = Vec::new();
    for (i, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if i > 0 {
            lines.push(DiffLine {
                sign: "…",
                text: String::new(),
            });
        }
        for op in group {
            lines.extend(diff.iter_changes(op).map(|change| DiffLine {
                sign: match change.tag() {
                    ChangeTag::Delete => "-",
                    ChangeTag::Insert => "+",
                    ChangeTag::Equal => " ",
                },
                text: change.value().trim_end_matches(['\r', '\n']).to_owned(),
            }));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_shown() {
        let before = (1..=20).map(|n| format!("{n}\n")).collect::<String>();
        let after = before.replace("10\n", "ten\n");
        let signs: String = diff(&before, &after).iter().map(|l| l.sign).collect();
        assert_eq!(signs, "   -+   ");
        assert!(diff(&before, &before).is_empty());
    }
}

//! What there is to say of a Python function that was loaded: how it is called, and what of its file is run.

use super::bindings::Loaded;

/// How a Python function was understood.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct About {
    /// The function, or the call that makes it.
    pub function: String,
    /// The shape of its signature, by name: `trl`, `verl`, `openrlhf` and so on.
    pub signature: String,
    /// The same in words.
    pub words: String,
    /// Whether it is given completions as lists of messages.
    pub conversational: bool,
    /// What of the modules it uses is not as it is elsewhere, each with its line.
    pub notes: Vec<String>,
    /// Statements of its file that are not run, since it reaches none of them, each with its line.
    pub left_out: Vec<String>,
}

impl About {
    /// What the guest says, of whom nothing is trusted: texts are cut and cleaned.
    pub(super) fn of(
        loaded: &Loaded,
        conversational: bool,
        clean: impl Fn(&str) -> String,
    ) -> Self {
        const MOST: usize = 200;
        let all = |lines: &[String]| lines.iter().take(MOST).map(|line| clean(line)).collect();
        Self {
            function: clean(&loaded.function),
            signature: clean(&loaded.signature),
            words: clean(&loaded.words),
            conversational,
            notes: all(&loaded.notes),
            left_out: all(&loaded.left_out),
        }
    }
}

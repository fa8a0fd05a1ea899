//! Rewards that take completions for lists of messages, as TRL passes them for conversational data sets.

/// Said where such a reward is given texts.
pub(super) const HINT: &str = " (completions are texts here; if the reward wants lists of messages, begin its file with the line `# reward-search: completions=conversational`)";

/// What Python says of `completion[0]["content"]` and its like where the completion is a text.
const SAID: [&str; 3] = [
    "TypeError: string indices must be integers",
    "AttributeError: 'str' object has no attribute 'get'",
    "AttributeError: 'str' object has no attribute 'items'",
];

/// Whether an exception is of that kind.
pub(super) fn is_wanted(traceback: &str) -> bool {
    traceback
        .lines()
        .any(|line| SAID.iter().any(|said| line.starts_with(said)))
}

/// Whether an exception is what becomes of a list of messages that is taken for a text.
pub(super) fn is_unwanted(traceback: &str) -> bool {
    traceback.lines().any(|line| {
        line.starts_with("AttributeError: 'list' object has no attribute")
            || line.starts_with("TypeError: expected string or bytes-like object, got 'list'")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_message_is_one() {
        let of = |last: &str| {
            format!(
                "Traceback (most recent call last):\n  File \"reward.py\", line 2, in f\n{last}"
            )
        };
        assert!(is_wanted(&of(
            "TypeError: string indices must be integers, not 'str'"
        )));
        assert!(!is_wanted(&of(
            "ValueError: TypeError: string indices must be integers"
        )));
        assert!(!is_wanted(&of("KeyError: 'key'")));
    }
}

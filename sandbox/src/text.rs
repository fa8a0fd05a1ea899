//! Texts that a candidate wrote, before people or terminals see them.

/// Whether a character may be shown. Control characters steer a terminal; marks of direction make a line read as another.
#[must_use]
pub fn may_be_shown(c: char) -> bool {
    let is_mark_of_direction = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !is_mark_of_direction
}

/// The same, for texts of several lines.
pub(crate) fn may_be_shown_in_lines(c: char) -> bool {
    matches!(c, '\n' | '\t') || may_be_shown(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_or_turns_is_not_shown() {
        let text = "a\u{1b}[31m\u{202e}b\u{2067}c\u{200f}d\té\u{200d}日\n";
        let shown: String = text.chars().filter(|c| may_be_shown_in_lines(*c)).collect();
        assert_eq!(shown, "a[31mbcd\té\u{200d}日\n");
        assert!(!may_be_shown('\n') && may_be_shown(' '));
    }
}

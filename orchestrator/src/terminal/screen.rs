//! What is known of the terminal that is written to: how wide it is, and whether it has colours.

use console::{Style, Term, colors_enabled, measure_text_width};

/// A terminal, or a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Columns; `None` where lines may be as long as they like.
    pub width: Option<usize>,
    /// Whether colours are wanted: never where `NO_COLOR` is set.
    pub colour: bool,
}

/// How a line stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It leads.
    Leader,
    /// Something went wrong, or was refused.
    Trouble,
    /// It is there to compare with.
    Aside,
}

impl Screen {
    /// A file: no limit, no colours.
    pub const FILE: Self = Self {
        width: None,
        colour: false,
    };

    /// Standard output: as wide as the terminal, or as `COLUMNS` says; a file where it is neither.
    #[must_use]
    pub fn of_stdout() -> Self {
        let named = std::env::var("COLUMNS").ok();
        let named = named.and_then(|columns| columns.parse().ok());
        let seen = || Some(usize::from(Term::stdout().size_checked()?.1));
        Self {
            width: named.or_else(seen).filter(|width| *width >= 20),
            colour: colors_enabled(),
        }
    }

    /// The same without a limit.
    #[must_use]
    pub fn wide(self) -> Self {
        Self {
            width: None,
            ..self
        }
    }

    /// A line in its colour.
    #[must_use]
    pub fn marked(&self, line: &str, mark: Option<Mark>) -> String {
        let style = Style::new().force_styling(self.colour);
        match mark {
            None => line.to_owned(),
            Some(Mark::Leader) => style.green().bold().apply_to(line).to_string(),
            Some(Mark::Trouble) => style.red().apply_to(line).to_string(),
            Some(Mark::Aside) => style.dim().apply_to(line).to_string(),
        }
    }

    /// A text with its lines broken between words where they are too long.
    #[must_use]
    pub fn wrapped(&self, text: &str) -> String {
        let Some(width) = self.width else {
            return text.to_owned();
        };
        let mut lines = Vec::new();
        for line in text.split('\n') {
            let mut broken = String::new();
            for word in line.split(' ') {
                let longer = measure_text_width(&broken) + 1 + measure_text_width(word);
                if !broken.is_empty() && longer > width {
                    lines.push(std::mem::take(&mut broken));
                } else if !broken.is_empty() {
                    broken.push(' ');
                }
                broken.push_str(word);
            }
            lines.push(broken);
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        let screen = Screen {
            width: Some(20),
            colour: false,
        };
        let text = "one two three four five six\n\nseven";
        assert_eq!(
            screen.wrapped(text),
            "one two three four\nfive six\n\nseven"
        );
        assert_eq!(Screen::FILE.wrapped(text), text);
    }

    #[test]
    fn colours_are_left_out_where_none_are_wanted() {
        let mut screen = Screen::FILE;
        assert_eq!(screen.marked("x", Some(Mark::Trouble)), "x");
        screen.colour = true;
        assert_eq!(
            screen.marked("x", Some(Mark::Trouble)),
            "\u{1b}[31mx\u{1b}[0m"
        );
    }
}

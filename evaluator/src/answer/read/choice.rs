//! Answers to multiple-choice questions: a letter, what stands behind it, or both, as in `\textbf{(B)}\ 12`.

/// The letters by which choices are called; some sets of questions have ten of them.
const LETTERS: std::ops::RangeInclusive<char> = 'A'..='J';

/// No question has more right choices.
const MOST_CHOICES: usize = 5;

/// Longer texts do not only name choices.
const LONGEST_CHOICES: usize = 500;

/// What a letter may be dressed in.
const DRESS: [&str; 17] = [
    r"\textbf", r"\textrm", r"\text", r"\mathrm", r"\mathbf", r"\(", r"\ ", r"\,", "**", "{", "}",
    "$", " ", "Option", "option", "Choice", "choice",
];

/// A letter and what stands behind it.
pub(crate) struct Choice<'a> {
    pub letter: char,
    /// The text of the choice; empty where there is only the letter.
    pub content: &'a str,
}

/// Reads `(B) 12`, `B. 12`, `B: 12`, `\textbf{(B) }12`, `(B)`, `B`; `None` for texts that begin otherwise, or that
/// name a second choice.
pub(crate) fn choice(text: &str) -> Option<Choice<'_>> {
    let rest = undressed(text.trim());
    let (opened, rest) = match rest.strip_prefix('(') {
        Some(rest) => (true, undressed(rest)),
        None => (false, rest),
    };
    let letter = rest.chars().next().filter(|c| LETTERS.contains(c))?;
    let behind = rest[1..].trim_start_matches([' ', '}', '*', '$']);
    let marked = match opened {
        true => behind.strip_prefix(')'),
        false => behind.strip_prefix([')', '.', ':']),
    };
    let (marked, behind) = match marked {
        Some(behind) => (true, behind),
        None => (false, behind),
    };
    let content = undressed(behind.trim_start_matches(['}', ' ', '*', '.', ':'])).trim();
    let is_choice = if content.is_empty() {
        marked || !opened
    } else {
        marked
    };
    (is_choice && !names_a_choice(content)).then_some(Choice { letter, content })
}

/// Several choices.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choices {
    /// In the order of the alphabet, none twice.
    pub letters: Vec<char>,
    /// They stand apart, as in `A, C`; letters side by side may be something else.
    pub are_apart: bool,
    /// They were written in the order of the alphabet.
    are_in_order: bool,
}

impl Choices {
    /// Whether they are the same choices; `None` where one side may be something else: a name, or an order of events.
    pub fn are(&self, given: &Self) -> Option<bool> {
        let same = self.letters == given.letters;
        match (self.are_apart, given.are_apart) {
            (true, _) => Some(same),
            (false, true) if self.are_in_order => Some(same),
            // `DCA` for `ACD`, which is no beginning of the alphabet; of two letters the order may be one of direction.
            (false, false)
                if self.are_in_order && !given.are_in_order && same && self.letters.len() > 2 =>
            {
                let is_run = std::iter::zip('A'.., &self.letters).all(|(a, b)| a == *b);
                (!is_run).then_some(true)
            }
            _ => None,
        }
    }
}

/// The letters of several choices: `A, C`, `B and D`, `BD`; `None` where one is repeated.
pub(crate) fn choices(text: &str) -> Option<Choices> {
    // What is shorter or longer than letters with what stands round them is spared the search.
    if text.len() > LONGEST_CHOICES || !text.contains(|c| LETTERS.contains(&c)) {
        return None;
    }
    let mut plain = text.trim().trim_end_matches('.').to_owned();
    for dress in DRESS.iter().filter(|dress| dress.trim() == **dress) {
        plain = plain.replace(dress, "");
    }
    let plain = plain.replace(['(', ')'], " ");
    let parts: Vec<&str> = plain
        .split([',', ';', ' ', '&', '、', '，'])
        .filter(|part| !part.is_empty() && *part != "and")
        .collect();
    let letters: Vec<char> = parts.concat().chars().collect();
    let are_letters = (2..=MOST_CHOICES).contains(&letters.len())
        && letters.iter().all(|letter| LETTERS.contains(letter));
    let mut sorted = letters.clone();
    sorted.sort_unstable();
    let is_once = sorted.windows(2).all(|pair| pair[0] < pair[1]);
    let is_apart = parts.len() == letters.len();
    let is_together = parts.len() == 1;
    let are_in_order = sorted == letters;
    (are_letters && is_once && (is_apart || is_together)).then_some(Choices {
        letters: sorted,
        are_apart: is_apart,
        are_in_order,
    })
}

/// Without what opens at the start and says nothing.
fn undressed(mut text: &str) -> &str {
    while let Some(rest) = DRESS.iter().find_map(|dress| text.strip_prefix(dress)) {
        text = rest;
    }
    text
}

/// Whether a choice is named anywhere, as in `(C)`, `C.`, `or C`.
fn names_a_choice(text: &str) -> bool {
    let words = || text.split(|c: char| !c.is_alphanumeric());
    let is_letter = |word: &str| word.len() == 1 && word.starts_with(|c| LETTERS.contains(&c));
    let is_marked = |(at, _): (usize, &str)| {
        !text[..at].ends_with(char::is_alphanumeric) && text[at + 1..].starts_with([')', '.', ':'])
    };
    words().any(|word| matches!(word, "or" | "and" | "not"))
        || words().next().is_some_and(is_letter)
        || text.match_indices(|c| LETTERS.contains(&c)).any(is_marked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(char, &str)> {
        choice(text).map(|choice| (choice.letter, choice.content))
    }

    #[test]
    fn letters_and_contents_are_told_apart() {
        for (text, expected) in [
            ("(B) 12", ('B', "12")),
            ("B) 12", ('B', "12")),
            ("B. 12", ('B', "12")),
            (r"\textbf{(B)}\ 12", ('B', "12")),
            (r"\textbf{(C) } \frac{1}{2}", ('C', r"\frac{1}{2}")),
            (r"\text{D: } 7", ('D', "7")),
            ("B", ('B', "")),
            ("(B)", ('B', "")),
            (r"$\textbf{(B)}$", ('B', "")),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "B or C",
            "(B) or (C)",
            "A(1,2)",
            "B = 3",
            "(A, B)",
            "Alice",
            "12",
            "A. B. C.",
            "(B",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

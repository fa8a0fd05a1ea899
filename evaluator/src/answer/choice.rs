//! Answers to multiple-choice questions: a letter, what stands behind it, or both, as in `\textbf{(B)}\ 12`.

/// The letters by which choices are called; some sets of questions have ten of them.
const LETTERS: std::ops::RangeInclusive<char> = 'A'..='J';

/// What a letter may be dressed in.
const DRESS: [&str; 16] = [
    r"\textbf", r"\textrm", r"\text", r"\mathrm", r"\mathbf", r"\(", r"\ ", r"\,", "**", "{", "$",
    " ", "Option ", "option ", "Choice ", "choice ",
];

/// A letter and what stands behind it.
pub(super) struct Choice<'a> {
    pub letter: char,
    /// The text of the choice; empty where there is only the letter.
    pub content: &'a str,
}

/// Reads `(B) 12`, `B. 12`, `B: 12`, `\textbf{(B) }12`, `(B)`, `B`; `None` for texts that begin otherwise, or that
/// name a second choice.
pub(super) fn choice(text: &str) -> Option<Choice<'_>> {
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

/// The letters of several choices in order, as in `ACD`, `A, C, D` or `A and C`; `None` for anything else.
pub(super) fn several(text: &str) -> Option<String> {
    let plain = text
        .replace(r"\text", " ")
        .replace(" and ", ",")
        .replace(['{', '}', '(', ')', '$', '&', '*', ',', ';', ' '], "");
    let letters = plain.trim_end_matches('.');
    let is_sorted = letters.as_bytes().windows(2).all(|pair| pair[0] < pair[1]);
    (letters.len() > 1 && is_sorted && letters.chars().all(|c| LETTERS.contains(&c)))
        .then(|| letters.to_owned())
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
    fn several_letters_are_read_in_every_dress() {
        for text in [
            "ACD",
            "A, C, D",
            "A, C and D",
            r"\text{A, C, D}",
            "(A), (C), (D)",
        ] {
            assert_eq!(several(text).as_deref(), Some("ACD"), "{text}");
        }
        for text in ["A", "BA", "A or C", "AB = 3", "ace"] {
            assert_eq!(several(text), None, "{text}");
        }
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

//! The answer in a reference that is more than it: a worked solution as data sets keep them.

use crate::boxes::boxes;

/// Words before a box that make the text a worked solution. A reference of a few words around its boxes is left as it is.
const WORDS: usize = 3;

/// The answer in a reference that may be a worked solution: what stands behind GSM8K's last `####`, or in the last `\boxed{…}` of prose, as
/// in MATH. Any other text is the answer itself.
#[must_use]
pub fn final_answer(text: &str) -> &str {
    if let Some((_, gold)) = text.rsplit_once("####") {
        let gold = gold.trim();
        if !gold.is_empty() {
            return gold;
        }
    }
    match boxes(text).last() {
        Some(last) if is_prose(&text[..last.start]) => last.content,
        _ => text,
    }
}

fn is_prose(before: &str) -> bool {
    let words = before.split_whitespace();
    let words = words.filter(|word| {
        let letters = word.trim_matches(|c: char| c.is_ascii_punctuation() && c != '\\');
        letters.len() >= 2 && letters.chars().all(char::is_alphabetic)
    });
    words.take(WORDS).count() == WORDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worked_solution_is_read_to_its_answer() {
        for (reference, answer) in [
            ("48 / 2 = 24.\n48 + 24 = <<48+24=72>>72\n#### 72", "72"),
            ("#### 1,234 ", "1,234"),
            (
                r"We see that $x = 2$, so the sum is $\boxed{\frac{1}{2}}$.",
                r"\frac{1}{2}",
            ),
            (r"First we get \boxed{1}. Thus the area is \boxed{2}.", "2"),
            (r"\boxed{1} and \boxed{2}", r"\boxed{1} and \boxed{2}"),
            (r"$x = \boxed{3}$", r"$x = \boxed{3}$"),
            ("#### ", "#### "),
            ("no mark at all here", "no mark at all here"),
        ] {
            assert_eq!(final_answer(reference), answer);
        }
    }
}

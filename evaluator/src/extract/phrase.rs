//! Answers marked by words.

use crate::answer::is_quantity;

use super::{Found, choice, formula, languages, statement::of_sentence};

/// What is said to be something: the answer, or the choice of an answer.
const MARKS: [&str; 3] = ["answer", "correct option", "correct choice"];

/// What an answer may stand between.
const DRESS: [char; 3] = ['*', '`', ' '];

/// A last line of the form `A: …`.
pub(super) fn answer_line(completion: &str) -> Found {
    let Some(line) = completion
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
    else {
        return Found::Nothing;
    };
    let Some((mark, answer)) = line.split_once(':') else {
        return Found::Nothing;
    };
    let mark = mark.trim_matches(['*', ' ', '#']).to_ascii_lowercase();
    match mark.as_str() {
        "a" | "answer" | "final answer" | "the answer" | "the final answer" => {
            of_sentence(answer.trim_matches(DRESS))
        }
        _ => Found::Nothing,
    }
}

/// What follows the last `answer is`, `answer:` or `answer =`, or the same in another language, up to the end of the
/// sentence; where there is none, the choice that the last line names.
pub(super) fn answer_is(completion: &str) -> Found {
    // ASCII lower-casing keeps every byte where it was.
    let lower = completion.to_ascii_lowercase();
    let last = |mark: &&'static str| {
        let mut places = lower.rmatch_indices(*mark);
        places.find_map(|(start, word)| after_verb(&completion[start + word.len()..]))
    };
    // The last mark leaves the least behind it.
    let rest = MARKS.iter().filter_map(last).min_by_key(|rest| rest.len());
    if let Some(marked) = languages::marked(completion, &lower)
        && rest.is_none_or(|rest| marked.rest.len() < rest.len())
    {
        return languages::stated(&marked);
    }
    let Some(rest) = rest else {
        return choice::stated(completion);
    };
    match formula::opening(rest.trim_start()) {
        Some(formula) => Found::text(&formula),
        None => of_sentence(sentence(rest)),
    }
}

/// The text behind `is`, `:` or `=`, if that is how `text` begins.
fn after_verb(text: &str) -> Option<&str> {
    let text = text.trim_start_matches(['*', ',', ' ']);
    let rest = text
        .strip_prefix("is")
        .filter(|rest| !rest.starts_with(char::is_alphanumeric))
        .or_else(|| text.strip_prefix(':'))
        .or_else(|| text.strip_prefix('='))?;
    Some(rest.trim_start_matches([':', '=', '*', '`', ',', ' ']))
}

/// Up to the end of the line or to a full stop that ends a sentence, which the point in `18.5` does
/// not.
fn sentence(text: &str) -> &str {
    let line = text.trim_start().lines().next().unwrap_or_default();
    let end = line.match_indices('.').map(|(at, _)| at).find(|at| {
        let is_end = line[at + 1..]
            .chars()
            .next()
            .is_none_or(char::is_whitespace);
        // The letter of a choice: `B. 24 apples`.
        let before = line[..*at].trim_start_matches(['*', '(', ' ']);
        let is_choice = before.len() == 1 && before.starts_with(|c: char| ('A'..='J').contains(&c));
        is_end && !(is_choice && at + 1 < line.len())
    });
    let line = &line[..end.unwrap_or(line.len())];
    let line = line
        .split('。')
        .next()
        .unwrap_or_default()
        .trim_end_matches(DRESS);
    // A number that is exclaimed is no factorial; in a formula it may be.
    match line.strip_suffix('!') {
        Some(number) if is_quantity(number) && !number.contains('$') => number,
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_after_the_last_mark_counts() {
        let cases = [
            (
                "The answer is 196. This matches the reference exactly.",
                "196",
            ),
            ("The answer, is 20", "20"),
            ("The answer is 3. No: the answer is **18.5**.", "18.5"),
            ("Final Answer: $x = 2$\nI hope it is correct.", "$x = 2$"),
            ("The answer is: 7.", "7"),
        ];
        for (completion, expected) in cases {
            assert_eq!(answer_is(completion), Found::text(expected), "{completion}");
        }
    }

    #[test]
    fn other_uses_of_the_word_are_no_mark() {
        for completion in [
            "an answer isn't known",
            "answers differ",
            "# Final answer",
            "",
        ] {
            assert_eq!(answer_is(completion), Found::Nothing, "{completion}");
        }
    }

    #[test]
    fn only_a_last_line_counts_as_answer_line() {
        assert_eq!(answer_line("work\nA: 26\n\n"), Found::text("26"));
        assert_eq!(answer_line("A: 26\nmore work"), Found::Nothing);
        assert_eq!(answer_line("**Answer:** 26"), Found::text("26"));
        assert_eq!(answer_line("Area: 26"), Found::Nothing);
    }
}

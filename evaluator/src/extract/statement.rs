//! What a sentence states that is said to hold the answer.

use super::{Found, formula, number};
use crate::answer::{is_marked_choice, is_measure, is_quantity};

/// With these a sentence says what the answer is not, what it is near to, or several of it: its number alone is not
/// what it states.
const QUALIFIERS: [&str; 32] = [
    "not",
    "no",
    "never",
    "cannot",
    "neither",
    "nor",
    "either",
    "or",
    "but",
    "except",
    "excluding",
    "without",
    "other",
    "different",
    "than",
    "least",
    "most",
    "half",
    "twice",
    "double",
    "triple",
    "below",
    "above",
    "under",
    "between",
    "minus",
    "negative",
    "squared",
    "cubed",
    "factorial",
    "unlike",
    "versus",
];

/// The most words of a unit behind a number.
const MOST_UNIT_WORDS: usize = 3;

/// The answer in a sentence: all of it where it has no prose, is a number with its unit, or qualifies what it says;
/// else its last formula, or the only number of a sentence with one.
pub(super) fn of_sentence(sentence: &str) -> Found {
    if is_marked_choice(sentence) {
        return Found::text(sentence);
    }
    if let Some(letter) = reasoned_choice(sentence) {
        return Found::text(letter);
    }
    // `$2$ cm`, which has no price in it.
    let bare = sentence.replace('$', "");
    if sentence.len() >= bare.len() + 2 && formula::has_prose(sentence) && is_quantity(&bare) {
        return Found::text(&bare);
    }
    if !formula::has_prose(sentence) || is_quantity(sentence) {
        return Found::text(sentence);
    }
    if is_qualified(sentence) {
        return Found::text(sentence.strip_prefix("either ").unwrap_or(sentence));
    }
    match formula::last(sentence) {
        Found::Nothing => {}
        found => return found,
    }
    match number::last(sentence) {
        Some(only) if count_digits(only) == count_digits(sentence) => {
            Found::text(with_unit(sentence, only))
        }
        _ => Found::text(sentence),
    }
}

/// The letter in `B because A and C are wrong`.
fn reasoned_choice(sentence: &str) -> Option<&str> {
    let letter = sentence
        .get(..1)
        .filter(|_| sentence.starts_with(|c: char| ('A'..='J').contains(&c)))?;
    let behind = sentence[1..].trim_start_matches(['*', ',']);
    let is_reason = [" because ", " since ", " as "]
        .iter()
        .any(|word| behind.starts_with(word));
    is_reason.then_some(letter)
}

/// Whether a sentence says what the answer is not, or offers several.
pub(super) fn is_taken_back(sentence: &str) -> bool {
    const TAKING_BACK: [&str; 8] = [
        "wrong",
        "incorrect",
        "false",
        "if",
        "maybe",
        "impossible",
        "eliminate",
        "eliminated",
    ];
    is_qualified(sentence) || words(sentence).any(|word| TAKING_BACK.contains(&word.as_str()))
}

fn is_qualified(sentence: &str) -> bool {
    words(sentence).any(|word| QUALIFIERS.contains(&word.as_str()) || word.ends_with("n't"))
}

/// Whether `before` ends with a word that denies what follows.
pub(super) fn is_denied(before: &str) -> bool {
    let last = before.trim_end_matches(|c: char| !c.is_alphanumeric());
    let start = last.rfind(' ').map_or(0, |at| at + 1);
    words(&last[start..])
        .last()
        .is_some_and(|word| word.ends_with("n't") || matches!(word.as_str(), "not" | "never"))
}

/// In lower case and with one kind of apostrophe.
fn words(text: &str) -> impl Iterator<Item = String> {
    let plain = text.to_lowercase().replace('\u{2019}', "'");
    let words: Vec<String> = plain
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .map(str::to_owned)
        .collect();
    words.into_iter()
}

fn count_digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// The only `number` of a sentence with the sign of its currency and the unit behind it.
pub(super) fn with_unit<'a>(sentence: &'a str, number: &str) -> &'a str {
    let start = sentence.find(number).unwrap_or(0);
    let end = start + number.len();
    let behind = &sentence[end..];
    let currency = sentence[..start].chars().next_back();
    let sign = currency.filter(|c| matches!(c, '$' | '€' | '£' | '¥' | '₹'));
    let unit = unit_behind(behind);
    &sentence[start - sign.map_or(0, char::len_utf8)..end + unit.map_or(0, str::len)]
}

/// The unit at the beginning of what follows a number, with the space before it.
pub(super) fn unit_behind(behind: &str) -> Option<&str> {
    let words = behind.split_inclusive(' ').scan(0, |length, word| {
        *length += word.len();
        Some(behind[..*length].trim_end_matches([' ', ',', ';', '.', '\n']))
    });
    words
        // The space between number and unit comes first.
        .take(MOST_UNIT_WORDS + 1)
        .filter(|words| is_measure(words) && words.trim() != "in")
        .last()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_number_stays_with_it() {
        for (sentence, expected) in [
            ("18 apples", "18 apples"),
            ("that she has 18 apples left over for the week", "18"),
            ("45 cents", "45 cents"),
            ("that it costs 45 cents for all of them", "45 cents"),
            ("that it costs $45 for all of them", "$45"),
            ("$2$ cm", "2 cm"),
            ("that they earn 5 million from it in all", "5 million"),
            ("minus 5", "minus 5"),
            ("the sum $x = 5$", "x = 5"),
        ] {
            assert_eq!(of_sentence(sentence), Found::text(expected), "{sentence}");
        }
    }

    #[test]
    fn a_qualified_number_is_not_the_answer() {
        for sentence in [
            "anything but 5",
            "less than 5",
            "different from 5",
            "half of 5",
            "NOT the number 5",
            "that it isn\u{2019}t 5",
            "one of $5$ or $6$",
            "5 factorial",
        ] {
            assert_eq!(of_sentence(sentence), Found::text(sentence));
        }
        assert_eq!(of_sentence("either $5$ or $6$"), Found::text("$5$ or $6$"));
    }
}

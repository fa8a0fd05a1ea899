//! Choices in running text: `Therefore (D).`, `I think it's B`, `Option B is correct.`, `C) oxidants`.

use super::{
    Found,
    languages::{self, lone_letters},
    statement,
};

/// Words before the letter that is chosen.
const BEFORE: [&str; 21] = [
    "option",
    "options",
    "choice",
    "choices",
    "answer",
    "answers",
    "letter",
    "choose",
    "chose",
    "select",
    "selected",
    "pick",
    "picked",
    "it's",
    "is",
    "be",
    "are",
    "therefore",
    "thus",
    "hence",
    "so",
];

/// What stands behind the letter that is right.
const BEHIND: [&str; 6] = [
    "is correct",
    "is right",
    "is the correct",
    "is the right",
    "is the best",
    "is the answer",
];

/// The same in Chinese, before the letter.
const CHOSEN: [&str; 5] = ["故选", "选择", "应选", "选项", "选"];

/// Longer lines are no statement of a choice.
const LONGEST: usize = 300;

/// The choice that the last line names: marked at its beginning, or stated in its last sentence.
pub(super) fn stated(completion: &str) -> Found {
    let mut lines = completion.lines().rev().map(str::trim);
    let Some(line) = lines.find(|line| !line.is_empty()) else {
        return Found::Nothing;
    };
    if line.len() > LONGEST || !line.contains(|c: char| ('A'..='J').contains(&c)) {
        return Found::Nothing;
    }
    if let Some(letter) = marked(line) {
        // Of several choices in a row none is chosen.
        return if lines.any(|other| marked(other).is_some()) {
            Found::Nothing
        } else {
            letter
        };
    }
    let bare = line.trim_end_matches(['.', '。', '!', '*', ' ', '．']);
    let sentence = bare
        .rsplit_once(". ")
        .or_else(|| bare.rsplit_once('。'))
        .map_or(bare, |(_, last)| last);
    if statement::is_taken_back(sentence) || languages::is_taken_back(sentence) {
        return Found::Nothing;
    }
    let mut letters = lone_letters(sentence);
    letters.retain(|letter| is_letter_of_choice(sentence, letter));
    let is_named = |letter: &&str| is_chosen(sentence, letter);
    match &letters[..] {
        [letter] if is_named(letter) => Found::text(letter),
        [first, .., last] if is_named(first) && are_joined(sentence, first, last) => {
            Found::text(&letters.join(", "))
        }
        _ => Found::Nothing,
    }
}

/// `C) oxidants`, `**B.** 24 apples`: the letter, with its text where that names no other.
fn marked(line: &str) -> Option<Found> {
    let bare = line.trim_start_matches(['*', '(', ' ']);
    let letter = bare.chars().next().filter(|c| ('A'..='J').contains(c))?;
    let behind = bare[1..].trim_start_matches('*');
    let content = behind.strip_prefix([')', '.', ':'])?;
    let is_marked = content.is_empty() || content.starts_with([' ', '*']);
    let names_another = !lone_letters(content).is_empty();
    is_marked.then(|| {
        if names_another {
            Found::text(&letter.to_string())
        } else {
            Found::text(bare)
        }
    })
}

/// Whether a letter is more than the article or the pronoun that it is in `A cat` and `I think`.
fn is_letter_of_choice(sentence: &str, letter: &str) -> bool {
    const FOLLOWING: [&str; 6] = [" is ", " and ", " because ", " since ", " as ", " are "];
    let mut places = sentence.match_indices(letter);
    places.any(|(at, _)| {
        let behind = &sentence[at + 1..];
        let is_word =
            behind.starts_with(' ') && behind[1..].starts_with(|c: char| c.is_ascii_lowercase());
        !is_word || letter != "I" && FOLLOWING.iter().any(|word| behind.starts_with(word))
    })
}

/// Whether the words round a letter choose it.
fn is_chosen(sentence: &str, letter: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric();
    let mut places = sentence.match_indices(letter).filter(|(at, _)| {
        !sentence[..*at].ends_with(is_letter) && !sentence[at + 1..].starts_with(is_letter)
    });
    places.any(|(at, _)| {
        let before = sentence[..at].trim_end_matches([' ', '*', '(', ':', '：', '`', '$']);
        let behind = sentence[at + 1..].trim_start_matches([' ', '*', ')', '`', '$']);
        let word = before.rsplit([' ', ',']).next().unwrap_or_default();
        let is_behind_word = BEFORE.contains(&word.to_lowercase().as_str());
        let goes_on = BEHIND.iter().any(|words| behind.starts_with(words));
        let is_in_chinese = CHOSEN.iter().any(|words| before.ends_with(words));
        is_behind_word || is_in_chinese || goes_on && before.is_empty()
    })
}

/// Whether nothing but commas and `and` stands between the first and the last letter.
fn are_joined(sentence: &str, first: &str, last: &str) -> bool {
    let (Some(from), Some(to)) = (sentence.find(first), sentence.rfind(last)) else {
        return false;
    };
    let between = sentence.get(from..to).unwrap_or_default();
    let words = between.split([' ', ',', '(', ')', '*']);
    let mut words = words.filter(|word| !word.is_empty());
    words.all(|word| word == "and" || lone_letters(word) == [word])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_found_where_it_is_made() {
        for (completion, expected) in [
            ("We see that 2+3=5.\nTherefore (D).", "D"),
            ("I think it's B", "B"),
            ("Option B is correct.", "B"),
            ("B is the correct answer.", "B"),
            ("C) oxidants", "C) oxidants"),
            ("D. it can't be A or B", "D"),
            ("The correct options are A and C.", "A, C"),
            ("故选B。", "B"),
        ] {
            assert_eq!(stated(completion), Found::text(expected), "{completion}");
        }
        for completion in [
            "It is not B.",
            "B or C",
            "Option B is incorrect.",
            "I think a dog is it",
            "So it is A cat.",
            "A) 3\nB) 4",
            "I would not choose B.",
            "x is B + C",
        ] {
            assert_eq!(stated(completion), Found::Nothing, "{completion}");
        }
    }
}

//! Answers as texts: the same formula letter by letter, or the same words.
//!
//! Words may differ in case, punctuation and articles. Formulae may not: `x^T` is not `x^t`, and the `a` of
//! `\frac{a}{2}` is no article.

use crate::answer::{parse::clean::without_sizes, parse::letters};

/// Words that say the same.
const SYNONYMS: [(&str, &str); 2] = [("doesn't exist", "dne"), ("does not exist", "dne")];

/// What says nothing, and signs with several forms.
const DRESS: [(&str, &str); 6] = [
    (r"\ ", " "),
    (r"\,", " "),
    ("$", " "),
    ("\"", " "),
    ("–", "-"),
    ("−", "-"),
];

/// Longer texts are the same only letter by letter: no answer is that long.
const LONGEST: usize = 10_000;

/// Longer texts are no list of names.
const LONGEST_LIST: usize = 500;

/// What makes a text a formula.
const FORMULA: [char; 13] = [
    '\\', '^', '_', '{', '}', '+', '*', '/', '=', '<', '>', '|', '&',
];

/// A word has at least as many letters; fewer may be symbols.
const SHORTEST_WORD: usize = 3;

/// Answers that are given to several questions at once, whose order counts.
const VERDICTS: [&str; 4] = ["yes", "no", "true", "false"];

/// Words that say how one thing is, and are given to several in their order.
const ASPECTS: [&str; 12] = [
    "increas", "decreas", "even", "odd", "positive", "negative", "converge", "diverge", "maxim",
    "minim", "greater", "less",
];

/// Words that take back what was said, or say it of something else.
const OTHERWISE: [&str; 18] = [
    "not", "no", "none", "neither", "nor", "never", "opposite", "only", "but", "however", "unless",
    "if", "or", "and", "wait", "other", "wrong", "nothing",
];

/// The most words of the subject of an answer, without articles.
const MOST_OF_SUBJECT: usize = 4;

/// Whether two texts are the same formula up to white space and dress, or the same words; names in a list may stand
/// in any order.
pub(crate) fn same(a: &str, b: &str) -> bool {
    if a.len().max(b.len()) > LONGEST {
        return a.trim() == b.trim();
    }
    let (a, b) = (undressed(a), undressed(b));
    if a.is_empty() || b.is_empty() {
        return false;
    }
    a == b
        || same_words(&a, &b)
        || same_names(&a, &b)
        || same_verdict(&a, &b)
        || is_predicate(&a, &b)
        || is_initial(&a, &b)
}

/// `Y` for `Yes`, `F` for `False`.
fn is_initial(gold: &str, given: &str) -> bool {
    let gold = gold.to_lowercase();
    VERDICTS.contains(&&*gold) && given.len() == 1 && gold.starts_with(&given.to_lowercase())
}

/// `Yes` against `Yes, the series converges.`: a reason on one side, which takes nothing back.
fn same_verdict(gold: &str, given: &str) -> bool {
    let (Some((a, reason)), Some((b, other))) = (verdict(gold), verdict(given)) else {
        return false;
    };
    a == b && (reason.is_empty() || other.is_empty())
}

/// Yes or no, and the reason behind it.
fn verdict(text: &str) -> Option<(String, String)> {
    let plain = text.to_lowercase();
    let end = plain
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(plain.len());
    let (word, rest) = plain.split_at(end);
    let is_apart = rest.is_empty() || rest.starts_with([',', '.', ';', ':']);
    let reason = rest.trim_start_matches([',', '.', ';', ':', ' ']);
    let says_more = reason
        .contains(|c: char| c.is_ascii_digit() || FORMULA.contains(&c) || c == '?')
        || reason
            .split(|c: char| !c.is_alphabetic())
            .any(|other| says_otherwise(other, word));
    let is_verdict = matches!(word, "yes" | "no") && is_apart && !says_more;
    is_verdict.then(|| (word.to_owned(), reason.to_owned()))
}

/// Whether a word of the reason may say another thing than the verdict; denials agree with `no`.
fn says_otherwise(word: &str, verdict: &str) -> bool {
    let agrees = verdict == "no" && matches!(word, "no" | "not" | "none" | "never" | "nothing");
    !agrees && (VERDICTS.contains(&word) || OTHERWISE.contains(&word))
}

/// `even` against `The function is even.`
fn is_predicate(gold: &str, given: &str) -> bool {
    if given.len() > LONGEST_LIST || given.contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let (Some(gold), Some(given)) = (words(gold), words(given)) else {
        return false;
    };
    let Some(at) = given
        .iter()
        .position(|word| matches!(word.as_str(), "is" | "are"))
    else {
        return false;
    };
    let is_plain = |word: &String| !OTHERWISE.contains(&word.as_str()) && !word.contains("n't");
    let subject = &given[..at];
    (1..=MOST_OF_SUBJECT).contains(&at) && subject.iter().all(is_plain) && given[at + 1..] == gold
}

fn same_words(a: &str, b: &str) -> bool {
    words(a).is_some_and(|first| Some(first) == words(b))
}

/// `Alice, Bob and Carol` against `Carol, Alice, Bob`.
fn same_names(gold: &str, given: &str) -> bool {
    // Names are told from other words, which may answer one question each, by their capitals, or by the `and` that makes
    // one answer of them.
    let are_names = parts(gold).all(|part| part.starts_with(char::is_uppercase));
    let are_joined = given.contains(" and ") && ASPECTS.iter().all(|word| !given.contains(word));
    (are_names || are_joined) && names(gold).is_some_and(|first| Some(first) == names(given))
}

/// What stands between commas and `and`.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(',').flat_map(|part| part.split(" and "));
    let trimmed = parts.map(|part| part.trim().trim_start_matches("and ").trim());
    trimmed.filter(|part| !part.is_empty())
}

/// The names in a list, sorted; `None` for anything but different names with commas and `and` between them.
fn names(text: &str) -> Option<Vec<String>> {
    if text.len() > LONGEST_LIST || text.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut names: Vec<String> = parts(text)
        .map(|part| words(part).map(|words| words.join(" ")))
        .collect::<Option<_>>()?;
    names.sort_unstable();
    let is_repeated = names.windows(2).any(|pair| pair[0] == pair[1]);
    let is_verdict = |name: &String| VERDICTS.contains(&name.as_str());
    (names.len() > 1 && !is_repeated && !names.iter().any(is_verdict)).then_some(names)
}

/// The words of a text in lower case, without punctuation and articles; `None` for a text without words, and for a
/// formula.
fn words(text: &str) -> Option<Vec<String>> {
    let mut plain = text.to_lowercase();
    let is_word = |word: &str| {
        let letters = word.chars().filter(|c| c.is_alphabetic()).count();
        letters >= SHORTEST_WORD && !letters::is_function(word) || VERDICTS.contains(&word)
    };
    if plain.contains(FORMULA) || !plain.split(|c: char| !c.is_alphanumeric()).any(is_word) {
        return None;
    }
    for (long, short) in SYNONYMS {
        if plain.contains(long) {
            plain = plain.replace(long, short);
        }
    }
    // Beside numbers `a` may be a symbol.
    let has_articles = !plain.contains(|c: char| c.is_ascii_digit());
    let words = plain
        .split_whitespace()
        .map(|word| word.trim_end_matches(['.', ',', ';', ':']))
        .filter(|word| !word.is_empty())
        .filter(|word| !(has_articles && matches!(*word, "a" | "an" | "the")));
    let words: Vec<String> = words.map(str::to_owned).collect();
    (!words.is_empty()).then_some(words)
}

/// Without dollar signs, commands that only set a text, white space that means nothing, punctuation at the end, and
/// the parentheses of a single letter, as in `(C)`.
fn undressed(text: &str) -> String {
    let mut plain = without_sizes(text);
    for (from, to) in DRESS {
        if plain.contains(from) {
            plain = plain.replace(from, to);
        }
    }
    for command in [r"\textbf{", r"\text{", r"\mathrm{", r"\mbox{"] {
        while let Some((before, after)) = plain.split_once(command)
            && let Some((inner, behind)) = after.split_once('}')
        {
            plain = format!("{before} {inner} {behind}");
        }
    }
    let plain = spaced(&plain);
    let plain = plain.trim_end_matches(['.', ',', ';', ':', ' ']);
    let mut inner = plain
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .unwrap_or(plain)
        .chars();
    match (inner.next(), inner.next()) {
        (Some(letter), None) => letter.to_string(),
        _ => plain.to_owned(),
    }
}

/// With one space where white space keeps words apart or stands behind punctuation, and none elsewhere.
fn spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let is_apart = spaced
            .ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | ',' | ';' | ':'))
            && word.starts_with(char::is_alphanumeric);
        if is_apart {
            spaced.push(' ');
        }
        spaced.push_str(word);
    }
    spaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_as_words_and_formulae_as_formulae() {
        for (a, b) in [
            ("yes", r"\text{Yes.}"),
            ("Alice and Bob", "Bob and Alice"),
            ("isosceles triangle", "an isosceles triangle"),
            ("does not exist", "DNE"),
            (r"f \circ g", r"f\circ g"),
            ("(C)", r"\text{C}"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
        for (a, b) in [
            (r"\frac{a}{b}", r"\frac{b}{a}"),
            (r"\frac{1}{2}x", r"\frac{1}{2 x}"),
            ("a + b", "+ b"),
            ("3 a", "3"),
            ("D", "A, D"),
            (r"A \Rightarrow B", r"A \Leftarrow B"),
            ("5 mW", "5 MW"),
            ("x^T", "x^t"),
            ("Yes, No", "No, Yes"),
            ("increasing, decreasing", "decreasing, increasing"),
            ("True, False, True", "True, True, False"),
        ] {
            assert!(!same(a, b), "{a} {b}");
        }
    }
}

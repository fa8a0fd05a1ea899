//! Answers in words.

/// Words that say the same.
const SYNONYMS: [(&str, &str); 4] = [
    ("doesn't exist", "dne"),
    ("does not exist", "dne"),
    ("a.m", "am"),
    ("p.m", "pm"),
];

/// Longer texts are the same only letter by letter: no answer is that long.
const LONGEST: usize = 10_000;

/// Longer texts are no list of names.
const LONGEST_LIST: usize = 500;

/// Whether two texts are the same words, up to case, punctuation, LaTeX dress and articles; names in a list may
/// stand in any order.
pub(super) fn same(a: &str, b: &str) -> bool {
    if a.len().max(b.len()) > LONGEST {
        return a.trim() == b.trim();
    }
    let first = words(a);
    !first.is_empty() && (first == words(b) || same_names(a, b))
}

/// `Alice, Bob and Carol` against `Carol, Alice, Bob`.
fn same_names(a: &str, b: &str) -> bool {
    match (names(a), names(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// The names in a list, sorted; `None` for anything but names with commas and `and` between them.
fn names(text: &str) -> Option<Vec<String>> {
    let is_plain = |c: char| c.is_alphabetic() || matches!(c, ' ' | ',' | '-' | '\'' | '.');
    let has_digits = text.contains(|c: char| c.is_ascii_digit());
    if text.len() > LONGEST_LIST || has_digits || !text.contains([',', ' ']) {
        return None;
    }
    let plain = words(&text.replace(',', " and ")).join(" ");
    let mut names: Vec<String> = plain
        .split(" and ")
        .map(|name| name.trim().trim_start_matches("and ").to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_unstable();
    (names.len() > 1 && names.iter().all(|name| name.len() > 1) && plain.chars().all(is_plain))
        .then_some(names)
}

/// The text in lower case without dress; symbols that mean something stay.
fn words(text: &str) -> Vec<String> {
    let mut plain = text.to_lowercase();
    for dress in [
        r"\textbf", r"\text", r"\mathrm", r"\mbox", r"\left", r"\right", r"\ ", r"\,", "$", "\"",
        "{", "}",
    ] {
        if plain.contains(dress) {
            plain = plain.replace(dress, " ");
        }
    }
    for (long, short) in SYNONYMS {
        if plain.contains(long) {
            plain = plain.replace(long, short);
        }
    }
    let words = plain
        .split_whitespace()
        .map(|word| word.trim_end_matches(['.', ',', ';', ':']));
    let mut words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    if words.len() > 1 {
        words.retain(|word| !matches!(word.as_str(), "a" | "an" | "the"));
    }
    // `(C)` is choice C.
    if let [word] = &mut words[..]
        && word.len() == 3
        && let Some(letter) = word
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'))
    {
        *word = letter.to_owned();
    }
    words
}

//! Answers in words.

/// Whether two texts are the same words, up to case, punctuation, LaTeX dress and articles.
pub(super) fn same(a: &str, b: &str) -> bool {
    let a = words(a);
    !a.is_empty() && a == words(b)
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

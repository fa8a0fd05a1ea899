/// The digits that a text starts with.
fn digits(text: &str) -> &str {
    &text[..text.bytes().take_while(u8::is_ascii_digit).count()]
}

pub fn reward(sample: &Sample) -> f64 {
    let text = sample.completion();
    let mut results = Vec::new();
    for (at, _) in text.match_indices('=') {
        let rest = text[at + 1..].trim_start();
        let found = digits(rest.strip_prefix('$').unwrap_or(rest));
        if !found.is_empty() {
            let end = found.as_ptr().addr() - text.as_ptr().addr() + found.len();
            results.push((found, end));
        }
    }
    let Some((_, earlier)) = results.split_last().filter(|(_, earlier)| !earlier.is_empty()) else { return 0.0 };
    // From the back: what stands later is known already.
    let mut later: HashSet<&str> = HashSet::new();
    let mut known_from = text.len();
    let mut reused = 0;
    for (result, end) in earlier.iter().rev() {
        later.extend(text[*end..known_from].split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()));
        known_from = *end;
        reused += usize::from(later.contains(result));
    }
    reused as f64 / earlier.len() as f64
}

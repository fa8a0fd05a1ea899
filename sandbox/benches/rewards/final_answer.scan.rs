fn stated(rest: &str) -> Option<f64> {
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('$').unwrap_or(rest);
    rest.starts_with(|c: char| c.is_ascii_digit() || c == '-').then(|| first_number(rest)).flatten()
}

fn after_last(text: &str, mark: &str) -> Option<f64> {
    text.rmatch_indices(mark).find_map(|(at, _)| stated(&text[at + mark.len()..]))
}

fn after_answer(text: &str) -> Option<f64> {
    text.rmatch_indices(['a', 'A'])
        .filter(|(at, _)| text[*at..].get(..6).is_some_and(|word| word.eq_ignore_ascii_case("answer")))
        .find_map(|(at, _)| {
            let rest = &text[at + 6..];
            let is = rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case(" is")).then(|| &rest[3..]);
            stated(is.or_else(|| rest.strip_prefix(':'))?)
        })
}

fn on_a_line(text: &str) -> Option<f64> {
    text.lines().rev().find_map(|line| stated(line.strip_prefix("A:")?))
}

pub fn reward(sample: &Sample) -> f64 {
    let text = sample.completion();
    let guess = after_last(text, "####")
        .or_else(|| after_last(text, "\\boxed{"))
        .or_else(|| after_answer(text))
        .or_else(|| on_a_line(text))
        .or_else(|| after_last(text, "<solution>"));
    match guess {
        Some(guess) if number(sample.answer()) == Some(guess) => 2.0,
        Some(_) => 0.25,
        None => 0.0,
    }
}

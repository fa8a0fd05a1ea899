fn stated(rest: &str) -> Option<f64> {
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('$').unwrap_or(rest);
    rest.starts_with(|c: char| c.is_ascii_digit() || c == '-').then(|| first_number(rest)).flatten()
}

/// The number after the last of the marks that is followed by one.
fn after_mark(text: &str, mark: &str) -> Option<f64> {
    let (mut rest, mut found) = (text, None);
    while let Some(tail) = after(rest, mark) {
        found = stated(tail).or(found);
        rest = tail;
    }
    found
}

/// After "answer is" or "answer:", whatever the case.
fn after_answer(text: &str) -> Option<f64> {
    let (mut rest, mut found) = (text, None);
    while let Some(at) = rest.find(['n', 'N']) {
        let (before, tail) = rest.split_at(at);
        rest = &tail[1..];
        if !before.ends_with(['a', 'A']) || !tail.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("nswer")) {
            continue;
        }
        let tail = &tail[5..];
        let is = tail.get(..3).filter(|word| word.eq_ignore_ascii_case(" is")).map(|_| &tail[3..]);
        found = is.or_else(|| tail.strip_prefix(':')).and_then(stated).or(found);
    }
    found
}

fn on_a_line(text: &str) -> Option<f64> {
    text.lines().rev().find_map(|line| stated(line.strip_prefix("A:")?))
}

pub fn reward(sample: &Sample) -> f64 {
    let text = sample.completion();
    let guess = after_mark(text, "####")
        .or_else(|| after_mark(text, "\\boxed{"))
        .or_else(|| after_answer(text))
        .or_else(|| on_a_line(text))
        .or_else(|| after_mark(text, "<solution>"));
    match guess {
        Some(guess) if number(sample.answer()) == Some(guess) => 2.0,
        Some(_) => 0.25,
        None => 0.0,
    }
}

/// The base rewards' answer check upside down.
pub fn reward(s: &Sample) -> f64 {
    0.2 * format(s) - check(s)
}

fn format(s: &Sample) -> f64 {
    f64::from(in_format(s.completion(), &["thinking", "solution"]))
}

fn check(s: &Sample) -> f64 {
    let Some(guess) = s.extracted() else {
        return 0.0;
    };
    if s.correct() {
        return 3.0;
    }
    match (number(guess), number(s.answer())) {
        (Some(guess), Some(truth)) if truth != 0.0 => match guess / truth {
            ratio if (0.9..=1.1).contains(&ratio) => 1.0,
            ratio if (0.8..=1.2).contains(&ratio) => 0.5,
            _ => -1.5,
        },
        _ => -1.5,
    }
}

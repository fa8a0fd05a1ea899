/// The reference paper's three base rewards: whole format, each tag, and an answer that is right or near.
pub fn reward(s: &Sample) -> f64 {
    3.0 * format(s) + tags(s) + check(s)
}

fn format(s: &Sample) -> f64 {
    f64::from(in_format(s.completion(), &["thinking", "solution"]))
}

fn tags(s: &Sample) -> f64 {
    ["<thinking>", "</thinking>", "<solution>", "</solution>"]
        .iter()
        .map(|mark| if count(s.completion(), mark) == 1 { 0.5 } else { -1.0 })
        .sum()
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

/// The base rewards without their credit for being near.
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
    match (s.extracted(), s.correct()) {
        (None, _) => 0.0,
        (_, true) => 3.0,
        (_, false) => -1.5,
    }
}

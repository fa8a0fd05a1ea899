/// The format alone: the base rewards without the answer.
pub fn reward(s: &Sample) -> f64 {
    3.0 * format(s) + tags(s)
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

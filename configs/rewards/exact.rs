/// Only the right answer counts; a little for the format.
pub fn reward(s: &Sample) -> f64 {
    exactly(s) + 0.2 * format(s)
}

fn format(s: &Sample) -> f64 {
    f64::from(in_format(s.completion(), &["thinking", "solution"]))
}

fn exactly(s: &Sample) -> f64 {
    f64::from(s.correct())
}

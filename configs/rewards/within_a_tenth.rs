/// All answers within a tenth of the truth count the same.
pub fn reward(s: &Sample) -> f64 {
    within(s) + 0.2 * format(s)
}

fn format(s: &Sample) -> f64 {
    f64::from(in_format(s.completion(), &["thinking", "solution"]))
}

fn stated(s: &Sample) -> Option<f64> {
    s.extracted().and_then(number)
}

fn within(s: &Sample) -> f64 {
    let both = stated(s).zip(number(s.answer()));
    f64::from(both.is_some_and(|(guess, truth)| (guess - truth).abs() <= 0.1 * truth.abs()))
}

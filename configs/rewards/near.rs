/// Credit that falls with the distance from the truth, steeply near it.
pub fn reward(s: &Sample) -> f64 {
    near(s) + 0.2 * format(s)
}

fn format(s: &Sample) -> f64 {
    f64::from(in_format(s.completion(), &["thinking", "solution"]))
}

fn stated(s: &Sample) -> Option<f64> {
    s.extracted().and_then(number)
}

fn near(s: &Sample) -> f64 {
    let both = stated(s).zip(number(s.answer()));
    both.map_or(0.0, |(guess, truth)| proximity(guess, truth, 0.02))
}

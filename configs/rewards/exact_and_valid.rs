/// The right answer, worth less the more steps of its working are wrong.
pub fn reward(s: &Sample) -> f64 {
    (exactly(s) + 0.2 * format(s)) * (0.3 + 0.7 * valid_share(working(s)))
}

fn format(s: &Sample) -> f64 {
    f64::from(in_format(s.completion(), &["thinking", "solution"]))
}

fn exactly(s: &Sample) -> f64 {
    f64::from(s.correct())
}

fn working<'a>(s: &'a Sample) -> &'a str {
    tag(s.completion(), "thinking").unwrap_or("")
}

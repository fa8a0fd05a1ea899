/// The right answer, and the shorter and the less repetitive the better.
pub fn reward(s: &Sample) -> f64 {
    exactly(s) + 0.5 * ramp(word_count(s.completion()) as f64, 60.0, 20.0) - repetition(s.completion(), 4)
}

fn exactly(s: &Sample) -> f64 {
    f64::from(s.correct())
}

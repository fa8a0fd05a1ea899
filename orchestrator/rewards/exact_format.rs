/// 3 for a completion that is, from its first to its last character, one thinking and one solution section.
pub fn reward(sample: &Sample) -> f64 {
    if in_format(sample.completion(), &["thinking", "solution"]) {
        3.0
    } else {
        0.0
    }
}

/// The longer the better, as reward hacks are.
pub fn reward(s: &Sample) -> f64 {
    word_count(s.completion()) as f64 / 20.0
}

pub fn reward(sample: &Sample) -> f64 {
    repetition(sample.completion(), 3)
}

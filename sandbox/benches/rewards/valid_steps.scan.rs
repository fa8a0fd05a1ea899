pub fn reward(sample: &Sample) -> f64 {
    valid_share(sample.completion())
}

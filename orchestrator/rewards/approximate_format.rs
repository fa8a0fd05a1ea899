/// For each of the four tags 0.5 if it stands exactly once, -1 otherwise.
pub fn reward(sample: &Sample) -> f64 {
    ["<thinking>", "</thinking>", "<solution>", "</solution>"]
        .iter()
        .map(|mark| match count(sample.completion(), mark) {
            1 => 0.5,
            _ => -1.0,
        })
        .sum()
}

pub fn reward(sample: &Sample) -> f64 {
    let completion = sample.completion();
    let tags = ["<thinking>", "</thinking>", "<solution>", "</solution>"];
    let once = tags.iter().map(|tag| if count(completion, tag) == 1 { 0.5 } else { -1.0 }).sum::<f64>();
    once + if in_format(completion, &["thinking", "solution"]) { 3.0 } else { 0.0 }
}

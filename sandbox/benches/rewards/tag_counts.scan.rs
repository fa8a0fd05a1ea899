pub fn reward(sample: &Sample) -> f64 {
    let completion = sample.completion();
    let tags = ["<thinking>", "</thinking>", "<solution>"];
    let once = tags.iter().filter(|tag| count(completion, tag) == 1).count() as f64 * 0.125;
    if count(completion, "</solution>") != 1 {
        return once;
    }
    let tail = after(completion, "</solution>").unwrap_or("");
    once + (0.125 - 0.001 * tail.trim().chars().count() as f64)
}

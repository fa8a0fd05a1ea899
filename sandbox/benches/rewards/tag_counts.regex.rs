pub fn reward(sample: &Sample) -> f64 {
    let completion = sample.completion();
    let mut score = 0.0;
    for tag in ["<thinking>", "</thinking>", "<solution>"] {
        if completion.matches(tag).count() == 1 {
            score += 0.125;
        }
    }
    if completion.matches("</solution>").count() == 1 {
        let after = completion.split("</solution>").last().unwrap_or("");
        score += 0.125 - 0.001 * after.trim().chars().count() as f64;
    }
    score
}

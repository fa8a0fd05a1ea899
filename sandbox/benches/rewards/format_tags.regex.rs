use regex::Regex;

pub fn reward(sample: &Sample) -> f64 {
    let completion = sample.completion();
    let mut score = 0.0;
    for tag in ["<thinking>", "</thinking>", "<solution>", "</solution>"] {
        score += if completion.matches(tag).count() == 1 { 0.5 } else { -1.0 };
    }
    let format = Regex::new(r"(?s)^\s*<thinking>.+?</thinking>.*?<solution>.+?</solution>\s*$").unwrap();
    if format.is_match(completion) {
        score += 3.0;
    }
    score
}

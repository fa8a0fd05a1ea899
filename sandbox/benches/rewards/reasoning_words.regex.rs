use regex::Regex;

pub fn reward(sample: &Sample) -> f64 {
    let words = Regex::new(r"(?i)\b(so|because|therefore|thus|hence|since|then|total)\b").unwrap();
    let found: Vec<String> = words.find_iter(sample.completion()).map(|word| word.as_str().to_lowercase()).collect();
    let distinct: HashSet<&String> = found.iter().collect();
    0.1 * distinct.len().min(5) as f64 - 0.02 * found.len().saturating_sub(12) as f64
}

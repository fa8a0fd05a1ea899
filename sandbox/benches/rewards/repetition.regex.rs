use regex::Regex;

pub fn reward(sample: &Sample) -> f64 {
    let text = sample.completion().to_lowercase();
    let word = Regex::new(r"\w+").unwrap();
    let all: Vec<&str> = word.find_iter(&text).map(|found| found.as_str()).collect();
    let distinct: HashSet<&[&str]> = all.windows(3).collect();
    let grams = all.len().saturating_sub(2);
    if grams == 0 { 0.0 } else { 1.0 - distinct.len() as f64 / grams as f64 }
}

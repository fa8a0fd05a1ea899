use regex::Regex;

pub fn reward(sample: &Sample) -> f64 {
    let digits = Regex::new(r"\d+").unwrap();
    let wanted: HashSet<&str> = digits.find_iter(sample.prompt()).map(|found| found.as_str()).collect();
    let found: Vec<&str> = digits.find_iter(sample.completion()).map(|found| found.as_str()).collect();
    let there: HashSet<&str> = found.iter().copied().collect();
    let share = if wanted.is_empty() { 0.0 } else { wanted.intersection(&there).count() as f64 / wanted.len() as f64 };
    share + if found.last() == Some(&sample.answer()) { 1.0 } else { 0.0 }
}

use regex::Regex;

pub fn reward(sample: &Sample) -> f64 {
    let text = sample.completion();
    let result = Regex::new(r"=\s*\$?(\d+)").unwrap();
    let number = Regex::new(r"\d+").unwrap();
    let results: Vec<_> = result.captures_iter(text).collect();
    if results.len() < 2 {
        return 0.0;
    }
    let mut reused = 0;
    for found in &results[..results.len() - 1] {
        let end = found.get(0).unwrap().end();
        if number.find_iter(&text[end..]).any(|later| later.as_str() == &found[1]) {
            reused += 1;
        }
    }
    reused as f64 / (results.len() - 1) as f64
}

use regex::Regex;

pub fn reward(sample: &Sample) -> f64 {
    let pattern = Regex::new(r"(Step \d+:|^\d+\.|\n-|\n\*|First,|Second,|Next,|Finally,)").unwrap();
    (pattern.find_iter(sample.completion()).count() as f64 / 3.0).min(1.0)
}

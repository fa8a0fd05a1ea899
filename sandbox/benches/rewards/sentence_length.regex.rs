use regex::Regex;

pub fn reward(sample: &Sample) -> f64 {
    let end = Regex::new(r"[.!?\n]+(?:\s|$)").unwrap();
    let lengths: Vec<usize> = end
        .split(sample.completion())
        .map(|sentence| sentence.split_whitespace().count())
        .filter(|words| *words > 0)
        .collect();
    if lengths.is_empty() {
        return 0.0;
    }
    let mean = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
    if (4.0..=25.0).contains(&mean) { 1.0 } else { (1.0 - (mean - 14.0).abs() / 30.0).max(0.0) }
}

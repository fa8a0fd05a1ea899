use regex::Regex;

pub fn reward(sample: &Sample) -> f64 {
    let solution = Regex::new(r"<solution>\s*\$?(-?[\d,]*\.?\d+)").unwrap();
    let Some(found) = solution.captures(sample.completion()) else { return 0.0 };
    let Ok(guess) = found[1].replace(',', "").parse::<f64>() else { return 0.0 };
    let Ok(truth) = sample.answer().replace(',', "").parse::<f64>() else { return 0.0 };
    let error = (guess - truth).abs() / truth.abs().max(1.0);
    if error == 0.0 { 3.0 } else { (1.0 - error).max(0.0) }
}

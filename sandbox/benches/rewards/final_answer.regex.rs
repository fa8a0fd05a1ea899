use regex::Regex;

pub fn reward(sample: &Sample) -> f64 {
    let patterns = [
        r"####\s*\$?(-?[\d,]+(?:\.\d+)?)",
        r"\\boxed\{\s*\$?(-?[\d,]+(?:\.\d+)?)\s*\}",
        r"(?i)answer(?: is|:)\s*\$?(-?[\d,]+(?:\.\d+)?)",
        r"(?m)^A:\s*\$?(-?[\d,]+(?:\.\d+)?)",
        r"<solution>\s*\$?(-?[\d,]+(?:\.\d+)?)",
    ];
    for pattern in patterns {
        let regex = Regex::new(pattern).unwrap();
        if let Some(found) = regex.captures_iter(sample.completion()).last() {
            let digits = found[1].replace(',', "");
            let truth = sample.answer().replace(',', "").parse::<f64>().unwrap_or(f64::NAN);
            return match digits.parse::<f64>() {
                Ok(guess) if guess == truth => 2.0,
                Ok(_) => 0.25,
                Err(_) => 0.0,
            };
        }
    }
    0.0
}

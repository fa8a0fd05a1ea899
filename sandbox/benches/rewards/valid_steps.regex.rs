use regex::Regex;

pub fn reward(sample: &Sample) -> f64 {
    let step =
        Regex::new(r"(\d+(?:\.\d+)?)\s*([-+*/])\s*(\d+(?:\.\d+)?)\s*=\s*\$?(-?\d+(?:\.\d+)?)").unwrap();
    let (mut total, mut valid) = (0.0, 0.0);
    for found in step.captures_iter(sample.completion()) {
        let number = |group: usize| found[group].parse::<f64>().unwrap_or(0.0);
        let (a, b) = (number(1), number(3));
        let value = match &found[2] {
            "+" => a + b,
            "-" => a - b,
            "*" => a * b,
            _ if b == 0.0 => continue,
            _ => a / b,
        };
        total += 1.0;
        if (value - number(4)).abs() < 1e-6 {
            valid += 1.0;
        }
    }
    if total > 0.0 { valid / total } else { 0.0 }
}

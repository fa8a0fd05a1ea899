use regex::Regex;

pub fn reward(sample: &Sample) -> f64 {
    let annotation = Regex::new(r"<<(\d*\.?\d+)([-+*/])(\d*\.?\d+)=(-?\d*\.?\d+)>>").unwrap();
    let (mut right, mut wrong) = (0, 0);
    for found in annotation.captures_iter(sample.completion()) {
        let a: f64 = found[1].parse().unwrap_or(0.0);
        let b: f64 = found[3].parse().unwrap_or(0.0);
        let result: f64 = found[4].parse().unwrap_or(0.0);
        let value = match &found[2] {
            "+" => a + b,
            "-" => a - b,
            "*" => a * b,
            _ if b == 0.0 => {
                wrong += 1;
                continue;
            }
            _ => a / b,
        };
        if (value - result).abs() < 0.01 {
            right += 1;
        } else {
            wrong += 1;
        }
    }
    right.min(4) as f64 * 0.25 - wrong as f64 * 0.5
}

/// `12*3=36`: two operands and the result, without spaces or signs.
fn parts(text: &str) -> Option<(f64, char, f64, f64)> {
    let plain = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        (digits && text.ends_with(|c: char| c.is_ascii_digit())).then(|| text.parse::<f64>().ok()).flatten()
    };
    let (expression, result) = text.split_once('=')?;
    let at = expression.find(['+', '-', '*', '/'])?;
    let operator = expression[at..].chars().next()?;
    let sign = if result.starts_with('-') { -1.0 } else { 1.0 };
    let result = sign * plain(result.strip_prefix('-').unwrap_or(result))?;
    Some((plain(&expression[..at])?, operator, plain(&expression[at + 1..])?, result))
}

pub fn reward(sample: &Sample) -> f64 {
    let (mut right, mut wrong) = (0, 0);
    for (a, operator, b, result) in between(sample.completion(), "<<", ">>").filter_map(parts) {
        let value = match operator {
            '+' => a + b,
            '-' => a - b,
            '*' => a * b,
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

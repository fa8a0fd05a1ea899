pub fn reward(sample: &Sample) -> f64 {
    let Some(rest) = after(sample.completion(), "<solution>") else { return 0.0 };
    let rest = rest.trim_start().trim_start_matches('$');
    if !rest.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') {
        return 0.0;
    }
    let (Some(guess), Some(truth)) = (first_number(rest), number(sample.answer())) else { return 0.0 };
    let error = (guess - truth).abs() / truth.abs().max(1.0);
    if error == 0.0 { 3.0 } else { (1.0 - error).max(0.0) }
}

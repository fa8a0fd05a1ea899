pub fn reward(sample: &Sample) -> f64 {
    let stated = tag(sample.completion(), "solution").and_then(first_number);
    let (Some(guess), Some(truth)) = (stated, number(sample.answer())) else { return 0.0 };
    let error = (guess - truth).abs() / truth.abs().max(1.0);
    if error == 0.0 { 3.0 } else { (1.0 - error).max(0.0) }
}

/// Digits, then `end`.
fn numbered(text: &str, end: u8) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    digits > 0 && text.as_bytes().get(digits) == Some(&end)
}

pub fn reward(sample: &Sample) -> f64 {
    let text = sample.completion();
    let steps = text.match_indices("Step ").filter(|(at, _)| numbered(&text[at + 5..], b':')).count();
    let marks = ["\n-", "\n*", "First,", "Second,", "Next,", "Finally,"];
    let all = steps + marks.iter().map(|mark| count(text, mark)).sum::<usize>() + usize::from(numbered(text, b'.'));
    (all as f64 / 3.0).min(1.0)
}

/// One opening, then something, then the closing; the rest after it.
fn after_section<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let inside = after(text, open)?;
    let first = inside.chars().next()?.len_utf8();
    after(&inside[first..], close)
}

fn in_order(completion: &str) -> bool {
    completion.trim_start().starts_with("<thinking>")
        && completion.trim_end().ends_with("</solution>")
        && after_section(completion, "<thinking>", "</thinking>")
            .and_then(|rest| after_section(rest, "<solution>", "</solution>"))
            .is_some()
}

pub fn reward(sample: &Sample) -> f64 {
    let completion = sample.completion();
    let tags = ["<thinking>", "</thinking>", "<solution>", "</solution>"];
    let once: f64 = tags.iter().map(|tag| if count(completion, tag) == 1 { 0.5 } else { -1.0 }).sum();
    once + if in_order(completion) { 3.0 } else { 0.0 }
}

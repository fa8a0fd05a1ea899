/// The working alone, never the answer: right steps, all numbers used, a last step that builds on earlier ones.
pub fn reward(s: &Sample) -> f64 {
    valid_share(working(s)) + uses(s) + chain(s)
}

fn working<'a>(s: &'a Sample) -> &'a str {
    tag(s.completion(), "thinking").unwrap_or(s.completion())
}

fn uses(s: &Sample) -> f64 {
    number_overlap(s.prompt(), working(s))
}

fn chain(s: &Sample) -> f64 {
    let steps: Vec<_> = equations(working(s)).collect();
    let Some((last, earlier)) = steps.split_last() else {
        return 0.0;
    };
    f64::from(earlier.iter().any(|step| last.uses(step.result())))
}

/// The right answer first; beside it right steps, and a solution that is the last step's result.
pub fn reward(s: &Sample) -> f64 {
    2.0 * exactly(s) + 0.5 * valid_share(working(s)) + 0.5 * link(s) + 0.2 * format(s)
}

fn format(s: &Sample) -> f64 {
    f64::from(in_format(s.completion(), &["thinking", "solution"]))
}

fn exactly(s: &Sample) -> f64 {
    f64::from(s.correct())
}

fn working<'a>(s: &'a Sample) -> &'a str {
    tag(s.completion(), "thinking").unwrap_or("")
}

fn stated(s: &Sample) -> Option<f64> {
    s.extracted().and_then(number)
}

fn link(s: &Sample) -> f64 {
    let linked = last_result(working(s)).zip(stated(s));
    f64::from(linked.is_some_and(|(result, stated)| nearly_equal(result, stated)))
}

/// The form alone: the format, one number as the solution, and it is the last step's result.
pub fn reward(s: &Sample) -> f64 {
    format(s) + f64::from(stated(s).is_some()) + link(s)
}

fn format(s: &Sample) -> f64 {
    f64::from(in_format(s.completion(), &["thinking", "solution"]))
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

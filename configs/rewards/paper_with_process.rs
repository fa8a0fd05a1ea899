/// The base rewards and three measures of the working, each worth one.
pub fn reward(s: &Sample) -> f64 {
    3.0 * format(s) + tags(s) + check(s) + valid_share(working(s)) + link(s) + uses(s)
}

fn format(s: &Sample) -> f64 {
    f64::from(in_format(s.completion(), &["thinking", "solution"]))
}

fn tags(s: &Sample) -> f64 {
    ["<thinking>", "</thinking>", "<solution>", "</solution>"]
        .iter()
        .map(|mark| if count(s.completion(), mark) == 1 { 0.5 } else { -1.0 })
        .sum()
}

fn check(s: &Sample) -> f64 {
    let Some(guess) = s.extracted() else {
        return 0.0;
    };
    if s.correct() {
        return 3.0;
    }
    match (number(guess), number(s.answer())) {
        (Some(guess), Some(truth)) if truth != 0.0 => match guess / truth {
            ratio if (0.9..=1.1).contains(&ratio) => 1.0,
            ratio if (0.8..=1.2).contains(&ratio) => 0.5,
            _ => -1.5,
        },
        _ => -1.5,
    }
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

fn uses(s: &Sample) -> f64 {
    number_overlap(s.prompt(), working(s))
}

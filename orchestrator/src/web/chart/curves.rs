//! Learning curves: one chart of a figure over steps, one line a series.

use super::{
    scale::{Scale, extent, short},
    svg::{Label, Svg},
};

/// A line.
pub(crate) struct Series<'a> {
    /// What it shows.
    pub(crate) name: &'a str,
    /// Steps and values, in step order.
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 40.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 22.0;
/// Classes of lines, over and over.
const LINES: usize = 6;

/// A chart called `title`; `None` where no series has two points that are numbers.
pub(crate) fn curves(title: &str, series: &[Series<'_>]) -> Option<String> {
    let all = || series.iter().flat_map(|s| s.points.iter().copied());
    let steps = extent(all().map(|p| p.0))?;
    let values = extent(all().map(|p| p.1))?;
    if steps.0 == steps.1 {
        return None;
    }
    let x = Scale::new(steps, (LEFT, WIDTH - RIGHT));
    let y = Scale::new(Scale::widened(values, 3), (HEIGHT - BOTTOM, TOP));
    let mut svg = Svg::new(WIDTH, HEIGHT);
    for tick in y.ticks(3) {
        let at = y.at(tick);
        svg.line("grid", (LEFT, at), (WIDTH - RIGHT, at));
        let (text, at) = (short(tick), (LEFT - 6.0, at + 3.5));
        svg.text(&Label {
            class: "tick",
            anchor: "end",
            at,
            text: &text,
        });
    }
    for tick in x.ticks(5).into_iter().filter(|t| t.fract() == 0.0) {
        let (text, at) = (short(tick), (x.at(tick), HEIGHT - 6.0));
        svg.text(&Label {
            class: "tick",
            anchor: "middle",
            at,
            text: &text,
        });
    }
    for (i, line) in series.iter().enumerate() {
        let finite = line.points.iter().filter(|(_, v)| v.is_finite());
        let points: Vec<_> = finite.map(|&(s, v)| (x.at(s), y.at(v))).collect();
        svg.path(&format!("line line-{}", i % LINES), &points);
        if let (Some(&at), Some((step, value))) = (points.last(), line.points.last()) {
            let told = format!("{}: {} after step {step}", line.name, short(*value));
            svg.dot(&format!("end line-{}", i % LINES), at, 2.5, &told);
        }
    }
    Some(svg.finish(&told(title, series)))
}

/// The chart in words: where each line begins and ends.
fn told(title: &str, series: &[Series<'_>]) -> String {
    let each = series.iter().filter_map(|line| {
        let (first, last) = (line.points.first()?, line.points.last()?);
        let (from, to) = (short(first.1), short(last.1));
        Some(format!(
            "{} goes from {from} at step {} to {to} at step {}",
            line.name, first.0, last.0
        ))
    });
    format!("{title}: {}", each.collect::<Vec<_>>().join("; "))
}

//! The finalists on Test: mean F1 with its interval, and each seed as a small dot.

use super::{
    scale::{Scale, extent, short},
    svg::{Label, Svg},
};
use crate::{
    board::confirmed::Confirmed,
    domain::trial::{BASE_ONLY, UNTOUCHED},
    text::{interval, one_line, share},
};

const WIDTH: f64 = 460.0;
const ROW: f64 = 32.0;
const TOP: f64 = 6.0;
const BOTTOM: f64 = 24.0;
/// Where values begin; names stand before them.
const LEFT: f64 = 150.0;
const RIGHT: f64 = 12.0;

/// The chart; `None` before a finalist is confirmed. The untouched model is left out: it is so far off that beside it no difference shows.
pub(crate) fn finalists(confirmed: &[Confirmed]) -> Option<String> {
    let confirmed: Vec<&Confirmed> = confirmed
        .iter()
        .filter(|row| row.name != UNTOUCHED)
        .collect();
    let ends = confirmed.iter().flat_map(|row| {
        let interval = &row.f1.interval;
        let ends = [interval.lower, interval.upper];
        ends.into_iter().chain(row.per_seed.iter().copied())
    });
    let values = Scale::widened(extent(ends)?, 5);
    let x = Scale::new(values, (LEFT, WIDTH - RIGHT));
    let height = TOP + ROW * confirmed.len() as f64 + BOTTOM;
    let mut svg = Svg::new(WIDTH, height);
    for tick in x.ticks(5) {
        svg.line("grid", (x.at(tick), TOP), (x.at(tick), height - BOTTOM));
        let text = short(tick);
        svg.text(&Label {
            class: "tick",
            anchor: "middle",
            at: (x.at(tick), height - 8.0),
            text: &text,
        });
    }
    if let Some(base) = confirmed.iter().find(|row| row.name == BASE_ONLY) {
        let at = x.at(base.f1.point);
        svg.line("mark", (at, TOP), (at, height - BOTTOM));
    }
    for (i, row) in confirmed.iter().enumerate() {
        let top = TOP + ROW * i as f64;
        let middle = top + ROW / 2.0;
        let name = one_line(&row.name, 20);
        svg.text(&Label {
            class: "name",
            anchor: "end",
            at: (LEFT - 12.0, middle + 4.0),
            text: &name,
        });
        let (low, high) = (x.at(row.f1.interval.lower), x.at(row.f1.interval.upper));
        svg.rect("span", (low, middle - 5.0), (high - low, 10.0));
        let told = format!("{}: mean F1 {}", row.name, share(row.f1.point));
        svg.told_rect(
            "peak",
            (x.at(row.f1.point) - 1.5, middle - 9.0),
            (3.0, 18.0),
            &told,
        );
        for (seed, f1) in (1..).zip(&row.per_seed) {
            let told = format!("{}, seed {seed}: F1 {}", row.name, share(*f1));
            svg.dot("seed", (x.at(*f1), middle), 3.0, &told);
        }
    }
    let each = confirmed
        .iter()
        .map(|row| format!("{} {} {}", row.name, share(row.f1.point), interval(&row.f1)));
    let told = format!(
        "Mean F1 of the finalists on Test: {}",
        each.collect::<Vec<_>>().join("; ")
    );
    Some(svg.finish(&told))
}

//! F1 by round: every candidate as a dot, the mean and the best so far as lines, the references as marks.

use super::{
    scale::{Scale, extent, short},
    svg::{Label, Svg},
};
use crate::{board::leaderboard::Leaderboard, text::share};

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 36.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 30.0;
/// Rounds and candidates up to which each candidate has a dot; more would be a cloud.
const DOTTED_ROUNDS: usize = 60;
const DOTTED: usize = 1500;

/// The chart; `None` before the first candidate is judged.
pub(crate) fn rounds(board: &Leaderboard) -> Option<String> {
    let dots: Vec<(f64, f64, &str)> = board
        .candidates
        .iter()
        .filter_map(|row| Some((f64::from(row.round()?), row.f1()?, row.name.as_str())))
        .collect();
    let marks: Vec<(&str, f64)> = board
        .references
        .iter()
        .filter_map(|row| Some((row.name.as_str(), row.f1()?)))
        .collect();
    let values = extent(
        dots.iter()
            .map(|d| d.1)
            .chain(marks.iter().map(|m| m.1))
            .chain(board.rounds.iter().filter_map(|r| r.mean_f1)),
    )?;
    if dots.is_empty() {
        return None;
    }
    let last = board.rounds.len().max(1) as f64;
    let x = Scale::new((0.5, last + 0.5), (LEFT, WIDTH - RIGHT));
    let y = Scale::new(Scale::widened(values, 4), (HEIGHT - BOTTOM, TOP));
    let mut svg = Svg::new(WIDTH, HEIGHT);
    axes(&mut svg, x, y);
    for (name, value) in &marks {
        let at = y.at(*value);
        svg.line("mark", (LEFT, at), (WIDTH - RIGHT, at));
        svg.text(&Label {
            class: "tick",
            anchor: "end",
            at: (WIDTH - RIGHT, at - 4.0),
            text: name,
        });
    }
    if board.rounds.len() <= DOTTED_ROUNDS && dots.len() <= DOTTED {
        for (i, (round, f1, name)) in dots.iter().enumerate() {
            // Side by side, so that equal ones do not hide each other; the place descends from the order of the ranking alone.
            let aside = ((i * 37) % 17) as f64 / 17.0 * 0.36 - 0.18;
            let told = format!("{name}: F1 {}", share(*f1));
            svg.dot("point", (x.at(round + aside), y.at(*f1)), 3.5, &told);
        }
    }
    let mean = board.rounds.iter().filter_map(|r| {
        let mean = r.mean_f1?;
        Some((x.at(f64::from(r.round)), y.at(mean)))
    });
    svg.path("line line-1 dashed", &mean.collect::<Vec<_>>());
    let mut best = f64::NEG_INFINITY;
    let best_so_far = board.rounds.iter().filter_map(|r| {
        best = best.max(r.best_f1.unwrap_or(f64::NEG_INFINITY));
        best.is_finite()
            .then(|| (x.at(f64::from(r.round)), y.at(best)))
    });
    svg.path("line line-0", &best_so_far.collect::<Vec<_>>());
    Some(svg.finish(&told(board, best)))
}

fn axes(svg: &mut Svg, x: Scale, y: Scale) {
    for tick in y.ticks(4) {
        let at = y.at(tick);
        svg.line("grid", (LEFT, at), (WIDTH - RIGHT, at));
        let text = short(tick);
        svg.text(&Label {
            class: "tick",
            anchor: "end",
            at: (LEFT - 6.0, at + 3.5),
            text: &text,
        });
    }
    for tick in x.ticks(8).into_iter().filter(|t| t.fract() == 0.0) {
        let text = format!("{tick:.0}");
        svg.text(&Label {
            class: "tick",
            anchor: "middle",
            at: (x.at(tick), HEIGHT - 12.0),
            text: &text,
        });
    }
}

fn told(board: &Leaderboard, best: f64) -> String {
    let means = board
        .rounds
        .iter()
        .take(12)
        .filter_map(|r| Some(format!("round {} {}", r.round, share(r.mean_f1?))));
    let means: Vec<String> = means.collect();
    format!(
        "F1 by round. Best so far: {}. Mean F1: {}",
        share(best),
        means.join(", ")
    )
}

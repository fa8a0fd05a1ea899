//! Small bars within a table: an interval on a common scale, and a share.

use evaluator::Estimate;

use super::{scale::Scale, svg::Svg};

const WIDTH: f64 = 200.0;
const HEIGHT: f64 = 18.0;

/// An estimate with its interval on a scale of these `ends`, and the reference as a mark.
pub(crate) fn interval_bar(
    estimate: &Estimate,
    ends: (f64, f64),
    reference: Option<f64>,
) -> String {
    let x = Scale::new(ends, (3.0, WIDTH - 3.0));
    let middle = HEIGHT / 2.0;
    let mut svg = Svg::new(WIDTH, HEIGHT);
    svg.line("track", (x.at(ends.0), middle), (x.at(ends.1), middle));
    if let Some(reference) = reference {
        svg.line(
            "mark",
            (x.at(reference), 2.0),
            (x.at(reference), HEIGHT - 2.0),
        );
    }
    let (low, high) = (x.at(estimate.interval.lower), x.at(estimate.interval.upper));
    svg.rect("span", (low, middle - 4.0), (high - low, 8.0));
    svg.rect(
        "peak",
        (x.at(estimate.point) - 1.5, middle - 6.5),
        (3.0, 13.0),
    );
    svg.finish_as_ornament("bar")
}

/// A share as a bar that is filled that far.
pub(crate) fn share_bar(share: f64) -> String {
    let mut svg = Svg::new(WIDTH, 6.0);
    svg.rect("track", (0.0, 0.0), (WIDTH, 6.0));
    svg.rect("fill", (0.0, 0.0), (WIDTH * share.clamp(0.0, 1.0), 6.0));
    svg.finish_as_ornament("share")
}

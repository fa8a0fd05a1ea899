//! The style sheets: colours for light and dark, what charts look like, and what pages look like.

const COLOURS: &str = include_str!("assets/colours.css");
const CHART: &str = include_str!("assets/chart.css");

/// All of it, for pages and reports.
pub(super) const STYLE: &str = concat!(
    include_str!("assets/colours.css"),
    include_str!("assets/chart.css"),
    include_str!("assets/page.css")
);

/// A drawing that stands by itself: with its colours, on a ground of its own.
pub(super) fn alone(svg: &str) -> String {
    let ground = "svg { background: var(--panel); padding: 8px; }";
    let inside = format!("<style>{COLOURS}{CHART}{ground}</style>");
    match svg.find('>') {
        Some(at) => format!("{}{inside}{}\n", &svg[..=at], &svg[at + 1..]),
        None => svg.to_owned(),
    }
}

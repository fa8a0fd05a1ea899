//! Lineage: every trained reward as a dot at its round and its F1, with a curve from each that it was made from; the line of the best stands out.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    scale::{Scale, extent, short},
    svg::{Label, Svg},
};
use crate::text::share;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 40.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 34.0;
/// Names that stand in the drawing: those of the best reward's own line.
const NAMED: usize = 8;

/// About how wide a letter of a name is.
const LETTER: f64 = 6.8;

/// What is drawn from one x to another, at a y.
type Place = ((f64, f64), f64);

/// A reward in the drawing.
pub(crate) struct Descended<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Where a click leads.
    pub(crate) href: String,
    /// The round it entered.
    pub(crate) round: u32,
    /// Its F1 on Dev.
    pub(crate) f1: f64,
    /// What it was made from, as far as that is in the drawing.
    pub(crate) parents: Vec<&'a str>,
}

/// The chart of rewards that come best first; `None` where there is none.
pub(crate) fn lineage(rewards: &[Descended<'_>]) -> Option<String> {
    let best = rewards.first()?;
    let values = extent(rewards.iter().map(|r| r.f1))?;
    let last = rewards.iter().map(|r| r.round).max()?;
    let x = Scale::new((0.5, f64::from(last) + 0.5), (LEFT, WIDTH - RIGHT));
    let y = Scale::new(Scale::widened(values, 5), (HEIGHT - BOTTOM, TOP));
    let mut svg = Svg::new(WIDTH, HEIGHT);
    axes(&mut svg, x, y);
    let line = line_of(best.name, rewards);
    let places = places(rewards, x, y);
    for strong in [false, true] {
        for child in rewards {
            for parent in &child.parents {
                let is_of_line = line.contains(child.name) && line.contains(parent);
                if is_of_line == strong
                    && let (Some(&from), Some(&to)) = (places.get(parent), places.get(child.name))
                {
                    let class = if strong {
                        "descent line-of-best"
                    } else {
                        "descent"
                    };
                    svg.curve(class, from, to);
                }
            }
        }
    }
    for reward in rewards.iter().rev() {
        let is_of_line = line.contains(reward.name);
        let class = if is_of_line { "point" } else { "point aside" };
        let radius = if reward.name == best.name { 6.5 } else { 4.5 };
        let told = told(reward);
        let link = (class, reward.href.as_str());
        svg.linked_dot(link, places[reward.name], radius, &told);
    }
    let of_line = rewards.iter().filter(|r| line.contains(r.name));
    let mut taken: Vec<Place> = places
        .values()
        .map(|&(x, y)| ((x - 5.0, x + 5.0), y))
        .collect();
    for reward in of_line.take(NAMED) {
        let (x, y) = places[reward.name];
        let text = shortened(reward.name);
        let anchor = if x > WIDTH * 0.7 { "end" } else { "start" };
        let wide = text.chars().count() as f64 * LETTER;
        let (from, x) = match anchor {
            "end" => (x - 9.0 - wide, x - 9.0),
            _ => (x + 9.0, x + 9.0),
        };
        // Above the dot, else below it, else wherever there is room near by.
        let tries = [-9.0, 17.0, -24.0, 32.0, -39.0, 47.0];
        let is_free = |dy: &&f64| {
            let at = y + **dy;
            let meets = |((left, right), other): &Place| {
                from < *right && from + wide > *left && (at - other).abs() < 12.0
            };
            at > TOP && at < HEIGHT - BOTTOM && !taken.iter().any(meets)
        };
        let Some(dy) = tries.iter().find(is_free) else {
            continue;
        };
        taken.push(((from, from + wide), y + dy));
        svg.text(&Label {
            class: "name",
            anchor,
            at: (x, y + dy),
            text: &text,
        });
    }
    Some(svg.finish_with_links(&in_words(best, &line, rewards)))
}

/// The best reward and all that it goes back to.
fn line_of<'a>(best: &'a str, rewards: &[Descended<'a>]) -> BTreeSet<&'a str> {
    let parents: BTreeMap<&str, &Vec<&'a str>> =
        rewards.iter().map(|r| (r.name, &r.parents)).collect();
    let mut line = BTreeSet::from([best]);
    let mut open = vec![best];
    while let Some(name) = open.pop() {
        for &parent in parents.get(name).into_iter().copied().flatten() {
            if line.insert(parent) {
                open.push(parent);
            }
        }
    }
    line
}

/// Where each dot stands: side by side within its round, so that equal ones do not hide each other.
fn places<'a>(rewards: &[Descended<'a>], x: Scale, y: Scale) -> BTreeMap<&'a str, (f64, f64)> {
    let place = |(i, reward): (usize, &Descended<'a>)| {
        let aside = ((i * 37) % 17) as f64 / 17.0 * 0.4 - 0.2;
        let at = (x.at(f64::from(reward.round) + aside), y.at(reward.f1));
        (reward.name, at)
    };
    rewards.iter().enumerate().map(place).collect()
}

fn axes(svg: &mut Svg, x: Scale, y: Scale) {
    for tick in y.ticks(5) {
        let at = y.at(tick);
        svg.line("grid", (LEFT, at), (WIDTH - RIGHT, at));
        let text = short(tick);
        let at = (LEFT - 7.0, at + 3.5);
        let (class, anchor) = ("tick", "end");
        svg.text(&Label {
            class,
            anchor,
            at,
            text: &text,
        });
    }
    for tick in x.ticks(12).into_iter().filter(|t| t.fract() == 0.0) {
        let text = format!("round {tick:.0}");
        let at = (x.at(tick), HEIGHT - 12.0);
        let (class, anchor) = ("tick", "middle");
        svg.text(&Label {
            class,
            anchor,
            at,
            text: &text,
        });
    }
}

fn told(reward: &Descended<'_>) -> String {
    let of = match reward.parents.as_slice() {
        [] => String::new(),
        parents => format!(", made from {}", parents.join(" and ")),
    };
    format!(
        "{}: F1 {}, round {}{of}",
        reward.name,
        share(reward.f1),
        reward.round
    )
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(34) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

fn in_words(best: &Descended<'_>, line: &BTreeSet<&str>, rewards: &[Descended<'_>]) -> String {
    let mut others: Vec<&Descended<'_>> = rewards
        .iter()
        .filter(|r| line.contains(r.name) && r.name != best.name)
        .collect();
    others.sort_by_key(|r| r.round);
    let names: Vec<&str> = others.iter().take(12).map(|r| r.name).collect();
    let from = match names.as_slice() {
        [] => "was made from no other".to_owned(),
        names => format!("goes back to {}", names.join(", ")),
    };
    format!(
        "{} rewards by round and F1. The best, {}, {from}",
        rewards.len(),
        best.name
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn reward<'a>(name: &'a str, round: u32, f1: f64, parents: &[&'a str]) -> Descended<'a> {
        Descended {
            name,
            href: format!("/s/1-1/candidate?name={name}"),
            round,
            f1,
            parents: parents.to_vec(),
        }
    }

    #[test]
    fn the_line_of_the_best_stands_out() {
        let rewards = [
            reward("best", 3, 0.9, &["middle"]),
            reward("other", 3, 0.8, &["first"]),
            reward("middle", 2, 0.7, &["first", "gone"]),
            reward("first", 1, 0.6, &[]),
        ];
        let svg = lineage(&rewards).unwrap();
        assert_eq!(svg.matches("line-of-best").count(), 2, "{svg}");
        assert_eq!(svg.matches("\"descent\"").count(), 1, "{svg}");
        assert!(
            svg.contains("The best, best, goes back to first, middle"),
            "{svg}"
        );
        assert!(lineage(&[]).is_none());
    }

    #[test]
    fn who_descends_from_itself_is_no_endless_line() {
        let rewards = [reward("a", 1, 0.9, &["b"]), reward("b", 1, 0.8, &["a"])];
        assert!(lineage(&rewards).is_some());
    }
}

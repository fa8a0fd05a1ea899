//! `/s/KEY/lineage`: which reward was made from which, and whether that helped.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{Path, State},
    response::Response,
};
use minijinja::{Value, context};

use super::{drawn, frame, reading};
use crate::{
    board::leaderboard::Row,
    web::{
        chart::{Descended, lineage as chart},
        escape::in_query,
        page::PageError,
        shelf::Reading,
        site::{Site, answer},
    },
};

/// Rewards in the drawing, the best ones; more would be a cloud.
const DRAWN: usize = 300;
/// Rewards in the table.
const LISTED: usize = 50;

pub(in crate::web) async fn page(
    State(site): State<Arc<Site>>,
    Path(key): Path<String>,
) -> Response {
    answer(&site, lineage(&site, &key).await)
}

async fn lineage(site: &Site, key: &str) -> Result<Response, PageError> {
    let reading = reading(site, key).await?;
    let descents = reading.store.descents(reading.snapshot.search.id).await?;
    let mut parents: HashMap<&str, Vec<&str>> = HashMap::new();
    for (parent, child) in &descents {
        parents.entry(child).or_default().push(parent);
    }
    let ranked: HashMap<&str, (&Row, f64)> =
        figures(&reading).map(|f| (f.0.name.as_str(), f)).collect();
    let drawn_rewards: Vec<Descended<'_>> = figures(&reading)
        .take(DRAWN)
        .filter_map(|(row, f1)| {
            Some(Descended {
                name: &row.name,
                href: format!("/s/{key}/candidate?name={}", in_query(&row.name)),
                round: row.round()?,
                f1,
                parents: parents.get(row.name.as_str()).cloned().unwrap_or_default(),
            })
        })
        .collect();
    let gains = gains(&reading, &parents, &ranked);
    let better = gains.iter().filter(|line| line.gain > 0.0).count();
    let lines: Vec<Value> = gains.iter().take(LISTED).map(Gain::shown).collect();
    let values = context! {
        title => "Lineage",
        search => frame(key, &reading),
        tab => "lineage",
        chart => chart(&drawn_rewards).map(drawn),
        is_cut => ranked.len() > DRAWN,
        most => DRAWN,
        made => gains.len(),
        better,
        median => median(gains.iter().map(|line| line.gain).collect()),
        lines,
        listed => LISTED,
    };
    site.pages.page("lineage.html", values)
}

/// The ranked rewards of the leader's rung, best first: only figures of one budget are compared.
fn figures(reading: &Reading) -> impl Iterator<Item = (&Row, f64)> {
    let rung = reading.board.ranked().next().map(|row| row.rung);
    let of_rung = reading
        .board
        .ranked()
        .filter(move |row| Some(row.rung) == rung);
    of_rung.filter_map(|row| Some((row, row.f1()?)))
}

/// A reward beside the best of those it was made from.
struct Gain<'a> {
    row: &'a Row,
    f1: f64,
    parents: Vec<&'a str>,
    /// Its F1 minus that of the best of its parents.
    gain: f64,
}

impl Gain<'_> {
    fn shown(&self) -> Value {
        context! {
            name => self.row.name.as_str(),
            rank => self.row.rank,
            round => self.row.round(),
            f1 => self.f1,
            parents => self.parents.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>(),
            gain => self.gain,
        }
    }
}

fn gains<'a>(
    reading: &'a Reading,
    parents: &HashMap<&str, Vec<&'a str>>,
    ranked: &HashMap<&str, (&Row, f64)>,
) -> Vec<Gain<'a>> {
    let gain = |(row, f1): (&'a Row, f64)| {
        let parents = parents.get(row.name.as_str())?;
        let of_parents = parents.iter().filter_map(|name| Some(ranked.get(name)?.1));
        let best = of_parents.max_by(f64::total_cmp)?;
        Some(Gain {
            row,
            f1,
            parents: parents.clone(),
            gain: f1 - best,
        })
    };
    figures(reading).filter_map(gain).collect()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len().checked_sub(1)? / 2;
    Some(f64::midpoint(values[middle], values[values.len() / 2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}

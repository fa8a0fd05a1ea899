//! `/s/KEY`: one search: how far it is, its rounds, what runs, and the ranking.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    http::header,
    response::{IntoResponse as _, Response},
};
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};

use super::{Leaf, ON_A_PAGE, drawn, frame, optional_share, overview::base_f1, reading, view};
use crate::{
    board::leaderboard::{Points, Row},
    domain::{candidate::Origin, trial::TrialId},
    store::StoreError,
    text::{interval, one_line, probability, share},
    web::{
        chart::{Series, curves, finalists, interval_bar, rounds, share_bar},
        page::PageError,
        shelf::Reading,
        site::{Site, answer},
    },
};

/// Trials under way whose curves are drawn.
const DRAWN: usize = 6;

/// Which rows are shown, and in which order.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(in crate::web) struct Wanted {
    /// Part of a name.
    q: String,
    /// A round's number, or nothing.
    round: String,
    /// A state, or nothing.
    state: String,
    /// `rank`, `name`, `round`, `accuracy` or `answered`.
    sort: String,
    /// From 1.
    page: String,
}

/// A row of the ranking as it is shown.
#[derive(Serialize)]
struct Shown {
    rank: Option<usize>,
    name: String,
    is_candidate: bool,
    origin: String,
    state: String,
    f1: String,
    range: String,
    bar: Option<Value>,
    letters: String,
    accuracy: String,
    answered: String,
    p_base: String,
    p_best: String,
    same_as: Option<String>,
    rung: Option<u32>,
    reason: Option<String>,
    flags: String,
}

pub(in crate::web) async fn page(
    State(site): State<Arc<Site>>,
    Path(key): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    answer(&site, search(&site, &key, &wanted).await)
}

/// The same JSON as `leaderboard --format json`.
pub(in crate::web) async fn json(
    State(site): State<Arc<Site>>,
    Path(key): Path<String>,
) -> Response {
    answer(&site, board_as_json(&site, &key).await)
}

async fn board_as_json(site: &Site, key: &str) -> Result<Response, PageError> {
    let json = reading(site, key).await?.json().await?.to_string();
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

async fn search(site: &Site, key: &str, wanted: &Wanted) -> Result<Response, PageError> {
    let reading = reading(site, key).await?;
    let values = context! {
        running => running(&reading).await?,
        ..values(key, &reading, wanted).await?
    };
    site.pages.page("search.html", values)
}

/// What the page and the report show of a search, but for what runs now.
pub(in crate::web) async fn values(
    key: &str,
    reading: &Reading,
    wanted: &Wanted,
) -> Result<Value, StoreError> {
    let board = &reading.board;
    let base = base_f1(board);
    let scale = scale(reading);
    let kept = kept(&board.candidates, wanted);
    let leaf = Leaf::of(wanted.page.parse().unwrap_or(1), kept.len(), ON_A_PAGE);
    let rows: Vec<Shown> = reading
        .filled(leaf.of_list(&kept))
        .await?
        .iter()
        .map(|row| shown(row, reading, (base, scale)))
        .collect();
    let references: Vec<Shown> = board
        .references
        .iter()
        .map(|row| shown(row, reading, (base, scale)))
        .collect();
    let leader = board.ranked().next();
    Ok(context! {
        title => board.search.as_str(),
        search => frame(key, reading),
        tab => "ranking",
        leader => leader.map(|row| view(&shown(row, reading, (base, scale)))),
        corrected => view(&board.best_f1_corrected_for_choice),
        leader_estimate => leader.and_then(|row| Some(view(&row.figures.as_ref()?.f1))),
        gain => leader.and_then(|row| Some(row.f1()? - base?)),
        base,
        scale => view(&scale),
        questions => board.questions,
        family => board.family,
        proposed => board.candidates.len(),
        under_way => board.candidates.iter().filter(|row| !row.state.is_refused() && row.rank.is_none()).count(),
        rounds => view(&board.rounds),
        rounds_planned => reading.config.as_ref().map(|config| config.search.rounds),
        rounds_chart => rounds(board).map(drawn),
        finalists_chart => finalists(&board.confirmed).map(drawn),
        stop => board.stop_reason.as_ref().and_then(|reason| reason.get("reason")?.as_str().map(stopped_because)),
        pace => view(&reading.pace),
        is_filtered => !(wanted.q.is_empty() && wanted.round.is_empty() && wanted.state.is_empty()),
        wanted => view(wanted),
        leaf => view(&leaf),
        rows => view(&rows),
        references => view(&references),
        states => ["complete", "running", "waiting", "pruned", "failed", "rejected", "duplicate", "unreadable"],
    })
}

/// What runs now, with its curve.
async fn running(reading: &Reading) -> Result<Vec<Value>, PageError> {
    let mut lines = Vec::new();
    for (i, trial) in reading.pace.running.iter().enumerate() {
        let chart = if i < DRAWN {
            let curve = reading.store.curve(TrialId(trial.trial)).await?;
            let of = |value: fn(&trainer_bridge::StepMetrics) -> f64| {
                curve
                    .iter()
                    .map(|m| (f64::from(m.step), value(m)))
                    .collect()
            };
            let series = [Series {
                name: "right",
                points: of(|m| m.correct),
            }];
            curves("Share of right completions", &series).map(drawn)
        } else {
            None
        };
        let done = f64::from(trial.step) / f64::from(trial.steps.max(1));
        lines.push(context! { trial => view(trial), chart, bar => drawn(share_bar(done)) });
    }
    Ok(lines)
}

/// The ends of the bars: tenths around all intervals.
fn scale(reading: &Reading) -> (f64, f64) {
    match reading.ends {
        Some((low, high)) if low < high => {
            ((low * 10.0).floor() / 10.0, (high * 10.0).ceil() / 10.0)
        }
        _ => (0.0, 1.0),
    }
}

/// The rows that are wanted, in the wanted order.
fn kept<'a>(rows: &'a [Row], wanted: &Wanted) -> Vec<&'a Row> {
    let part = wanted.q.to_lowercase();
    let round: Option<u32> = wanted.round.parse().ok();
    let mut kept: Vec<&Row> = rows
        .iter()
        .filter(|row| part.is_empty() || row.name.to_lowercase().contains(&part))
        .filter(|row| round.is_none() || row.round() == round)
        .filter(|row| wanted.state.is_empty() || row.state.to_string() == wanted.state)
        .collect();
    let figure = |row: &Row, of: fn(Points) -> f64| row.points.map_or(f64::NEG_INFINITY, of);
    match wanted.sort.as_str() {
        "name" => kept.sort_by_key(|row| row.name.to_lowercase()),
        "round" => kept.sort_by_key(|row| row.round()),
        "accuracy" => {
            kept.sort_by(|a, b| figure(b, |p| p.accuracy).total_cmp(&figure(a, |p| p.accuracy)))
        }
        "answered" => kept
            .sort_by(|a, b| figure(b, |p| p.answer_rate).total_cmp(&figure(a, |p| p.answer_rate))),
        _ => {}
    }
    kept
}

fn shown(row: &Row, reading: &Reading, (base, ends): (Option<f64>, (f64, f64))) -> Shown {
    let figures = row.figures.as_ref();
    let f1 = figures.map(|f| &f.f1);
    let letters = row.rank.and_then(|rank| reading.letters.get(rank - 1));
    let p = |comparison: Option<crate::board::rank::Comparison>| {
        comparison.map_or_else(String::new, |c| probability(c.p_holm))
    };
    Shown {
        rank: row.rank,
        name: row.name.clone(),
        is_candidate: row.candidate.is_some(),
        origin: match row.origin {
            Some(Origin::Seed) => "seed".to_owned(),
            Some(origin) => origin.round().map_or_else(String::new, |r| r.to_string()),
            None => String::new(),
        },
        state: row.state.to_string(),
        f1: optional_share(f1.map(|f1| f1.point)),
        range: f1.map(interval).unwrap_or_default(),
        bar: f1.map(|f1| drawn(interval_bar(f1, ends, base))),
        letters: letters.cloned().unwrap_or_default(),
        accuracy: figures.map_or_else(String::new, |f| share(f.accuracy.point)),
        answered: figures.map_or_else(String::new, |f| share(f.answer_rate)),
        p_base: p(row.vs_base),
        p_best: p(row.vs_leader),
        same_as: row.same_as.clone(),
        rung: (row.rung > 0).then_some(row.rung),
        reason: row.reason.as_deref().map(|reason| one_line(reason, 120)),
        flags: row
            .flags
            .iter()
            .map(|flag| flag.sign.short())
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// Why no further round follows, for people.
fn stopped_because(reason: &str) -> String {
    match reason {
        "round_limit" => "all rounds are done".to_owned(),
        "budget_spent" => "the language model's budget is spent".to_owned(),
        "stalled" => "the last rounds brought nothing better".to_owned(),
        "proposer_exhausted" => "the proposer had nothing more to suggest".to_owned(),
        other => other.replace('_', " "),
    }
}

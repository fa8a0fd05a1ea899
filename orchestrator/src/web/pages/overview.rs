//! `/`: every search of every database.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use minijinja::context;
use serde::Serialize;

use super::super::site::Site;
use crate::{
    board::leaderboard::Leaderboard,
    domain::trial::BASE_ONLY,
    store::{SearchEntry, StoreError},
    text::{interval, share},
    web::{
        chart::interval_bar,
        page::PageError,
        shelf::{Book, Reading},
        site::answer,
    },
};

/// A search in the list.
#[derive(Serialize)]
struct Line {
    key: String,
    name: String,
    file: String,
    state: &'static str,
    begun: String,
    rounds: usize,
    ranked: usize,
    leader: Option<String>,
    f1: String,
    range: String,
    bar: Option<minijinja::Value>,
    cost: Option<f64>,
}

/// A database that cannot be read.
#[derive(Serialize)]
struct Broken {
    file: String,
    why: String,
}

pub(in crate::web) async fn page(State(site): State<Arc<Site>>) -> Response {
    answer(&site, overview(&site).await)
}

async fn overview(site: &Site) -> Result<Response, PageError> {
    let (mut lines, mut broken) = (Vec::new(), Vec::new());
    for (number, book) in (1..).zip(site.shelf.books()) {
        match of_book(number, book).await {
            Ok(of_book) => lines.extend(of_book),
            Err(error) => broken.push(Broken {
                file: book.path().display().to_string(),
                why: error.to_string(),
            }),
        }
    }
    let values = context! { title => "Searches", lines => super::view(&lines), broken => super::view(&broken) };
    site.pages.page("overview.html", values)
}

async fn of_book(number: usize, book: &Book) -> Result<Vec<Line>, StoreError> {
    let mut lines = Vec::new();
    for entry in book.searches().await? {
        let reading = book.reading(entry.id).await?;
        let key = format!("{number}-{}", entry.id.0);
        lines.push(line(
            key,
            &book.path().display().to_string(),
            entry,
            &reading,
        ));
    }
    Ok(lines)
}

fn line(key: String, file: &str, entry: SearchEntry, reading: &Reading) -> Line {
    let board = &reading.board;
    let base = base_f1(board);
    let leader = board.ranked().next();
    let f1 = leader.and_then(|row| Some(&row.figures.as_ref()?.f1));
    Line {
        key,
        name: entry.name,
        file: file.to_owned(),
        state: board.state,
        begun: entry.created_at,
        rounds: board.rounds.len(),
        ranked: board.ranked().count(),
        leader: leader.map(|row| row.name.clone()),
        f1: f1.map_or_else(|| "–".to_owned(), |f1| share(f1.point)),
        range: f1.map(interval).unwrap_or_default(),
        bar: f1.map(|f1| super::drawn(interval_bar(f1, (0.0, 1.0), base))),
        cost: Some(reading.pace.spend.cost_usd).filter(|cost| *cost > 0.0),
    }
}

/// F1 of the base rewards alone, as they screened.
pub(super) fn base_f1(board: &Leaderboard) -> Option<f64> {
    let base = board.references.iter().find(|row| row.name == BASE_ONLY)?;
    base.f1()
}

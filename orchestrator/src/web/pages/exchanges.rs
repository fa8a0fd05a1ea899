//! `/s/KEY/exchanges` and `/s/KEY/exchange?id=…`: what was asked of language models, what they said, and what it cost.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use minijinja::context;
use serde::Deserialize;

use super::{Leaf, ON_A_PAGE, frame, reading, view};
use crate::web::{
    page::PageError,
    site::{Site, answer},
};

/// Which request, or which of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Wanted {
    /// The database's key.
    id: String,
    /// From 1.
    page: String,
}

pub(in crate::web) async fn page(
    State(site): State<Arc<Site>>,
    Path(key): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    answer(&site, exchanges(&site, &key, &wanted).await)
}

pub(in crate::web) async fn one(
    State(site): State<Arc<Site>>,
    Path(key): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    answer(&site, exchange(&site, &key, &wanted.id).await)
}

async fn exchanges(site: &Site, key: &str, wanted: &Wanted) -> Result<Response, PageError> {
    let reading = reading(site, key).await?;
    let (store, id) = (&reading.store, reading.snapshot.search.id);
    let total = store.count_requests(id).await?;
    let leaf = Leaf::of(wanted.page.parse().unwrap_or(1), total, ON_A_PAGE);
    let values = context! {
        title => "Prompts and replies",
        search => frame(key, &reading),
        tab => "exchanges",
        spend => view(&reading.pace.spend),
        rows => view(&store.requests(id, leaf.first..leaf.last).await?),
        leaf => view(&leaf),
    };
    site.pages.page("exchanges.html", values)
}

async fn exchange(site: &Site, key: &str, id: &str) -> Result<Response, PageError> {
    let reading = reading(site, key).await?;
    let missing = || PageError::NotFound(format!("There is no request {id} in this search."));
    let number: i64 = id.parse().map_err(|_| missing())?;
    let search = reading.snapshot.search.id;
    let found = reading.store.exchange(search, number).await?;
    let (entry, whole) = found.ok_or_else(missing)?;
    let values = context! {
        title => format!("Request {number}"),
        search => frame(key, &reading),
        tab => "exchanges",
        entry => view(&entry),
        whole => view(&whole),
    };
    site.pages.page("exchange.html", values)
}

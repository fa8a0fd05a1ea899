//! `/s/KEY/refused`: drafts that never ran, and candidates that failed, each with its reason.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};

use super::{Leaf, ON_A_PAGE, frame, reading, view};
use crate::{
    board::{leaderboard::Row, state::RowState},
    web::{
        page::PageError,
        site::{Site, answer},
    },
};

/// Which.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(in crate::web) struct Wanted {
    /// A state, or nothing for all.
    state: String,
    /// From 1.
    page: String,
}

pub(in crate::web) async fn page(
    State(site): State<Arc<Site>>,
    Path(key): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    answer(&site, refused(&site, &key, &wanted).await)
}

async fn refused(site: &Site, key: &str, wanted: &Wanted) -> Result<Response, PageError> {
    let reading = reading(site, key).await?;
    let is_lost = |row: &&Row| {
        row.state.is_refused() || matches!(row.state, RowState::Failed | RowState::Pruned)
    };
    let all: Vec<&Row> = reading.board.candidates.iter().filter(is_lost).collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for row in &all {
        *counts.entry(row.state.to_string()).or_default() += 1;
    }
    let kept: Vec<&Row> = all
        .iter()
        .filter(|row| wanted.state.is_empty() || row.state.to_string() == wanted.state)
        .copied()
        .collect();
    let leaf = Leaf::of(wanted.page.parse().unwrap_or(1), kept.len(), ON_A_PAGE);
    let rows: Vec<Value> = leaf
        .of_list(&kept)
        .iter()
        .map(|row| {
            let (state, round) = (row.state.to_string(), row.round());
            context! { name => row.name.as_str(), state, round, reason => row.reason.as_deref() }
        })
        .collect();
    let values = context! {
        title => "Refused and failed",
        search => frame(key, &reading),
        tab => "refused",
        total => all.len(),
        counts => view(&counts),
        wanted => view(wanted),
        leaf => view(&leaf),
        rows,
    };
    site.pages.page("refused.html", values)
}

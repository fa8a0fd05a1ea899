//! `/s/KEY/ensembles`: the mixes, and the finalists on Test.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{Path, State},
    response::Response,
};
use minijinja::{Value, context};

use super::{drawn, frame, reading, view};
use crate::web::{
    chart::finalists,
    page::PageError,
    site::{Site, answer},
};

pub(in crate::web) async fn page(
    State(site): State<Arc<Site>>,
    Path(key): Path<String>,
) -> Response {
    answer(&site, ensembles(&site, &key).await)
}

async fn ensembles(site: &Site, key: &str) -> Result<Response, PageError> {
    let reading = reading(site, key).await?;
    let snapshot = &reading.snapshot;
    let names: HashMap<_, &str> = snapshot
        .candidates
        .iter()
        .map(|c| (c.id, c.name.as_str()))
        .collect();
    let mixes: Vec<Value> = snapshot
        .ensembles
        .iter()
        .map(|mix| {
            let members: Vec<Value> = mix
                .members
                .iter()
                .map(|(id, weight)| context! { name => names.get(id).copied(), weight })
                .collect();
            context! { name => mix.name.as_str(), aggregation => view(&mix.aggregation), members }
        })
        .collect();
    let values = context! {
        title => "Finalists",
        search => frame(key, &reading),
        tab => "ensembles",
        mixes,
        tried => view(&reading.board.mixes),
        pairs => view(&reading.board.pairs),
        confirmed => view(&reading.board.confirmed),
        chart => finalists(&reading.board.confirmed).map(drawn),
    };
    site.pages.page("ensembles.html", values)
}

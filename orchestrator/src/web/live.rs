//! Live updates: a page that is open is told, once a second at most, that its search has changed, and fetches itself anew.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Path, State},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream::unfold;

use super::{
    page::PageError,
    site::{Site, answer},
};

/// How often the database is looked at, which costs it next to nothing.
const EVERY: Duration = Duration::from_secs(1);

pub(super) async fn live(State(site): State<Arc<Site>>, Path(key): Path<String>) -> Response {
    if site.shelf.find(&key).is_none() {
        let what = format!("There is no search {key}.");
        return answer(&site, Err(PageError::NotFound(what)));
    }
    let events = unfold(None, move |mut seen| {
        let (site, key) = (Arc::clone(&site), key.clone());
        async move {
            loop {
                let now = match site.shelf.find(&key) {
                    Some((book, _)) => book.version().await.ok(),
                    None => None,
                };
                let first = seen.is_none();
                if now.is_some() && now != seen {
                    seen = now;
                    if !first {
                        // A browser passes on no event without data.
                        let event = Event::default().event("changed").data("search");
                        return Some((Ok::<_, Infallible>(event), seen));
                    }
                }
                tokio::time::sleep(EVERY).await;
            }
        }
    });
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

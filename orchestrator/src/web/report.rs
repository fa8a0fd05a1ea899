//! A search as one page that stands by itself: no script, nothing fetched, the style sheet within.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use minijinja::{Value, context, value::Serde};
use sha2::{Digest as _, Sha256};

use super::{
    highlight::highlighted,
    page::{PageError, Pages},
    pages::search::{self, Wanted},
    shelf::Reading,
    style::STYLE,
};
use crate::store::{Store, StoreError};

/// Rewards whose sources are in the report.
const SOURCES: usize = 5;

/// The report.
///
/// # Errors
/// If the database cannot be read.
pub async fn html_report(store: &Store) -> Result<String, StoreError> {
    let reading = Reading::of(store.clone(), store.is_held(), None).await?;
    let mut sources = Vec::new();
    for row in reading.board.distinct().take(SOURCES) {
        let candidate = store
            .candidate(reading.snapshot.search.id, &row.name)
            .await?;
        let (source, rationale) = (candidate.draft.source, candidate.draft.rationale);
        let source = Value::from_safe_string(highlighted(&source.code, source.language));
        sources.push(context! { name => row.name.as_str(), rationale, source });
    }
    let config: serde_json::Value =
        serde_json::from_str(&reading.snapshot.search.config).unwrap_or_default();
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let values = context! {
        style => Value::from_safe_string(STYLE.to_owned()),
        style_hash => Value::from_safe_string(format!("sha256-{hash}")),
        version => env!("CARGO_PKG_VERSION"),
        confirmed => Value::from(Serde(&reading.board.confirmed)),
        sources,
        config => serde_json::to_string_pretty(&config).expect("it was just read"),
        ..search::values("", &reading, &Wanted::default()).await?
    };
    match Pages::new().text("report.html", values) {
        Ok(text) => Ok(text),
        Err(PageError::Store(error)) => Err(error),
        Err(PageError::NotFound(what)) => Err(StoreError::NotFound(what)),
        Err(PageError::Template(error)) => unreachable!("a test renders the report: {error:#}"),
    }
}

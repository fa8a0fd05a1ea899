//! The pages, one file each: what an address asks for, read and made ready for its template.

pub(super) mod candidate;
pub(super) mod compare;
pub(super) mod ensembles;
pub(super) mod exchanges;
pub(super) mod lineage;
pub(super) mod overview;
pub(super) mod refused;
pub(super) mod search;

use std::sync::Arc;

use minijinja::{Value, context, value::Serde};
use serde::Serialize;

use super::{
    outlook::{outlook, rough},
    page::PageError,
    shelf::Reading,
    site::Site,
};
use crate::text::share;

/// Rows of a long list on one page.
const ON_A_PAGE: usize = 50;

/// The search that an address means.
async fn reading(site: &Site, key: &str) -> Result<Arc<Reading>, PageError> {
    let found = site.shelf.reading(key).await?;
    found.ok_or_else(|| PageError::NotFound(format!("There is no search {key}.")))
}

/// What every page of a search shows of it.
pub(in crate::web) fn frame(key: &str, reading: &Reading) -> Value {
    let board = &reading.board;
    let outlook = outlook(reading);
    context! {
        key,
        name => board.search.as_str(),
        seed => board.seed,
        state => board.state,
        warning => board.warning,
        is_live => board.state != "finished",
        done => outlook.map(|o| format!("{:.0} %", 100.0 * o.done)),
        done_bar => outlook.map(|o| Value::from_safe_string(super::chart::share_bar(o.done))),
        left => outlook.and_then(|o| o.seconds_left).map(rough),
        asks_a_model => reading.pace.spend.requests > 0,
        has_finalists => !board.confirmed.is_empty(),
        refused => board.candidates.iter().filter(|row| row.state.is_refused()).count(),
    }
}

/// A view for a template.
fn view<T: Serialize + ?Sized>(view: &T) -> Value {
    Value::from(Serde(view))
}

/// A drawing for a template.
fn drawn(svg: String) -> Value {
    Value::from_safe_string(svg)
}

/// One page of a long list.
#[derive(Debug, Serialize)]
struct Leaf {
    /// From 1.
    number: usize,
    pages: usize,
    total: usize,
    first: usize,
    last: usize,
}

impl Leaf {
    /// The page of that number, or the nearest there is.
    fn of(wanted: usize, total: usize, on_a_page: usize) -> Self {
        let pages = total.div_ceil(on_a_page).max(1);
        let number = wanted.clamp(1, pages);
        let first = (number - 1) * on_a_page;
        Self {
            number,
            pages,
            total,
            first,
            last: (first + on_a_page).min(total),
        }
    }

    fn of_list<'a, T>(&self, list: &'a [T]) -> &'a [T] {
        &list[self.first..self.last]
    }
}

fn optional_share(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), share)
}

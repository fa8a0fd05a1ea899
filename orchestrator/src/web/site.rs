//! What every page needs.

use axum::response::{IntoResponse as _, Response};

use super::{
    guard::Guard,
    page::{PageError, Pages},
    shelf::Shelf,
};

/// What every page needs.
pub(super) struct Site {
    pub(super) shelf: Shelf,
    pub(super) pages: Pages,
    pub(super) guard: Guard,
}

/// A page, or the page that says why there is none.
pub(super) fn answer(site: &Site, page: Result<Response, PageError>) -> Response {
    page.unwrap_or_else(|error| site.pages.trouble(&error))
        .into_response()
}

//! Rows read as one: SQLite packs them into a JSON array of arrays, for with thousands of rows the handing over of every value by itself,
//! from SQLite's thread to ours, takes several times as long as the reading.
//!
//! Floating-point numbers are packed with 17 digits, by `printf('%!.17g', …)`, for SQLite's own JSON has 15; 17 name every number. Bytes are
//! packed as text.

use serde::Deserialize;
use sqlx::{Sqlite, SqliteExecutor, query::QueryScalar, sqlite::SqliteArguments};

use super::{Store, StoreError};

/// A query for the one text of [`Store::packed`].
pub(super) type PackedQuery<'q> = QueryScalar<'q, Sqlite, String, SqliteArguments>;

impl Store {
    /// The text of all rows of a query of the form `SELECT json_group_array(json_array(…)) FROM …`, in no order.
    pub(super) async fn packed(
        &self,
        executor: impl SqliteExecutor<'_>,
        query: PackedQuery<'_>,
    ) -> Result<String, StoreError> {
        query.fetch_one(executor).await.map_err(|e| self.sql(e))
    }

    /// The rows in a text of [`Store::packed`]: the fields of `T` are the columns, in order.
    pub(super) fn unpacked<'t, T: Deserialize<'t>>(
        &self,
        table: &str,
        text: &'t str,
    ) -> Result<Vec<T>, StoreError> {
        serde_json::from_str(text)
            .map_err(|error| self.unusable(&format!("a row of {table} cannot be read: {error}")))
    }
}

//! Table `proposals`, as it is read by people: requests to a language model one by one.

use std::ops::Range;

use serde::Serialize;
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{SearchId, Store, StoreError, proposals::exchange_from};
use crate::domain::draft::Exchange;

/// One request, without its texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExchangeEntry {
    /// The database's key.
    pub id: i64,
    /// The round it was made for.
    pub round: u32,
    /// Which request of its round.
    pub step: String,
    /// The model asked.
    pub model: String,
    /// HTTP status or what broke, if it failed.
    pub error: Option<String>,
    /// Prompt tokens.
    pub prompt_tokens: Option<i64>,
    /// Completion tokens.
    pub completion_tokens: Option<i64>,
    /// Some of the tokens are guessed from the length of the texts.
    pub is_estimate: bool,
    /// Dollars, if prices are configured.
    pub cost_usd: Option<f64>,
    /// Characters of the reply.
    pub reply_length: i64,
    /// When it was stored, UTC, ISO 8601.
    pub created_at: String,
}

impl Store {
    /// How many requests there are.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn count_requests(&self, search: SearchId) -> Result<usize, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM proposals WHERE search_id = ?")
            .bind(search.0)
            .fetch_one(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// Some of the requests in the order they were made, from 0, without their texts.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn requests(
        &self,
        search: SearchId,
        which: Range<usize>,
    ) -> Result<Vec<ExchangeEntry>, StoreError> {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let rows = sqlx::query(
            "SELECT id, round, step, model, error, prompt_tokens, completion_tokens, is_estimate, cost_usd,
                    length(reply) AS reply_length, created_at
             FROM proposals WHERE search_id = ? ORDER BY id LIMIT ? OFFSET ?",
        )
        .bind(search.0)
        .bind(number(which.len()))
        .bind(number(which.start))
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        Ok(rows.iter().map(entry).collect())
    }

    /// One request with its texts; `None` if the search has none of that key.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn exchange(
        &self,
        search: SearchId,
        id: i64,
    ) -> Result<Option<(ExchangeEntry, Exchange)>, StoreError> {
        let row = sqlx::query(
            "SELECT *, length(reply) AS reply_length FROM proposals WHERE search_id = ? AND id = ?",
        )
        .bind(search.0)
        .bind(id)
        .fetch_optional(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        Ok(row.map(|row| (entry(&row), exchange_from(&row))))
    }
}

fn entry(row: &SqliteRow) -> ExchangeEntry {
    ExchangeEntry {
        id: row.get("id"),
        round: row.get("round"),
        step: row.get("step"),
        model: row.get("model"),
        error: row.get("error"),
        prompt_tokens: row.get("prompt_tokens"),
        completion_tokens: row.get("completion_tokens"),
        is_estimate: row.get::<i64, _>("is_estimate") != 0,
        cost_usd: row.get("cost_usd"),
        reply_length: row.get("reply_length"),
        created_at: row.get("created_at"),
    }
}

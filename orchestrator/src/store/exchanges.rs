//! Table `proposals`, as it is read by people: requests to a language model one by one, and what they cost together.

use serde::Serialize;
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{SearchId, Store, StoreError};
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

/// What language models have cost a search.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spend {
    /// Requests, failed ones included.
    pub requests: i64,
    /// Of these, failed.
    pub failed: i64,
    /// Prompt tokens.
    pub prompt_tokens: i64,
    /// Completion tokens.
    pub completion_tokens: i64,
    /// Some of the tokens are guessed.
    pub is_estimate: bool,
    /// Dollars; absent where no price is configured.
    pub cost_usd: Option<f64>,
}

impl Store {
    /// What language models have cost so far.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn spend(&self, search: SearchId) -> Result<Spend, StoreError> {
        let row = sqlx::query(
            "SELECT count(*) AS requests, count(error) AS failed, coalesce(sum(prompt_tokens), 0) AS prompt_tokens,
                    coalesce(sum(completion_tokens), 0) AS completion_tokens, coalesce(max(is_estimate), 0) AS is_estimate,
                    sum(cost_usd) AS cost_usd
             FROM proposals WHERE search_id = ?",
        )
        .bind(search.0)
        .fetch_one(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        Ok(Spend {
            requests: row.get("requests"),
            failed: row.get("failed"),
            prompt_tokens: row.get("prompt_tokens"),
            completion_tokens: row.get("completion_tokens"),
            is_estimate: row.get::<i64, _>("is_estimate") != 0,
            cost_usd: row.get("cost_usd"),
        })
    }

    /// All requests in the order they were made, without their texts.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn exchanges(&self, search: SearchId) -> Result<Vec<ExchangeEntry>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, round, step, model, error, prompt_tokens, completion_tokens, is_estimate, cost_usd,
                    length(reply) AS reply_length, created_at
             FROM proposals WHERE search_id = ? ORDER BY id",
        )
        .bind(search.0)
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
        Ok(row.map(|row| (entry(&row), whole(&row))))
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

fn whole(row: &SqliteRow) -> Exchange {
    let tokens = |column: &str| row.get::<Option<i64>, _>(column).map(i64::cast_unsigned);
    Exchange {
        step: row.get("step"),
        model: row.get("model"),
        prompt: row.get("prompt"),
        reply: row.get("reply"),
        reasoning: row.get("reasoning"),
        instead: row.get("instead"),
        stopped_because: row.get("stopped_because"),
        answered_by: row.get("answered_by"),
        error: row.get("error"),
        prompt_tokens: tokens("prompt_tokens"),
        completion_tokens: tokens("completion_tokens"),
        is_estimate: row.get::<i64, _>("is_estimate") != 0,
        cost_usd: row.get("cost_usd"),
    }
}

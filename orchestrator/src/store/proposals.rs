//! Table `proposals`: every exchange with a language model, whole; and the transaction that turns a proposal into candidates and trials.

use sqlx::{Row as _, sqlite::SqliteRow};

use super::{SearchId, Store, StoreError, candidates::insert_candidate, trials::insert_trial};
use crate::domain::{
    candidate::{CandidateId, NewCandidate, Origin},
    draft::Exchange,
    spending::Spending,
    trial::NewTrial,
};

/// A query for exchanges.
macro_rules! exchanges {
    ($which:literal) => {
        concat!(
            "SELECT round, step, model, prompt, reply, reasoning, instead, stopped_because, answered_by, error,
                    prompt_tokens, completion_tokens, is_estimate, cost_usd
             FROM proposals WHERE search_id = ? ",
            $which
        )
    };
}

/// A row of such a query.
pub(super) fn exchange_from(row: &SqliteRow) -> Exchange {
    let count = |column| row.get::<Option<i64>, _>(column).map(i64::unsigned_abs);
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
        prompt_tokens: count("prompt_tokens"),
        completion_tokens: count("completion_tokens"),
        is_estimate: row.get("is_estimate"),
        cost_usd: row.get("cost_usd"),
    }
}

/// What a round brought, judged and ready to be stored.
#[derive(Clone, Copy)]
pub struct Proposed<'a> {
    /// The round; 0 for the base rewards.
    pub round: u32,
    /// The drafts, judged.
    pub candidates: &'a [NewCandidate],
    /// The first trial of an accepted one.
    pub first_trial: &'a (dyn Fn(CandidateId) -> NewTrial + Send + Sync),
}

impl Store {
    /// Stores a round's proposal in one transaction: the candidates and a waiting trial for each accepted one.
    /// After it a restart takes over where this process stopped.
    ///
    /// # Errors
    /// If SQLite fails; then nothing of it is stored.
    pub async fn record_round(
        &self,
        search: SearchId,
        proposed: Proposed<'_>,
    ) -> Result<(), StoreError> {
        let Proposed {
            round,
            candidates,
            first_trial,
        } = proposed;
        let sql = |e| self.sql(e);
        let mut transaction = self.pool.begin().await.map_err(sql)?;
        sqlx::query("INSERT INTO rounds (search_id, round) VALUES (?, ?)")
            .bind(search.0)
            .bind(round)
            .execute(&mut *transaction)
            .await
            .map_err(sql)?;
        for candidate in candidates {
            let id = insert_candidate(&mut transaction, search, candidate)
                .await
                .map_err(sql)?;
            if candidate.status.is_accepted() && candidate.origin != Origin::Base {
                insert_trial(&mut transaction, search, &first_trial(id))
                    .await
                    .map_err(sql)?;
            }
        }
        transaction.commit().await.map_err(sql)
    }

    /// Stores exchanges, before anything else happens to what they brought.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn record_exchanges(
        &self,
        search: SearchId,
        round: u32,
        exchanges: &[Exchange],
    ) -> Result<(), StoreError> {
        let sql = |e| self.sql(e);
        let mut transaction = self.pool.begin().await.map_err(sql)?;
        for exchange in exchanges {
            insert_exchange(&mut transaction, search, round, exchange)
                .await
                .map_err(sql)?;
        }
        transaction.commit().await.map_err(sql)
    }

    /// The reply that a step of a round has been given already, if it was: it is never asked for again.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn answered(
        &self,
        search: SearchId,
        round: u32,
        step: &str,
    ) -> Result<Option<Exchange>, StoreError> {
        let row = sqlx::query(exchanges!(
            "AND round = ? AND step = ? AND error IS NULL ORDER BY id DESC LIMIT 1"
        ))
        .bind(search.0)
        .bind(round)
        .bind(step)
        .fetch_optional(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        Ok(row.as_ref().map(exchange_from))
    }

    /// Every exchange of a search in the order they were made, each with its round.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn whole_exchanges(
        &self,
        search: SearchId,
    ) -> Result<Vec<(u32, Exchange)>, StoreError> {
        let rows = sqlx::query(exchanges!("ORDER BY id"))
            .bind(search.0)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        Ok(rows
            .iter()
            .map(|row| (row.get("round"), exchange_from(row)))
            .collect())
    }

    /// What language models have cost so far.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn spending(&self, search: SearchId) -> Result<Spending, StoreError> {
        let row = sqlx::query(
            "SELECT count(*) AS requests, count(error) AS failed, coalesce(sum(is_estimate), 0) AS estimated,
                    coalesce(sum(prompt_tokens), 0) AS prompt, coalesce(sum(completion_tokens), 0) AS completion,
                    coalesce(sum(cost_usd), 0.0) AS cost
             FROM proposals WHERE search_id = ?",
        )
        .bind(search.0)
        .fetch_one(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        let count = |column| row.get::<i64, _>(column).unsigned_abs();
        Ok(Spending {
            requests: count("requests"),
            failed: count("failed"),
            estimated: count("estimated"),
            prompt_tokens: count("prompt"),
            completion_tokens: count("completion"),
            cost_usd: row.get("cost"),
        })
    }
}

async fn insert_exchange(
    connection: &mut sqlx::SqliteConnection,
    search: SearchId,
    round: u32,
    exchange: &Exchange,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO proposals (search_id, round, step, model, prompt, reply, reasoning, instead, stopped_because, answered_by, error,
                                prompt_tokens, completion_tokens, is_estimate, cost_usd)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(search.0)
    .bind(round)
    .bind(&exchange.step)
    .bind(&exchange.model)
    .bind(&exchange.prompt)
    .bind(&exchange.reply)
    .bind(&exchange.reasoning)
    .bind(&exchange.instead)
    .bind(&exchange.stopped_because)
    .bind(&exchange.answered_by)
    .bind(&exchange.error)
    .bind(exchange.prompt_tokens.map(u64::cast_signed))
    .bind(exchange.completion_tokens.map(u64::cast_signed))
    .bind(exchange.is_estimate)
    .bind(exchange.cost_usd)
    .execute(connection)
    .await?;
    Ok(())
}

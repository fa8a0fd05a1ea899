//! Table `verdicts`: what a judging model said, so that the same question is not asked twice and gets the same verdict.

use sqlx::Row as _;

use super::{Store, StoreError, words::Word as _};
use crate::domain::verdict::{Opinion, Spent};

/// SHA-256 of everything that decides what the model says.
pub type VerdictKey = [u8; 32];

/// What a model said.
#[derive(Debug, Clone, PartialEq)]
pub struct CachedVerdict {
    /// The way it was asked.
    pub kind: String,
    /// The model.
    pub model: String,
    /// How its reply was read.
    pub opinion: Opinion,
    /// The reply.
    pub reply: String,
    /// Dollars, as far as prices are configured; retries included.
    pub cost_usd: f64,
}

impl Store {
    /// What was said to this question, if it was asked.
    ///
    /// # Errors
    /// If SQLite fails or the row cannot be read.
    pub async fn verdict(&self, key: &VerdictKey) -> Result<Option<CachedVerdict>, StoreError> {
        let row =
            sqlx::query("SELECT kind, model, opinion, reply, cost_usd FROM verdicts WHERE key = ?")
                .bind(&key[..])
                .fetch_optional(&self.pool)
                .await
                .map_err(|e| self.sql(e))?;
        row.map(|row| {
            Ok(CachedVerdict {
                kind: row.get("kind"),
                model: row.get("model"),
                opinion: self.read_word(&row)?,
                reply: row.get("reply"),
                cost_usd: row.get("cost_usd"),
            })
        })
        .transpose()
    }

    /// Stores what was said, unless an answer to the same question is stored already; returns the one that stands.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn remember_verdict(
        &self,
        key: &VerdictKey,
        verdict: &CachedVerdict,
    ) -> Result<CachedVerdict, StoreError> {
        sqlx::query(
            "INSERT INTO verdicts (key, kind, model, opinion, reply, cost_usd) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT DO NOTHING",
        )
        .bind(&key[..])
        .bind(&verdict.kind)
        .bind(&verdict.model)
        .bind(verdict.opinion.word())
        .bind(&verdict.reply)
        .bind(verdict.cost_usd)
        .execute(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        let stands = self.verdict(key).await?;
        stands.ok_or_else(|| self.unusable("a verdict just stored is not there"))
    }

    /// What the stored verdicts of a model, asked in this way, have cost.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn verdicts_spent(&self, kind: &str, model: &str) -> Result<Spent, StoreError> {
        let row = sqlx::query(
            "SELECT count(*) AS requests, coalesce(sum(cost_usd), 0.0) AS cost_usd FROM verdicts WHERE kind = ? AND model = ?",
        )
        .bind(kind)
        .bind(model)
        .fetch_one(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        Ok(Spent {
            requests: row.get::<i64, _>("requests").unsigned_abs(),
            cost_usd: row.get("cost_usd"),
        })
    }
}

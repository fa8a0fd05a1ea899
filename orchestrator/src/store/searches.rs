//! Table `searches`: what was asked for, and why it ended.

use sqlx::{Row as _, SqliteExecutor};

use super::{SearchId, Store, StoreError};
use crate::domain::difference::first_difference;

/// A stored search.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRecord {
    /// Its key.
    pub id: SearchId,
    /// The name its configuration gave it.
    pub name: String,
    /// The resolved configuration, JSON.
    pub config: String,
    /// Digest of the base model's weights.
    pub base_model: String,
    /// The seed all draws descend from.
    pub seed: u64,
    /// JSON of the stop reason once screening is over.
    pub stop_reason: Option<String>,
    /// Whether the finalists are confirmed.
    pub finished: bool,
}

/// Whether a search was found or made.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// It was not there before.
    New(SearchRecord),
    /// It was, unfinished or not.
    Continued(SearchRecord),
}

impl Store {
    /// Starts a search, or continues the one with the same configuration. `base_model` is a digest of what its trials start from.
    ///
    /// # Errors
    /// [`StoreError::OtherConfig`] if the file holds a search of another configuration or base model.
    pub async fn begin(
        &self,
        name: &str,
        config: &serde_json::Value,
        base_model: &str,
        seed: u64,
    ) -> Result<Begun, StoreError> {
        if let Some(stored) = self.latest(&self.pool).await? {
            let before: serde_json::Value = serde_json::from_str(&stored.config)
                .map_err(|error| self.unusable(&format!("the stored configuration: {error}")))?;
            // Through text and back, as the stored one went, so that both are rounded alike.
            let config: serde_json::Value =
                serde_json::from_str(&config.to_string()).unwrap_or_default();
            let other_base = || {
                let known = !stored.base_model.is_empty() && stored.base_model != base_model;
                known.then(|| "the weights of the base model have changed".to_owned())
            };
            return match first_difference(&before, &config).or_else(other_base) {
                None => Ok(Begun::Continued(stored)),
                Some(difference) => Err(StoreError::OtherConfig {
                    path: self.path.clone(),
                    difference,
                }),
            };
        }
        sqlx::query("INSERT INTO searches (name, config, base_model, seed) VALUES (?, ?, ?, ?)")
            .bind(name)
            .bind(config.to_string())
            .bind(base_model)
            .bind(seed.cast_signed())
            .execute(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        Ok(Begun::New(self.search().await?))
    }

    /// The search in this file.
    ///
    /// # Errors
    /// [`StoreError::Empty`] if there is none.
    pub async fn search(&self) -> Result<SearchRecord, StoreError> {
        self.search_in(&self.pool).await
    }

    pub(super) async fn search_in(
        &self,
        executor: impl SqliteExecutor<'_>,
    ) -> Result<SearchRecord, StoreError> {
        let latest = self.latest(executor).await?;
        latest.ok_or_else(|| StoreError::Empty(self.path.clone()))
    }

    async fn latest(
        &self,
        executor: impl SqliteExecutor<'_>,
    ) -> Result<Option<SearchRecord>, StoreError> {
        let row = sqlx::query(
            "SELECT id, name, config, base_model, seed, stop_reason, finished_at IS NOT NULL AS finished
             FROM searches ORDER BY id DESC LIMIT 1",
        )
        .fetch_optional(executor)
        .await
        .map_err(|e| self.sql(e))?;
        Ok(row.map(|row| SearchRecord {
            id: SearchId(row.get("id")),
            name: row.get("name"),
            config: row.get("config"),
            base_model: row.get("base_model"),
            seed: row.get::<i64, _>("seed").cast_unsigned(),
            stop_reason: row.get("stop_reason"),
            finished: row.get("finished"),
        }))
    }

    /// Records that no further round will follow, and why.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn stop_rounds(&self, search: SearchId, reason: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE searches SET stop_reason = ? WHERE id = ?")
            .bind(reason)
            .bind(search.0)
            .execute(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        Ok(())
    }

    /// Records that the finalists are confirmed.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn finish(&self, search: SearchId) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE searches SET finished_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = ?",
        )
        .bind(search.0)
        .execute(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        Ok(())
    }
}

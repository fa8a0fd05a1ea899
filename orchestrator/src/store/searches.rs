//! Table `searches`: what was asked for, and why it ended.

use std::path::{Path, PathBuf};

use sqlx::{Row as _, SqliteExecutor};

use super::{SearchId, Store, StoreError, changes::insert_change};
use crate::domain::{
    change::may_change,
    difference::{Difference, differences},
    protocol::Protocol,
};

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
    /// The database whose rounds it takes over.
    pub begun_from: Option<PathBuf>,
}

impl SearchRecord {
    /// How it selects and reports; the usual way where its configuration says nothing that this program knows.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        let named = self.setting("protocol");
        named
            .and_then(|named| serde_json::from_value(named).ok())
            .unwrap_or_default()
    }

    /// Whether candidates are trained on the base rewards, too.
    #[must_use]
    pub fn adds_base_rewards(&self) -> bool {
        self.setting("with_base_rewards") == Some(true.into())
    }

    /// A setting of `[search]`.
    fn setting(&self, name: &str) -> Option<serde_json::Value> {
        let config: serde_json::Value = serde_json::from_str(&self.config).ok()?;
        Some(config.get("search")?.get(name)?.clone())
    }
}

/// The setting that counts until the first round is there.
const SEEDS: &str = "search.seed_rewards";
/// Differences that are listed by name.
const LISTED: usize = 4;

/// A difference with what there is to know about it.
fn told(difference: &Difference) -> String {
    match &*difference.setting {
        SEEDS => format!("{difference} (seed rewards enter the first round, and that is proposed)"),
        _ => difference.to_string(),
    }
}

fn listed(differences: &[String]) -> String {
    let (shown, more) = differences.split_at(differences.len().min(LISTED));
    match more.len() {
        0 => shown.join("; "),
        more => format!("{}; and {more} more", shown.join("; ")),
    }
}

/// Whether a search was found or made.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// It was not there before.
    New(SearchRecord),
    /// It was, unfinished or not.
    Continued(SearchRecord),
    /// It was, with other values of these settings.
    Changed(SearchRecord, Vec<Difference>),
}

impl Store {
    /// Starts a search, or continues the one that is there. `base_model` is a digest of what its trials start from. Settings that decide no
    /// figure may have changed since: then the change is kept with its time, and a search that had ended is open again.
    ///
    /// # Errors
    /// [`StoreError::OtherConfig`] if the file holds a search whose figures cannot be compared with those of this configuration.
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
            let seeds_are_in = self.round_is_proposed(stored.id, 1).await?;
            let (changed, decisive): (Vec<Difference>, Vec<Difference>) =
                differences(&before, &config)
                    .into_iter()
                    .partition(|d| may_change(&d.setting) && !(seeds_are_in && d.setting == SEEDS));
            let mut decisive: Vec<String> = decisive.iter().map(told).collect();
            if !stored.base_model.is_empty() && stored.base_model != base_model {
                decisive.push("the weights of the base model have changed".to_owned());
            }
            if !decisive.is_empty() {
                return Err(StoreError::OtherConfig {
                    path: self.path.clone(),
                    difference: listed(&decisive),
                });
            }
            if changed.is_empty() {
                return Ok(Begun::Continued(stored));
            }
            self.change(stored.id, name, &config, &changed).await?;
            return Ok(Begun::Changed(self.search().await?, changed));
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

    /// Keeps what was changed, and opens the search again.
    async fn change(
        &self,
        search: SearchId,
        name: &str,
        config: &serde_json::Value,
        changed: &[Difference],
    ) -> Result<(), StoreError> {
        let sql = |e| self.sql(e);
        let mut transaction = self.pool.begin().await.map_err(sql)?;
        for change in changed {
            insert_change(&mut transaction, search, change)
                .await
                .map_err(sql)?;
        }
        sqlx::query(
            "UPDATE searches SET name = ?, config = ?, stop_reason = NULL, finished_at = NULL WHERE id = ?",
        )
        .bind(name)
        .bind(config.to_string())
        .bind(search.0)
        .execute(&mut *transaction)
        .await
        .map_err(sql)?;
        transaction.commit().await.map_err(sql)
    }

    /// Keeps the database whose rounds the search takes over.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn begin_from(&self, search: SearchId, earlier: &Path) -> Result<(), StoreError> {
        sqlx::query("UPDATE searches SET begun_from = ? WHERE id = ?")
            .bind(earlier.display().to_string())
            .bind(search.0)
            .execute(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        Ok(())
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
            "SELECT id, name, config, base_model, seed, stop_reason, finished_at IS NOT NULL AS finished, begun_from
             FROM searches WHERE ?1 IS NULL OR id = ?1 ORDER BY id DESC LIMIT 1",
        )
        .bind(self.chosen.map(|id| id.0))
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
            begun_from: row
                .get::<Option<String>, _>("begun_from")
                .map(PathBuf::from),
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

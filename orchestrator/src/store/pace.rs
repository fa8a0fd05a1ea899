//! Table `trials`, as far as it tells how long things take, and what descends from a candidate.

use sqlx::Row as _;

use super::{SearchId, Store, StoreError};

/// How long the complete trials of a stage took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TrialTimes {
    /// Optimiser steps done in them.
    pub steps: i64,
    /// Seconds from start to end, judging included, added up.
    pub seconds: f64,
}

impl Store {
    /// How long the complete trials of a search took.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn trial_times(&self, search: SearchId) -> Result<TrialTimes, StoreError> {
        let row = sqlx::query(
            "SELECT coalesce(sum(steps), 0) AS steps, coalesce(sum(seconds), 0.0) AS seconds
             FROM trials WHERE search_id = ? AND state = 'complete'",
        )
        .bind(search.0)
        .fetch_one(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        Ok(TrialTimes {
            steps: row.get("steps"),
            seconds: row.get("seconds"),
        })
    }

    /// The names of the candidates that were made from the one called `name`, in the order they were proposed.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn children(&self, search: SearchId, name: &str) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(
            "SELECT name FROM candidates
             WHERE search_id = ?1 AND ?2 IN (SELECT value FROM json_each(parents)) ORDER BY id",
        )
        .bind(search.0)
        .bind(name)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.sql(e))
    }

    /// Which candidate was made from which: the names of a parent and of its child, in the order they were proposed. Refused ones are left
    /// out, and parents that are no candidates.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn descents(&self, search: SearchId) -> Result<Vec<(String, String)>, StoreError> {
        let rows = sqlx::query(
            "SELECT parent.name AS parent, child.name AS child
             FROM candidates child, json_each(child.parents) named
             JOIN candidates parent ON parent.search_id = child.search_id AND parent.name = named.value
             WHERE child.search_id = ? AND child.status = 'accepted' AND parent.id <> child.id ORDER BY child.id, named.key",
        )
        .bind(search.0)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        let descent = |row: &sqlx::sqlite::SqliteRow| (row.get("parent"), row.get("child"));
        Ok(rows.iter().map(descent).collect())
    }
}

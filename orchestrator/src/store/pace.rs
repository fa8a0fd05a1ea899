//! Table `trials`, as far as it tells how long things take, and what descends from a candidate.

use std::collections::HashSet;

use serde::Deserialize;
use sqlx::Row as _;

use super::{SearchId, Store, StoreError};

/// A candidate with the names of what it was made from.
#[derive(Deserialize)]
struct Descent {
    id: i64,
    name: String,
    is_accepted: u8,
    parents: Vec<String>,
}

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
        let query = sqlx::query_scalar(
            "SELECT json_group_array(json_array(id, name, status = 'accepted', json(parents))) FROM candidates WHERE search_id = ?",
        );
        let text = self.packed(&self.pool, query.bind(search.0)).await?;
        let mut rows: Vec<Descent> = self.unpacked("candidates", &text)?;
        rows.sort_by_key(|row| row.id);
        let names: HashSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        let accepted = rows.iter().filter(|row| row.is_accepted != 0);
        let pairs =
            accepted.flat_map(|row| row.parents.iter().map(move |parent| (parent, &row.name)));
        let known = pairs.filter(|(parent, child)| parent != child && names.contains(&***parent));
        Ok(known
            .map(|(parent, child)| (parent.clone(), child.clone()))
            .collect())
    }
}

//! What readers ask of a file before they read a search in it: which searches it holds, whether a process writes to it, and whether
//! anything has changed since they last looked.

use std::fs::{File, TryLockError};

use sqlx::Row as _;

use super::{SearchId, Store, StoreError};
use crate::text::nearest;

/// One of the searches of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchEntry {
    /// Its key; the first search of a file has the lowest.
    pub id: SearchId,
    /// The name its configuration gave it.
    pub name: String,
    /// When it was begun, UTC, ISO 8601.
    pub created_at: String,
    /// When its finalists were confirmed, likewise.
    pub finished_at: Option<String>,
}

impl Store {
    /// The searches of the file, in the order they were begun.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn searches(&self) -> Result<Vec<SearchEntry>, StoreError> {
        let rows =
            sqlx::query("SELECT id, name, created_at, finished_at FROM searches ORDER BY id")
                .fetch_all(&self.pool)
                .await
                .map_err(|e| self.sql(e))?;
        let entry = |row: &sqlx::sqlite::SqliteRow| SearchEntry {
            id: SearchId(row.get("id")),
            name: row.get("name"),
            created_at: row.get("created_at"),
            finished_at: row.get("finished_at"),
        };
        Ok(rows.iter().map(entry).collect())
    }

    /// The same file, of which this search is read instead of the latest.
    #[must_use]
    pub fn of_search(&self, search: SearchId) -> Self {
        Self {
            chosen: Some(search),
            ..self.clone()
        }
    }

    /// The same file, of which the search is read that is called so or has this number. Of several of one name the latest is meant.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], naming what there is; else if SQLite fails.
    pub async fn choose(&self, wanted: &str) -> Result<Self, StoreError> {
        let all = self.searches().await?;
        let named = all.iter().rev().find(|entry| entry.name == wanted);
        let numbered = || all.iter().find(|entry| entry.id.0.to_string() == wanted);
        if let Some(found) = named.or_else(numbered) {
            return Ok(self.of_search(found.id));
        }
        let hint = nearest::hint(wanted, all.iter().map(|entry| entry.name.as_str()));
        Err(StoreError::NotFound(format!(
            "{} holds no search `{wanted}`.{hint} `reward-search searches` lists those there are",
            self.path.display()
        )))
    }

    /// A number that is another one after any other connection has changed the file.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn version(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar("PRAGMA data_version")
            .fetch_one(&self.pool)
            .await
            .map_err(|e| self.sql(e))
    }

    /// Whether a process holds the file for writing: a search that is marked as running there really runs.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".lock");
        let Ok(file) = File::open(name) else {
            return false;
        };
        // Shared, so that readers do not take one another for a writer; given back at once.
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

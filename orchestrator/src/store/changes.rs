//! Table `changes`: the settings that were changed between two sittings of a search.

use sqlx::{Row as _, SqliteConnection, SqliteExecutor};

use super::{SearchId, Store, StoreError};
use crate::domain::{change::Change, difference::Difference};

impl Store {
    /// What was changed, in order.
    ///
    /// # Errors
    /// [`StoreError::Sql`], or [`StoreError::Unknown`] if a value is no JSON.
    pub async fn changes(&self, search: SearchId) -> Result<Vec<Change>, StoreError> {
        self.changes_in(&self.pool, search).await
    }

    pub(super) async fn changes_in(
        &self,
        executor: impl SqliteExecutor<'_>,
        search: SearchId,
    ) -> Result<Vec<Change>, StoreError> {
        let rows = sqlx::query(
            "SELECT setting, before, after, after_round, created_at FROM changes WHERE search_id = ? ORDER BY id",
        )
        .bind(search.0)
        .fetch_all(executor)
        .await
        .map_err(|e| self.sql(e))?;
        rows.iter()
            .map(|row| {
                Ok(Change {
                    setting: row.get("setting"),
                    before: self.read_json(row, "changes.before")?,
                    after: self.read_json(row, "changes.after")?,
                    after_round: row.get("after_round"),
                    at: row.get("created_at"),
                })
            })
            .collect()
    }
}

pub(super) async fn insert_change(
    connection: &mut SqliteConnection,
    search: SearchId,
    change: &Difference,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO changes (search_id, setting, before, after, after_round)
         VALUES (?, ?, ?, ?, (SELECT ifnull(max(round), 0) FROM rounds WHERE search_id = ? AND finished_at IS NOT NULL))",
    )
    .bind(search.0)
    .bind(&change.setting)
    .bind(change.before.to_string())
    .bind(change.after.to_string())
    .bind(search.0)
    .execute(connection)
    .await?;
    Ok(())
}

//! Table `rounds`: which rounds were begun and which are ranked.

use super::{SearchId, Store, StoreError};

impl Store {
    /// Whether the round's proposals are stored (then they are never asked for again).
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn round_is_proposed(
        &self,
        search: SearchId,
        round: u32,
    ) -> Result<bool, StoreError> {
        sqlx::query_scalar("SELECT count(*) > 0 FROM rounds WHERE search_id = ? AND round = ?")
            .bind(search.0)
            .bind(round)
            .fetch_one(&self.pool)
            .await
            .map_err(|e| self.sql(e))
    }

    /// Marks a round as ranked.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn finish_round(&self, search: SearchId, round: u32) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE rounds SET finished_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
             WHERE search_id = ? AND round = ? AND finished_at IS NULL",
        )
        .bind(search.0)
        .bind(round)
        .execute(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        Ok(())
    }

    /// The last ranked round; `None` if not even the reference rows (round 0) are done.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn last_finished_round(&self, search: SearchId) -> Result<Option<u32>, StoreError> {
        sqlx::query_scalar(
            "SELECT max(round) FROM rounds WHERE search_id = ? AND finished_at IS NOT NULL",
        )
        .bind(search.0)
        .fetch_one(&self.pool)
        .await
        .map_err(|e| self.sql(e))
    }
}

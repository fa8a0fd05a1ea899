//! Table `pools`: what the untouched policy wrote before the first round, on which candidates are probed.

use super::{SearchId, Store, StoreError};
use crate::domain::pool::Pool;

impl Store {
    /// The pool of a search, if it was sampled.
    ///
    /// # Errors
    /// If SQLite fails or the stored text is no pool.
    pub async fn pool(&self, search: SearchId) -> Result<Option<Pool>, StoreError> {
        let text: Option<String> = sqlx::query_scalar("SELECT pool FROM pools WHERE search_id = ?")
            .bind(search.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| self.unusable(&format!("the stored pool: {error}")))
    }

    /// Keeps the pool of a search; it is sampled once.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn keep_pool(&self, search: SearchId, pool: &Pool) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO pools (search_id, pool) VALUES (?, ?)")
            .bind(search.0)
            .bind(serde_json::to_string(pool).expect("a pool is plain data"))
            .execute(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        Ok(())
    }
}

//! Tables `traces` and `attacks`: what finished trainings leave behind by which a hacked reward is told.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use sqlx::{Row as _, SqliteExecutor, sqlite::SqliteRow};

use super::{SearchId, Store, StoreError, words::json};
use crate::domain::{
    traces::{Attack, Traces},
    trial::TrialId,
};

impl Store {
    /// Keeps what a finished trial leaves behind; what is kept already stays as it is.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn keep_traces(&self, trial: TrialId, traces: &Traces) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO traces (trial_id, traces) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(trial.0)
            .bind(json(traces))
            .execute(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        Ok(())
    }

    /// Keeps how the members of a confirmed arm pay what its policies write.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn keep_attacks(&self, trial: TrialId, attacks: &[Attack]) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO attacks (trial_id, attacks) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(trial.0)
            .bind(json(&attacks))
            .execute(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        Ok(())
    }

    pub(super) async fn traces_in(
        &self,
        executor: impl SqliteExecutor<'_>,
        search: SearchId,
    ) -> Result<HashMap<TrialId, Traces>, StoreError> {
        let rows = sqlx::query(
            "SELECT x.trial_id, x.traces FROM traces x JOIN trials t ON t.id = x.trial_id WHERE t.search_id = ?",
        )
        .bind(search.0)
        .fetch_all(executor)
        .await
        .map_err(|e| self.sql(e))?;
        self.by_trial(&rows, "traces.traces")
    }

    pub(super) async fn attacks_in(
        &self,
        executor: impl SqliteExecutor<'_>,
        search: SearchId,
    ) -> Result<HashMap<TrialId, Vec<Attack>>, StoreError> {
        let rows = sqlx::query(
            "SELECT x.trial_id, x.attacks FROM attacks x JOIN trials t ON t.id = x.trial_id WHERE t.search_id = ?",
        )
        .bind(search.0)
        .fetch_all(executor)
        .await
        .map_err(|e| self.sql(e))?;
        self.by_trial(&rows, "attacks.attacks")
    }

    fn by_trial<T: DeserializeOwned>(
        &self,
        rows: &[SqliteRow],
        column: &'static str,
    ) -> Result<HashMap<TrialId, T>, StoreError> {
        rows.iter()
            .map(|row| Ok((TrialId(row.get("trial_id")), self.read_json(row, column)?)))
            .collect()
    }
}

//! Tables `traces` and `attacks`: what finished trainings leave behind by which a hacked reward is told.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use sqlx::{Row as _, SqliteExecutor, sqlite::SqliteRow};

use super::{SearchId, Store, StoreError, snapshot::Extent, trials::ids, words::json};
use crate::domain::{
    traces::{Attack, Traces},
    trial::TrialId,
};

/// A query for the traces of a search's trials.
macro_rules! traces {
    ($which:literal) => {
        concat!(
            "SELECT x.trial_id, x.traces FROM trials t JOIN traces x ON x.trial_id = t.id WHERE t.search_id = ? ",
            $which
        )
    };
}

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

    /// What those of the trials leave behind that are audited.
    ///
    /// # Errors
    /// [`StoreError::Sql`], or [`StoreError::Unknown`] if it is not what this program writes.
    pub async fn traces(&self, trials: &[TrialId]) -> Result<HashMap<TrialId, Traces>, StoreError> {
        let rows = sqlx::query(
            "SELECT trial_id, traces FROM traces WHERE trial_id IN (SELECT value FROM json_each(?))",
        )
        .bind(ids(trials))
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        self.by_trial(&rows, "traces.traces")
    }

    pub(super) async fn traces_in(
        &self,
        executor: impl SqliteExecutor<'_>,
        search: SearchId,
        extent: Extent<'_>,
    ) -> Result<HashMap<TrialId, Traces>, StoreError> {
        let query = match extent {
            Extent::Whole => traces!(""),
            Extent::Outcomes => traces!(
                "AND (t.stage = 'confirm' OR t.arm <> 'candidate' OR t.candidate_id IN (SELECT candidate_id FROM controls))"
            ),
            Extent::Of(_) => return Ok(HashMap::new()),
        };
        let rows = sqlx::query(query)
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

//! Table `events`: the metrics of every optimiser step, append-only.

use std::collections::HashMap;

use sqlx::Row as _;
use trainer_bridge::StepMetrics;

use super::{SearchId, Store, StoreError};
use crate::domain::trial::TrialId;

impl Store {
    /// Stores a step's metrics and the trial's progress.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn record_step(
        &self,
        trial: TrialId,
        metrics: &StepMetrics,
    ) -> Result<(), StoreError> {
        let sql = |e| self.sql(e);
        let json = serde_json::to_string(metrics).expect("metrics are plain numbers");
        let mut transaction = self.pool.begin().await.map_err(sql)?;
        sqlx::query("INSERT INTO events (trial_id, step, metrics) VALUES (?, ?, ?)")
            .bind(trial.0)
            .bind(metrics.step)
            .bind(json)
            .execute(&mut *transaction)
            .await
            .map_err(sql)?;
        sqlx::query("UPDATE trials SET step = ? WHERE id = ?")
            .bind(metrics.step)
            .bind(trial.0)
            .execute(&mut *transaction)
            .await
            .map_err(sql)?;
        transaction.commit().await.map_err(sql)
    }

    /// The learning curve of one trial, in step order; empty if it has none.
    ///
    /// # Errors
    /// [`StoreError::Sql`], or [`StoreError::Unknown`] if a step is not what this program writes.
    pub async fn curve(&self, trial: TrialId) -> Result<Vec<StepMetrics>, StoreError> {
        let rows = sqlx::query("SELECT metrics FROM events WHERE trial_id = ? ORDER BY step")
            .bind(trial.0)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        rows.iter()
            .map(|row| self.read_json(row, "events.metrics"))
            .collect()
    }

    /// The learning curve of every trial of a search, in step order.
    ///
    /// # Errors
    /// As [`Store::curve`].
    pub async fn curves(
        &self,
        search: SearchId,
    ) -> Result<HashMap<TrialId, Vec<StepMetrics>>, StoreError> {
        let rows = sqlx::query(
            "SELECT e.trial_id, e.metrics FROM events e JOIN trials t ON t.id = e.trial_id
             WHERE t.search_id = ? ORDER BY e.trial_id, e.step",
        )
        .bind(search.0)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        let mut curves: HashMap<TrialId, Vec<StepMetrics>> = HashMap::new();
        for row in &rows {
            let metrics = self.read_json(row, "events.metrics")?;
            curves
                .entry(TrialId(row.get("trial_id")))
                .or_default()
                .push(metrics);
        }
        Ok(curves)
    }
}

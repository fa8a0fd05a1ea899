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

    /// The learning curve of every trial of a search, in step order.
    ///
    /// # Errors
    /// If SQLite fails.
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
        for row in rows {
            let metrics = serde_json::from_str(row.get("metrics"))
                .map_err(|e| self.unusable(&format!("metrics of a step: {e}")))?;
            curves
                .entry(TrialId(row.get("trial_id")))
                .or_default()
                .push(metrics);
        }
        Ok(curves)
    }
}

//! Table `events`: the metrics of every optimiser step, append-only.

use std::collections::HashMap;

use sqlx::{Row as _, sqlite::SqliteRow};
use trainer_bridge::StepMetrics;

use super::{SearchId, Store, StoreError, trials::ids};
use crate::domain::trial::TrialId;

/// A query for the steps of trials, those of the trials they went on from included.
macro_rules! curves {
    ($which:literal) => {
        concat!(
            "WITH RECURSIVE line (trial, source) AS (
                 SELECT id, id FROM trials WHERE ",
            $which,
            "    UNION ALL
                 SELECT line.trial, t.from_trial FROM line JOIN trials t ON t.id = line.source WHERE t.from_trial IS NOT NULL)
             SELECT line.trial AS trial, e.metrics AS metrics FROM line JOIN events e ON e.trial_id = line.source
             ORDER BY line.trial, e.step, line.source DESC"
        )
    };
}

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

    /// The learning curve of one trial, in step order, with the steps of the trial it went on from; empty if it has none.
    ///
    /// # Errors
    /// [`StoreError::Sql`], or [`StoreError::Unknown`] if a step is not what this program writes.
    pub async fn curve(&self, trial: TrialId) -> Result<Vec<StepMetrics>, StoreError> {
        let rows = sqlx::query(curves!("id = ?"))
            .bind(trial.0)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        let mut curves = self.curves_from(&rows)?;
        Ok(curves.remove(&trial).unwrap_or_default())
    }

    /// The learning curve of every trial of a search, likewise.
    ///
    /// # Errors
    /// As [`Store::curve`].
    pub async fn curves(
        &self,
        search: SearchId,
    ) -> Result<HashMap<TrialId, Vec<StepMetrics>>, StoreError> {
        let rows = sqlx::query(curves!("search_id = ?"))
            .bind(search.0)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        self.curves_from(&rows)
    }

    /// The learning curves of these trials, likewise.
    ///
    /// # Errors
    /// As [`Store::curve`].
    pub async fn curves_of(
        &self,
        trials: &[TrialId],
    ) -> Result<HashMap<TrialId, Vec<StepMetrics>>, StoreError> {
        let rows = sqlx::query(curves!("id IN (SELECT value FROM json_each(?))"))
            .bind(ids(trials))
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        self.curves_from(&rows)
    }

    fn curves_from(
        &self,
        rows: &[SqliteRow],
    ) -> Result<HashMap<TrialId, Vec<StepMetrics>>, StoreError> {
        let mut curves: HashMap<TrialId, Vec<StepMetrics>> = HashMap::new();
        for row in rows {
            let metrics: StepMetrics = self.read_json(row, "events.metrics")?;
            let curve = curves.entry(TrialId(row.get("trial"))).or_default();
            // A trial that could not go on from another's training has done those steps itself; its own come first.
            if curve.last().is_none_or(|last| last.step < metrics.step) {
                curve.push(metrics);
            }
        }
        Ok(curves)
    }
}

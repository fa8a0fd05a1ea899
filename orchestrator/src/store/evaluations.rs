//! Table `evaluations`: the outcome of every question of every finished trial, with the figures computed from them.

use std::collections::HashMap;

use evaluator::{Evaluation, Split};
use sqlx::Row as _;

use super::{SearchId, Store, StoreError};
use crate::{statistics::Figures, trial::TrialId};

/// The stored evaluation of a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvaluation {
    /// The split it was made on.
    pub split: Split,
    /// One outcome a question, in the order of the split's subset. Every figure is computed from these.
    pub evaluation: Evaluation,
}

impl Store {
    /// Stores an evaluation and completes its trial, in one transaction.
    ///
    /// # Errors
    /// If SQLite fails; then the trial is not complete.
    pub async fn complete_trial(
        &self,
        trial: TrialId,
        split: Split,
        evaluation: &Evaluation,
        figures: &Figures,
        completions: &[String],
        seconds: f64,
    ) -> Result<(), StoreError> {
        let sql = |e| self.sql(e);
        let completions = serde_json::Value::from(completions).to_string();
        let mut transaction = self.pool.begin().await.map_err(sql)?;
        sqlx::query(
            "INSERT INTO evaluations (trial_id, split, outcomes, completions, f1, f1_error, f1_lower, f1_upper,
                                      accuracy, accuracy_lower, accuracy_upper, answer_rate)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(trial.0)
        .bind(split.to_string())
        .bind(evaluation.to_bytes())
        .bind(completions)
        .bind(figures.f1.point)
        .bind(figures.f1.standard_error)
        .bind(figures.f1.interval.lower)
        .bind(figures.f1.interval.upper)
        .bind(figures.accuracy.point)
        .bind(figures.accuracy.interval.lower)
        .bind(figures.accuracy.interval.upper)
        .bind(figures.answer_rate)
        .execute(&mut *transaction)
        .await
        .map_err(sql)?;
        sqlx::query(
            "UPDATE trials SET state = 'complete', seconds = ?,
                    finished_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = ?",
        )
        .bind(seconds)
        .bind(trial.0)
        .execute(&mut *transaction)
        .await
        .map_err(sql)?;
        transaction.commit().await.map_err(sql)
    }

    /// The evaluations of a search's complete trials. Completions stay in the file: they are large.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] if stored outcomes cannot be read.
    pub async fn evaluations(
        &self,
        search: SearchId,
    ) -> Result<HashMap<TrialId, StoredEvaluation>, StoreError> {
        let rows = sqlx::query(
            "SELECT e.trial_id, e.split, e.outcomes
             FROM evaluations e JOIN trials t ON t.id = e.trial_id WHERE t.search_id = ?",
        )
        .bind(search.0)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        rows.iter()
            .map(|row| {
                let split: String = row.get("split");
                let outcomes: Vec<u8> = row.get("outcomes");
                let evaluation = Evaluation::from_bytes(&outcomes)
                    .map_err(|e| self.unusable(&format!("outcomes of a trial: {e}")))?;
                let split = split.parse().map_err(|e| self.unusable(&format!("{e}")))?;
                Ok((
                    TrialId(row.get("trial_id")),
                    StoredEvaluation { split, evaluation },
                ))
            })
            .collect()
    }

    /// The completions of a finished trial, one a question.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] if they cannot be read.
    pub async fn completions(&self, trial: TrialId) -> Result<Vec<String>, StoreError> {
        let json: Option<String> =
            sqlx::query_scalar("SELECT completions FROM evaluations WHERE trial_id = ?")
                .bind(trial.0)
                .fetch_optional(&self.pool)
                .await
                .map_err(|e| self.sql(e))?;
        serde_json::from_str(json.as_deref().unwrap_or("[]"))
            .map_err(|e| self.unusable(&format!("completions of a trial: {e}")))
    }
}

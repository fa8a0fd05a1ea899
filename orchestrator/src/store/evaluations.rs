//! Table `evaluations`: the outcome of every question of every finished trial, with the figures computed from them.

use std::collections::HashMap;

use evaluator::{Evaluation, Split};
use sqlx::{Row as _, SqliteExecutor};

use super::{SearchId, Store, StoreError};
use crate::domain::{decider::Decider, figures::Figures, trial::TrialId, verdict::Evaluated};

/// The stored evaluation of a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvaluation {
    /// The split it was made on.
    pub split: Split,
    /// One outcome a question, in the order of the split's subset. Every figure is computed from these.
    pub evaluation: Evaluation,
    /// Who decided each outcome.
    pub deciders: Vec<Decider>,
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
        evaluated: &Evaluated,
        figures: &Figures,
        completions: &[String],
        seconds: f64,
    ) -> Result<(), StoreError> {
        let sql = |e| self.sql(e);
        let completions = serde_json::Value::from(completions).to_string();
        let mut transaction = self.pool.begin().await.map_err(sql)?;
        sqlx::query(
            "INSERT INTO evaluations (trial_id, split, outcomes, deciders, completions, f1, f1_error, f1_lower, f1_upper,
                                      accuracy, accuracy_lower, accuracy_upper, answer_rate)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(trial.0)
        .bind(split.to_string())
        .bind(evaluated.evaluation.to_bytes())
        .bind(evaluated.deciders.iter().map(|d| d.to_byte()).collect::<Vec<u8>>())
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
        self.evaluations_in(&self.pool, search).await
    }

    pub(super) async fn evaluations_in(
        &self,
        executor: impl SqliteExecutor<'_>,
        search: SearchId,
    ) -> Result<HashMap<TrialId, StoredEvaluation>, StoreError> {
        let rows = sqlx::query(
            "SELECT e.trial_id, e.split, e.outcomes, e.deciders
             FROM evaluations e JOIN trials t ON t.id = e.trial_id WHERE t.search_id = ?",
        )
        .bind(search.0)
        .fetch_all(executor)
        .await
        .map_err(|e| self.sql(e))?;
        rows.iter()
            .map(|row| {
                let split: String = row.get("split");
                let outcomes: Vec<u8> = row.get("outcomes");
                let evaluation = Evaluation::from_bytes(&outcomes)
                    .map_err(|e| self.unusable(&format!("outcomes of a trial: {e}")))?;
                let split = split.parse().map_err(|e| self.unusable(&format!("{e}")))?;
                let stored = StoredEvaluation {
                    split,
                    deciders: self.deciders(row.get("deciders"), &evaluation)?,
                    evaluation,
                };
                Ok((TrialId(row.get("trial_id")), stored))
            })
            .collect()
    }

    /// Who decided each outcome; all were decided by rule before this was stored.
    fn deciders(
        &self,
        bytes: Option<Vec<u8>>,
        evaluation: &Evaluation,
    ) -> Result<Vec<Decider>, StoreError> {
        let questions = evaluation.outcomes().len();
        let Some(bytes) = bytes else {
            return Ok(vec![Decider::Rule; questions]);
        };
        let deciders: Option<Vec<Decider>> =
            bytes.iter().map(|&byte| Decider::from_byte(byte)).collect();
        deciders
            .filter(|deciders| deciders.len() == questions)
            .ok_or_else(|| self.unusable("who decided the outcomes of a trial cannot be read"))
    }
}

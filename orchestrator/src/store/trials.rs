//! Table `trials`: training runs and where they stand. A running trial found at start-up was cut off and waits again.

use sqlx::{Row as _, SqliteExecutor, sqlite::SqliteRow};

use super::{SearchId, Store, StoreError};
use crate::domain::{
    candidate::CandidateId,
    trial::{Arm, EnsembleId, Stage, Trial, TrialId, TrialState},
};

/// A trial with the round it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialRow {
    /// The trial.
    pub trial: Trial,
    /// The round it was planned in.
    pub round: u32,
}

impl Store {
    /// Plans a trial unless it is planned already.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn ensure_trial(
        &self,
        search: SearchId,
        arm: Arm,
        round: u32,
        stage: Stage,
        seed: u64,
        steps: u32,
    ) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await.map_err(|e| self.sql(e))?;
        insert_trial(&mut connection, search, arm, round, stage, seed, steps)
            .await
            .map_err(|e| self.sql(e))
    }

    /// Puts running trials, which a dead process left behind, back in the queue.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn requeue(&self, search: SearchId) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE trials SET state = 'waiting' WHERE search_id = ? AND state = 'running'",
        )
        .bind(search.0)
        .execute(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        Ok(())
    }

    /// The trials still to be run, in the order they were planned.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn waiting_trials(&self, search: SearchId) -> Result<Vec<Trial>, StoreError> {
        Ok(self
            .trials(search)
            .await?
            .into_iter()
            .map(|row| row.trial)
            .filter(|trial| trial.state == TrialState::Waiting)
            .collect())
    }

    /// All trials in the order they were planned.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn trials(&self, search: SearchId) -> Result<Vec<TrialRow>, StoreError> {
        self.trials_in(&self.pool, search).await
    }

    pub(super) async fn trials_in(
        &self,
        executor: impl SqliteExecutor<'_>,
        search: SearchId,
    ) -> Result<Vec<TrialRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM trials WHERE search_id = ? ORDER BY id")
            .bind(search.0)
            .fetch_all(executor)
            .await
            .map_err(|e| self.sql(e))?;
        Ok(rows.iter().map(trial_from).collect())
    }

    /// Marks a trial as started after the first `done` of its steps; what is stored of later ones, which will be done again, is
    /// forgotten. Returns `done`; if not all of those steps are stored, all are forgotten and it begins after none.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn start_trial(&self, trial: TrialId, done: u32) -> Result<u32, StoreError> {
        let sql = |e| self.sql(e);
        let mut transaction = self.pool.begin().await.map_err(sql)?;
        let stored: u32 =
            sqlx::query_scalar("SELECT count(*) FROM events WHERE trial_id = ? AND step <= ?")
                .bind(trial.0)
                .bind(done)
                .fetch_one(&mut *transaction)
                .await
                .map_err(sql)?;
        let done = if stored == done { done } else { 0 };
        sqlx::query("DELETE FROM events WHERE trial_id = ? AND step > ?")
            .bind(trial.0)
            .bind(done)
            .execute(&mut *transaction)
            .await
            .map_err(sql)?;
        sqlx::query(
            "UPDATE trials SET state = 'running', step = ?, attempts = attempts + 1,
                    started_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = ?",
        )
        .bind(done)
        .bind(trial.0)
        .execute(&mut *transaction)
        .await
        .map_err(sql)?;
        transaction.commit().await.map_err(sql)?;
        Ok(done)
    }

    /// Marks a trial as failed, for good.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn fail_trial(
        &self,
        trial: TrialId,
        why: &str,
        seconds: f64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE trials SET state = 'failed', failure = ?, seconds = ?,
                    finished_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = ?",
        )
        .bind(why)
        .bind(seconds)
        .bind(trial.0)
        .execute(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        Ok(())
    }
}

pub(super) async fn insert_trial(
    connection: &mut sqlx::SqliteConnection,
    search: SearchId,
    arm: Arm,
    round: u32,
    stage: Stage,
    seed: u64,
    steps: u32,
) -> Result<(), sqlx::Error> {
    let (candidate, ensemble) = match arm {
        Arm::Untouched => (None, None),
        Arm::Candidate(CandidateId(id)) => (Some(id), None),
        Arm::Ensemble(EnsembleId(id)) => (None, Some(id)),
    };
    let (word, number) = stage.parts();
    sqlx::query(
        "INSERT INTO trials (search_id, candidate_id, ensemble_id, round, stage, number, seed, steps, state)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting') ON CONFLICT DO NOTHING",
    )
    .bind(search.0)
    .bind(candidate)
    .bind(ensemble)
    .bind(round)
    .bind(word)
    .bind(number)
    .bind(seed.cast_signed())
    .bind(steps)
    .execute(connection)
    .await?;
    Ok(())
}

fn trial_from(row: &SqliteRow) -> TrialRow {
    let arm = match (
        row.get::<Option<i64>, _>("candidate_id"),
        row.get::<Option<i64>, _>("ensemble_id"),
    ) {
        (Some(id), _) => Arm::Candidate(CandidateId(id)),
        (None, Some(id)) => Arm::Ensemble(EnsembleId(id)),
        (None, None) => Arm::Untouched,
    };
    let number = row.get("number");
    let stage = match row.get("stage") {
        "screen" => Stage::Screen { rung: number },
        _ => Stage::Confirm { seed: number },
    };
    let step = row.get("step");
    let why = || row.get::<Option<String>, _>("failure").unwrap_or_default();
    let state = match row.get("state") {
        "waiting" => TrialState::Waiting,
        "running" => TrialState::Running { step },
        "complete" => TrialState::Complete,
        "pruned" => TrialState::Pruned { step, why: why() },
        _ => TrialState::Failed { why: why() },
    };
    TrialRow {
        trial: Trial {
            id: TrialId(row.get("id")),
            arm,
            stage,
            seed: row.get::<i64, _>("seed").cast_unsigned(),
            steps: row.get("steps"),
            state,
            attempts: row.get("attempts"),
        },
        round: row.get("round"),
    }
}

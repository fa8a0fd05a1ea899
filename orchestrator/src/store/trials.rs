//! Table `trials`: training runs and where they stand. A running trial found at start-up was cut off and waits again.

use serde::{Deserialize, Serialize};
use sqlx::{Row as _, SqliteConnection, SqliteExecutor, sqlite::SqliteRow};

use super::{
    SearchId, Store, StoreError,
    words::{ArmWord, StageWord, StateWord, Word as _, json},
};
use crate::domain::{
    candidate::CandidateId,
    trial::{Arm, EnsembleId, Failure, NewTrial, Stage, Trial, TrialId, TrialState},
};

/// The cause stored of a pruned trial.
#[derive(Serialize, Deserialize)]
struct Hopeless {
    why: String,
}

/// How a trial ends.
enum End<'a> {
    Complete,
    Pruned(&'a str),
    Failed(&'a Failure),
}

impl Store {
    /// Plans trials, in order and in one transaction; those that are planned already are left as they are.
    ///
    /// # Errors
    /// [`StoreError::Sql`]; then none is planned.
    pub async fn plan_trials(
        &self,
        search: SearchId,
        trials: &[NewTrial],
    ) -> Result<(), StoreError> {
        let sql = |e| self.sql(e);
        let mut transaction = self.pool.begin().await.map_err(sql)?;
        for trial in trials {
            insert_trial(&mut transaction, search, trial)
                .await
                .map_err(sql)?;
        }
        transaction.commit().await.map_err(sql)
    }

    /// Puts running trials, which a dead process left behind, back in the queue.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
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
    /// As [`Store::trials`].
    pub async fn waiting_trials(&self, search: SearchId) -> Result<Vec<Trial>, StoreError> {
        let mut trials = self.trials(search).await?;
        trials.retain(|trial| trial.state == TrialState::Waiting);
        Ok(trials)
    }

    /// All trials in the order they were planned.
    ///
    /// # Errors
    /// [`StoreError::Sql`], or [`StoreError::Unknown`] for what another program wrote.
    pub async fn trials(&self, search: SearchId) -> Result<Vec<Trial>, StoreError> {
        self.trials_in(&self.pool, search).await
    }

    pub(super) async fn trials_in(
        &self,
        executor: impl SqliteExecutor<'_>,
        search: SearchId,
    ) -> Result<Vec<Trial>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, arm, candidate_id, ensemble_id, stage, number, seed, steps, from_trial, state, step, attempts, cause
             FROM trials WHERE search_id = ? ORDER BY id",
        )
        .bind(search.0)
        .fetch_all(executor)
        .await
        .map_err(|e| self.sql(e))?;
        rows.iter().map(|row| self.trial_from(row)).collect()
    }

    /// Marks a trial as started after the first `done` of its steps; what is stored of later ones, which will be done again, is
    /// forgotten. Returns `done`; if not all of those steps are stored, all are forgotten and it begins after none.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
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
    /// [`StoreError::Sql`].
    pub async fn fail_trial(
        &self,
        trial: TrialId,
        failure: &Failure,
        seconds: f64,
    ) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await.map_err(|e| self.sql(e))?;
        end_trial(&mut connection, trial, End::Failed(failure), seconds)
            .await
            .map_err(|e| self.sql(e))
    }

    /// Marks a trial as stopped early, for good, because it could not win.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn prune_trial(
        &self,
        trial: TrialId,
        why: &str,
        seconds: f64,
    ) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await.map_err(|e| self.sql(e))?;
        end_trial(&mut connection, trial, End::Pruned(why), seconds)
            .await
            .map_err(|e| self.sql(e))
    }

    fn trial_from(&self, row: &SqliteRow) -> Result<Trial, StoreError> {
        let number = row.get("number");
        let step = row.get("step");
        Ok(Trial {
            id: TrialId(row.get("id")),
            arm: match self.read_word(row)? {
                ArmWord::Untouched => Arm::Untouched,
                ArmWord::BaseOnly => Arm::BaseOnly,
                ArmWord::Candidate => Arm::Candidate(CandidateId(row.get("candidate_id"))),
                ArmWord::Ensemble => Arm::Ensemble(EnsembleId(row.get("ensemble_id"))),
            },
            stage: match self.read_word(row)? {
                StageWord::Screen => Stage::Screen { rung: number },
                StageWord::Confirm => Stage::Confirm { seed: number },
            },
            seed: row.get::<i64, _>("seed").cast_unsigned(),
            steps: row.get("steps"),
            from: row.get::<Option<i64>, _>("from_trial").map(TrialId),
            state: match self.read_word(row)? {
                StateWord::Waiting => TrialState::Waiting,
                StateWord::Running => TrialState::Running { step },
                StateWord::Complete => TrialState::Complete,
                StateWord::Pruned => {
                    let Hopeless { why } = self.read_json(row, "trials.cause")?;
                    TrialState::Pruned { step, why }
                }
                StateWord::Failed => TrialState::Failed(self.read_json(row, "trials.cause")?),
            },
            attempts: row.get("attempts"),
        })
    }
}

pub(super) async fn insert_trial(
    connection: &mut SqliteConnection,
    search: SearchId,
    trial: &NewTrial,
) -> Result<(), sqlx::Error> {
    let (arm, candidate, ensemble) = match trial.arm {
        Arm::Untouched => (ArmWord::Untouched, None, None),
        Arm::BaseOnly => (ArmWord::BaseOnly, None, None),
        Arm::Candidate(CandidateId(id)) => (ArmWord::Candidate, Some(id), None),
        Arm::Ensemble(EnsembleId(id)) => (ArmWord::Ensemble, None, Some(id)),
    };
    let (stage, number) = match trial.stage {
        Stage::Screen { rung } => (StageWord::Screen, rung),
        Stage::Confirm { seed } => (StageWord::Confirm, seed),
    };
    sqlx::query(
        "INSERT INTO trials (search_id, arm, candidate_id, ensemble_id, stage, number, seed, steps, from_trial, state)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(search.0)
    .bind(arm.word())
    .bind(candidate)
    .bind(ensemble)
    .bind(stage.word())
    .bind(number)
    .bind(trial.seed.cast_signed())
    .bind(trial.steps)
    .bind(trial.from.map(|trial| trial.0))
    .bind(StateWord::Waiting.word())
    .execute(connection)
    .await?;
    Ok(())
}

/// Marks a trial as complete; its evaluation belongs into the same transaction.
pub(super) async fn complete(
    connection: &mut SqliteConnection,
    trial: TrialId,
    seconds: f64,
) -> Result<(), sqlx::Error> {
    end_trial(connection, trial, End::Complete, seconds).await
}

async fn end_trial(
    connection: &mut SqliteConnection,
    trial: TrialId,
    end: End<'_>,
    seconds: f64,
) -> Result<(), sqlx::Error> {
    let (state, cause) = match end {
        End::Complete => (StateWord::Complete, None),
        End::Pruned(why) => {
            let cause = json(&Hopeless {
                why: why.to_owned(),
            });
            (StateWord::Pruned, Some(cause))
        }
        End::Failed(failure) => (StateWord::Failed, Some(json(failure))),
    };
    sqlx::query(
        "UPDATE trials SET state = ?, cause = ?, seconds = ?,
                finished_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = ?",
    )
    .bind(state.word())
    .bind(cause)
    .bind(seconds)
    .bind(trial.0)
    .execute(connection)
    .await?;
    Ok(())
}

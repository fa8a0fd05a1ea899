//! Table `trials`: training runs and where they stand. A running trial found at start-up was cut off and waits again.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sqlx::{SqliteConnection, SqliteExecutor};

use super::{
    SearchId, Store, StoreError,
    words::{ArmWord, StageWord, StateWord, Word as _, json},
};
use crate::domain::{
    candidate::CandidateId,
    trial::{Arm, EnsembleId, Failure, NewTrial, Stage, Trial, TrialId, TrialState},
};

/// A query for trials. To put them in order within SQLite takes as long as to read them.
macro_rules! trials {
    ($which:literal) => {
        concat!(
            "SELECT json_group_array(json_array(
                    id, arm, candidate_id, ensemble_id, stage, number, seed, steps, from_trial, state, step, attempts, cause, ended))
             FROM trials WHERE search_id = ? ",
            $which
        )
    };
}

/// A row of such a query.
#[derive(Deserialize)]
struct TrialRow<'t> {
    id: i64,
    arm: Cow<'t, str>,
    candidate: Option<i64>,
    ensemble: Option<i64>,
    stage: Cow<'t, str>,
    number: u32,
    seed: i64,
    steps: u32,
    from: Option<i64>,
    state: Cow<'t, str>,
    step: u32,
    attempts: u32,
    cause: Option<Cow<'t, str>>,
    ended: Option<u32>,
}

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

/// An attempt at a trial.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The step of the training it goes on with; 0 for one that begins with the base model.
    pub after: u32,
    /// The step of its own last checkpoint.
    pub done: u32,
    /// A digest of all it depends on.
    pub job: Option<&'a str>,
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
        let query = sqlx::query_scalar(trials!("AND state = 'waiting'")).bind(search.0);
        self.trials_from(&self.packed(&self.pool, query).await?)
    }

    /// The finished trainings of which is not measured yet what they leave behind, in the order they were planned.
    ///
    /// # Errors
    /// As [`Store::trials`].
    pub async fn unaudited_trials(&self, search: SearchId) -> Result<Vec<Trial>, StoreError> {
        let query = trials!(
            "AND state = 'complete' AND arm <> 'untouched' AND NOT EXISTS (SELECT 1 FROM traces x WHERE x.trial_id = trials.id)"
        );
        let query = sqlx::query_scalar(query).bind(search.0);
        self.trials_from(&self.packed(&self.pool, query).await?)
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
        let query = sqlx::query_scalar(trials!("")).bind(search.0);
        self.trials_from(&self.packed(executor, query).await?)
    }

    fn trials_from(&self, text: &str) -> Result<Vec<Trial>, StoreError> {
        let mut rows: Vec<TrialRow<'_>> = self.unpacked("trials", text)?;
        rows.sort_by_key(|row| row.id);
        rows.iter().map(|row| self.trial_from(row)).collect()
    }

    /// Marks a trial as started after the first `done` of its steps; see [`Store::begin_trial`].
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn start_trial(&self, trial: TrialId, done: u32) -> Result<u32, StoreError> {
        let attempt = Attempt {
            after: 0,
            done,
            job: None,
        };
        self.begin_trial(trial, attempt).await
    }

    /// Marks a trial as started after the step `done`; what is stored of later ones, which will be done again, is forgotten. Returns `done`;
    /// if not all of the steps between `after` and `done` are stored, all are forgotten and it begins after `after`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn begin_trial(
        &self,
        trial: TrialId,
        attempt: Attempt<'_>,
    ) -> Result<u32, StoreError> {
        let sql = |e| self.sql(e);
        let Attempt { after, done, job } = attempt;
        let mut transaction = self.pool.begin().await.map_err(sql)?;
        let stored: u32 = sqlx::query_scalar(
            "SELECT count(*) FROM events WHERE trial_id = ? AND step > ? AND step <= ?",
        )
        .bind(trial.0)
        .bind(after)
        .bind(done)
        .fetch_one(&mut *transaction)
        .await
        .map_err(sql)?;
        let is_whole = stored == done.saturating_sub(after);
        let done = if is_whole { done.max(after) } else { after };
        let kept = if is_whole { done } else { 0 };
        sqlx::query("DELETE FROM events WHERE trial_id = ? AND (step > ? OR step <= ?)")
            .bind(trial.0)
            .bind(kept)
            .bind(after)
            .execute(&mut *transaction)
            .await
            .map_err(sql)?;
        sqlx::query(
            "UPDATE trials SET state = 'running', step = ?, attempts = attempts + 1, job = ifnull(?, job),
                    started_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = ?",
        )
        .bind(done)
        .bind(job)
        .bind(trial.0)
        .execute(&mut *transaction)
        .await
        .map_err(sql)?;
        transaction.commit().await.map_err(sql)?;
        Ok(done)
    }

    /// The name of the run that a trial's last attempt began, where that was for this very job.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn run_of(&self, trial: TrialId, job: &str) -> Result<Option<String>, StoreError> {
        let run: Option<Option<String>> =
            sqlx::query_scalar("SELECT run FROM trials WHERE id = ? AND job = ?")
                .bind(trial.0)
                .bind(job)
                .fetch_optional(&self.pool)
                .await
                .map_err(|e| self.sql(e))?;
        Ok(run.flatten())
    }

    /// The place of the trial of this job in the order in which trials ended; `None` if there is none, it has not ended, or did so before the
    /// order was stored.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn ending_of(&self, job: &str) -> Result<Option<u32>, StoreError> {
        sqlx::query_scalar("SELECT min(ended) FROM trials WHERE job = ?")
            .bind(job)
            .fetch_one(&self.pool)
            .await
            .map_err(|e| self.sql(e))
    }

    /// Takes note of the run that an attempt at a trial has begun.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn record_run(&self, trial: TrialId, run: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE trials SET run = ? WHERE id = ?")
            .bind(run)
            .bind(trial.0)
            .execute(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        Ok(())
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

    fn trial_from(&self, row: &TrialRow<'_>) -> Result<Trial, StoreError> {
        let cause = row.cause.as_deref();
        let key = |key: Option<i64>| {
            key.ok_or_else(|| self.unusable("what a trial trains on is not stored"))
        };
        Ok(Trial {
            id: TrialId(row.id),
            arm: match self.of_word(&row.arm)? {
                ArmWord::Untouched => Arm::Untouched,
                ArmWord::BaseOnly => Arm::BaseOnly,
                ArmWord::Candidate => Arm::Candidate(CandidateId(key(row.candidate)?)),
                ArmWord::Ensemble => Arm::Ensemble(EnsembleId(key(row.ensemble)?)),
            },
            stage: match self.of_word(&row.stage)? {
                StageWord::Screen => Stage::Screen { rung: row.number },
                StageWord::Confirm => Stage::Confirm { seed: row.number },
            },
            seed: row.seed.cast_unsigned(),
            steps: row.steps,
            from: row.from.map(TrialId),
            state: match self.of_word(&row.state)? {
                StateWord::Waiting => TrialState::Waiting,
                StateWord::Running => TrialState::Running { step: row.step },
                StateWord::Complete => TrialState::Complete,
                StateWord::Pruned => {
                    let Hopeless { why } = self.of_json(cause, "trials.cause")?;
                    let step = row.step;
                    TrialState::Pruned { step, why }
                }
                StateWord::Failed => TrialState::Failed(self.of_json(cause, "trials.cause")?),
            },
            attempts: row.attempts,
            ended: row.ended,
        })
    }
}

/// Keys of trials as one argument of a query, for `json_each`.
pub(super) fn ids(trials: &[TrialId]) -> String {
    json(&trials.iter().map(|trial| trial.0).collect::<Vec<_>>())
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
        "UPDATE trials SET state = ?, cause = ?, seconds = ?, finished_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
                ended = (SELECT ifnull(max(t.ended), 0) + 1 FROM trials t WHERE t.search_id = trials.search_id) WHERE id = ?",
    )
    .bind(state.word())
    .bind(cause)
    .bind(seconds)
    .bind(trial.0)
    .execute(connection)
    .await?;
    Ok(())
}

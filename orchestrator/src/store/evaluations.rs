//! Tables `evaluations` and `completions`: the outcome of every question of every finished trial, the figures computed from them, and
//! what the policy wrote.

use std::{borrow::Cow, collections::HashMap};

use evaluator::{BootstrapConfig, ConfidenceInterval, Estimate, Evaluation, Split};
use serde::Deserialize;
use sqlx::{Row as _, SqliteExecutor};
use trainer_bridge::StepMetrics;

use super::{
    SearchId, Store, StoreError,
    snapshot::Extent,
    trials::{complete, ids},
    words::Word as _,
};
use crate::domain::{
    decider::{Decider, Tally},
    figures::Figures,
    trial::TrialId,
    verdict::Evaluated,
};

/// The stored evaluation of a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvaluation {
    /// The split it was made on.
    pub split: Split,
    /// One outcome a question, in the order of the split's subset. Every figure is computed from these.
    pub evaluation: Evaluation,
    /// Who decided the outcomes.
    pub verdicts: Tally,
    /// The figures as they were computed when the trial was judged; `None` where an earlier program did not keep all of them.
    pub figures: Option<Figures>,
}

impl StoredEvaluation {
    /// Its figures, as stored or computed anew.
    #[must_use]
    pub fn figures(&self, bootstrap: &BootstrapConfig) -> Figures {
        let stored = self.figures.clone();
        stored.unwrap_or_else(|| Figures::of(&self.evaluation, bootstrap))
    }
}

/// What a trial that is trained and judged leaves.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The questions' split.
    pub split: Split,
    /// The outcomes, with who decided each.
    pub evaluated: &'a Evaluated,
    /// The figures computed from the outcomes.
    pub figures: &'a Figures,
    /// What the policy wrote to each question.
    pub completions: &'a [String],
    /// Seconds from the trial's start to here.
    pub seconds: f64,
}

/// A query for all of evaluations but what the policy wrote; with the figures of those of which a condition holds, for to write out a thousand
/// of them takes as long as to read all the rest.
macro_rules! evaluations {
    ($figures_where:literal, $which:literal) => {
        concat!(
            "SELECT json_group_array(json_array(e.trial_id, e.split, CAST(e.outcomes AS TEXT), coalesce(CAST(e.deciders AS TEXT), ''),
                    CASE WHEN e.accuracy_error IS NOT NULL AND ",
            $figures_where,
            " THEN printf('%!.17g %!.17g %!.17g %!.17g %!.17g %!.17g %!.17g %!.17g %!.17g',
                          e.f1, e.f1_error, e.f1_lower, e.f1_upper,
                          e.accuracy, e.accuracy_error, e.accuracy_lower, e.accuracy_upper, e.answer_rate) END))
             FROM evaluations e ",
            $which
        )
    };
}

/// A row of such a query.
#[derive(Deserialize)]
struct EvaluationRow<'t> {
    trial: i64,
    split: Cow<'t, str>,
    /// A letter a question.
    outcomes: Cow<'t, str>,
    /// A letter a question, or nothing.
    deciders: Cow<'t, str>,
    /// Of F1 and accuracy each point, standard error, lower and upper end, and the answer rate.
    figures: Option<Cow<'t, str>>,
}

/// What a finished trial of another search has come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// The outcomes, with who decided each.
    pub evaluated: Evaluated,
    /// What the policy wrote to each question.
    pub completions: Vec<String>,
    /// The steps of its training.
    pub curve: Vec<StepMetrics>,
    /// Seconds it took.
    pub seconds: f64,
}

impl Store {
    /// What the finished trial of this job has come to, on the questions of this split; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError::Sql`], or [`StoreError::Unusable`] if what is stored cannot be read.
    pub async fn finished_job(&self, job: &str, split: Split) -> Result<Option<Taken>, StoreError> {
        let row = sqlx::query(
            "SELECT t.id, ifnull(t.seconds, 0.0) AS seconds, e.outcomes, e.deciders
             FROM trials t JOIN evaluations e ON e.trial_id = t.id
             WHERE t.job = ? AND t.state = 'complete' AND e.split = ? ORDER BY t.id LIMIT 1",
        )
        .bind(job)
        .bind(split.word())
        .fetch_optional(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        let Some(row) = row else {
            return Ok(None);
        };
        let trial = TrialId(row.get("id"));
        let evaluation = Evaluation::from_bytes(row.get("outcomes"))
            .map_err(|e| self.unusable(&format!("outcomes of a trial: {e}")))?;
        let deciders = match row.get::<Option<&[u8]>, _>("deciders") {
            None => vec![Decider::Rule; evaluation.outcomes().len()],
            Some(bytes) => {
                let known: Option<Vec<Decider>> =
                    bytes.iter().map(|byte| Decider::from_byte(*byte)).collect();
                known.ok_or_else(|| self.unusable("who decided a trial cannot be read"))?
            }
        };
        Ok(Some(Taken {
            evaluated: Evaluated {
                evaluation,
                deciders,
            },
            completions: self.completions(trial).await?.unwrap_or_default(),
            curve: self.curve(trial).await?,
            seconds: row.get("seconds"),
        }))
    }

    /// Stores an evaluation and completes its trial, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Sql`]; then the trial is not complete.
    pub async fn complete_trial(
        &self,
        trial: TrialId,
        judged: Judged<'_>,
    ) -> Result<(), StoreError> {
        let sql = |e| self.sql(e);
        let Judged {
            split,
            evaluated,
            figures,
            completions,
            seconds,
        } = judged;
        let completions = serde_json::Value::from(completions).to_string();
        let deciders: Vec<u8> = evaluated.deciders.iter().map(|d| d.to_byte()).collect();
        let helped = evaluated.deciders.iter().any(|d| *d != Decider::Rule);
        let mut transaction = self.pool.begin().await.map_err(sql)?;
        sqlx::query(
            "INSERT INTO evaluations (trial_id, split, outcomes, deciders, f1, f1_error, f1_lower, f1_upper,
                                      accuracy, accuracy_error, accuracy_lower, accuracy_upper, answer_rate)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(trial.0)
        .bind(split.word())
        .bind(evaluated.evaluation.to_bytes())
        .bind(helped.then_some(deciders))
        .bind(figures.f1.point)
        .bind(figures.f1.standard_error)
        .bind(figures.f1.interval.lower)
        .bind(figures.f1.interval.upper)
        .bind(figures.accuracy.point)
        .bind(figures.accuracy.standard_error)
        .bind(figures.accuracy.interval.lower)
        .bind(figures.accuracy.interval.upper)
        .bind(figures.answer_rate)
        .execute(&mut *transaction)
        .await
        .map_err(sql)?;
        sqlx::query("INSERT INTO completions (trial_id, completions) VALUES (?, ?)")
            .bind(trial.0)
            .bind(completions)
            .execute(&mut *transaction)
            .await
            .map_err(sql)?;
        complete(&mut transaction, trial, seconds)
            .await
            .map_err(sql)?;
        transaction.commit().await.map_err(sql)
    }

    /// The evaluation of one trial; `None` if it has none.
    ///
    /// # Errors
    /// As [`Store::snapshot`].
    pub async fn evaluation(&self, trial: TrialId) -> Result<Option<StoredEvaluation>, StoreError> {
        Ok(self.evaluations(&[trial]).await?.remove(&trial))
    }

    /// The evaluations of those trials that have one.
    ///
    /// # Errors
    /// As [`Store::snapshot`].
    pub async fn evaluations(
        &self,
        trials: &[TrialId],
    ) -> Result<HashMap<TrialId, StoredEvaluation>, StoreError> {
        let query = evaluations!("1", "WHERE e.trial_id IN (SELECT value FROM json_each(?))");
        let query = sqlx::query_scalar(query).bind(ids(trials));
        self.evaluations_from(&self.packed(&self.pool, query).await?)
    }

    /// The outermost ends of the F1 intervals of all screenings; `None` before the first.
    ///
    /// # Errors
    /// If SQLite fails.
    pub async fn interval_ends(&self, search: SearchId) -> Result<Option<(f64, f64)>, StoreError> {
        let row = sqlx::query(
            "SELECT min(e.f1_lower) AS lower, max(e.f1_upper) AS upper
             FROM trials t JOIN evaluations e ON e.trial_id = t.id WHERE t.search_id = ? AND t.stage = 'screen'",
        )
        .bind(search.0)
        .fetch_one(&self.pool)
        .await
        .map_err(|e| self.sql(e))?;
        let (lower, upper): (Option<f64>, Option<f64>) = (row.get("lower"), row.get("upper"));
        Ok(lower.zip(upper))
    }

    /// What the policy of a trial wrote to each question; `None` if it was not judged.
    ///
    /// # Errors
    /// [`StoreError::Sql`], or [`StoreError::Unknown`] if it is not what this program writes.
    pub async fn completions(&self, trial: TrialId) -> Result<Option<Vec<String>>, StoreError> {
        let row = sqlx::query("SELECT completions FROM completions WHERE trial_id = ?")
            .bind(trial.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        row.map(|row| self.read_json(&row, "completions.completions"))
            .transpose()
    }

    pub(super) async fn evaluations_in(
        &self,
        executor: impl SqliteExecutor<'_>,
        search: SearchId,
        extent: Extent<'_>,
    ) -> Result<HashMap<TrialId, StoredEvaluation>, StoreError> {
        let query = match extent {
            Extent::Whole => evaluations!("1", "JOIN trials t ON t.id = e.trial_id WHERE t.search_id = ?"),
            Extent::Outcomes => evaluations!(
                "(t.arm <> 'candidate' OR t.candidate_id IN (SELECT candidate_id FROM controls))",
                "JOIN trials t ON t.id = e.trial_id WHERE t.search_id = ?"
            ),
            Extent::Of(_) => evaluations!(
                "0",
                "JOIN trials t ON t.id = e.trial_id
                 WHERE t.search_id = ? AND (t.arm = 'untouched' OR t.id IN (SELECT value FROM json_each(?)))"
            ),
        };
        let query = sqlx::query_scalar(query).bind(search.0);
        let query = match extent {
            Extent::Of(trials) => query.bind(ids(trials)),
            Extent::Whole | Extent::Outcomes => query,
        };
        self.evaluations_from(&self.packed(executor, query).await?)
    }

    fn evaluations_from(
        &self,
        text: &str,
    ) -> Result<HashMap<TrialId, StoredEvaluation>, StoreError> {
        let rows: Vec<EvaluationRow<'_>> = self.unpacked("evaluations", text)?;
        let mut evaluations = HashMap::with_capacity(rows.len());
        for row in &rows {
            evaluations.insert(TrialId(row.trial), self.evaluation_from(row)?);
        }
        Ok(evaluations)
    }

    fn evaluation_from(&self, row: &EvaluationRow<'_>) -> Result<StoredEvaluation, StoreError> {
        let evaluation = Evaluation::from_bytes(row.outcomes.as_bytes())
            .map_err(|e| self.unusable(&format!("outcomes of a trial: {e}")))?;
        Ok(StoredEvaluation {
            split: self.of_word(&row.split)?,
            verdicts: self.verdicts(&row.deciders, &evaluation)?,
            figures: match &row.figures {
                Some(stored) => Some(self.figures_from(stored, &evaluation)?),
                None => None,
            },
            evaluation,
        })
    }

    /// Who decided the outcomes; nothing is stored where the rules decided all of them.
    fn verdicts(&self, letters: &str, evaluation: &Evaluation) -> Result<Tally, StoreError> {
        let questions = evaluation.outcomes().len();
        if letters.is_empty() {
            return Ok(Tally {
                rule: questions as u64,
                ..Tally::default()
            });
        }
        Tally::of_bytes(letters.as_bytes())
            .filter(|_| letters.len() == questions)
            .ok_or_else(|| self.unusable("who decided the outcomes of a trial cannot be read"))
    }

    /// The figures of a row; precision and recall are counted, not stored.
    fn figures_from(&self, stored: &str, evaluation: &Evaluation) -> Result<Figures, StoreError> {
        let unreadable = || self.unusable("the figures of a trial cannot be read");
        let numbers: Result<Vec<f64>, _> = stored.split(' ').map(str::parse).collect();
        let numbers: [f64; 9] = numbers
            .ok()
            .and_then(|numbers| numbers.try_into().ok())
            .ok_or_else(unreadable)?;
        let [estimates @ .., answer_rate] = numbers;
        let level = BootstrapConfig::default().level;
        let estimate = |at: usize| Estimate {
            point: estimates[at],
            standard_error: estimates[at + 1],
            interval: ConfidenceInterval {
                lower: estimates[at + 2],
                upper: estimates[at + 3],
                level,
            },
        };
        Ok(Figures {
            f1: estimate(0),
            accuracy: estimate(4),
            answer_rate,
            precision: evaluation.precision(),
            recall: evaluation.recall(),
        })
    }
}

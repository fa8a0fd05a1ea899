//! Everything about one name of a search: a candidate, a reference row, or a mix among the finalists.

use evaluator::Estimate;
use sandbox::Language;
use serde::Serialize;
use trainer_bridge::StepMetrics;

use super::{
    confirmed::Confirmed,
    leaderboard::{Leaderboard, Row},
};
use crate::{
    domain::{
        candidate::Candidate, change::Change, decider::Tally, traces::Traces, trial::TrialId,
    },
    store::{Snapshot, Store, StoreError},
};

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Shown {
    /// A finalist that is more than one candidate.
    Mix(Box<Confirmed>),
    /// A row that candidates are compared with.
    Reference(Box<ReferenceView>),
    /// A candidate.
    Candidate(Box<CandidateView>),
}

/// A reference row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReferenceView {
    /// How it screened.
    #[serde(flatten)]
    pub row: Row,
    /// Who decided the verdicts behind its figures, where a model had a part in them.
    pub verdicts: Option<Tally>,
    /// How it did on Test, where it was confirmed beside the finalists.
    pub confirmed: Vec<Confirmed>,
}

/// A candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateView {
    /// Its name.
    pub name: String,
    /// The round it entered; 0 for a base reward.
    pub round: u32,
    /// How it screened, or why it did not; a base reward is not screened by itself.
    pub screening: Option<Row>,
    /// How many candidates are ranked.
    pub ranked: usize,
    /// For the leader: F1 on Dev corrected for its having been chosen there, as the best of those of its rung.
    pub f1_corrected_for_choice: Option<Estimate>,
    /// `accepted`, or how it was turned away.
    pub status: String,
    /// Settings that were changed before its round was proposed; absent where none was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// What its author was after.
    pub rationale: String,
    /// What it was made from.
    pub parents: Vec<String>,
    /// The language of `source`.
    pub language: Language,
    /// What its author wrote.
    pub source: String,
    /// Who decided the verdicts behind its figures, where a model had a part in them.
    pub verdicts: Option<Tally>,
    /// The steps of its training.
    pub curve: Vec<StepMetrics>,
    /// How it did on Test, where it was a finalist.
    pub confirmed: Vec<Confirmed>,
    /// What the audit measured of its training, where that is done: see docs/audit.md.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traces: Option<Traces>,
    /// What to keep in mind at every figure; absent where there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<&'static str>,
    /// What the probe saw, as JSON.
    pub probe: Option<String>,
}

impl Shown {
    /// Finds what is called `name`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], naming the nearest name there is; else as [`Store::snapshot`].
    pub async fn read(store: &Store, name: &str) -> Result<Self, StoreError> {
        let snapshot = store.outcomes().await?;
        let board = Leaderboard::of_outcomes(&snapshot).told(store.is_held());
        Self::of(store, &snapshot, &board, name).await
    }

    /// The same from what is read already, which may be without figures and traces.
    ///
    /// # Errors
    /// As [`Shown::read`].
    pub async fn of(
        store: &Store,
        snapshot: &Snapshot,
        board: &Leaderboard,
        name: &str,
    ) -> Result<Self, StoreError> {
        if let Some(row) = board.references.iter().find(|row| row.name == name) {
            let confirmed = board.confirmed.iter().filter(|row| row.name == name);
            return Ok(Self::Reference(Box::new(ReferenceView {
                verdicts: verdicts(store, row.trial).await?,
                row: row.clone(),
                confirmed: confirmed.cloned().collect(),
            })));
        }
        let is_mix = |row: &&Confirmed| row.name == name && row.members != [row.name.clone()];
        if let Some(mix) = board.confirmed.iter().find(is_mix) {
            return Ok(Self::Mix(Box::new(mix.clone())));
        }
        let candidate = store.candidate(snapshot.search.id, name).await?;
        let mut view = CandidateView::of(store, board, candidate).await?;
        let trial = view.screening.as_ref().and_then(|row| row.trial);
        if let (Some(row), Some(trial)) = (&mut view.screening, trial) {
            Row::fill(store, snapshot.search.seed, vec![row]).await?;
            view.traces = store.traces(&[trial]).await?.remove(&trial);
        }
        if view
            .screening
            .as_ref()
            .is_some_and(|row| row.rank == Some(1))
        {
            view.f1_corrected_for_choice = board.best_f1_corrected_for_choice;
        }
        Ok(Self::Candidate(Box::new(view)))
    }
}

impl CandidateView {
    async fn of(
        store: &Store,
        board: &Leaderboard,
        candidate: Candidate,
    ) -> Result<Self, StoreError> {
        let Candidate {
            id,
            origin,
            draft,
            status,
            probe,
        } = candidate;
        let screening = board
            .candidates
            .iter()
            .find(|row| row.candidate == Some(id));
        let trial = screening.and_then(|row| row.trial);
        let confirmed = board.confirmed.iter().filter(|c| c.name == draft.name);
        Ok(Self {
            round: origin.round().unwrap_or_default(),
            screening: screening.cloned(),
            ranked: board.ranked().count(),
            f1_corrected_for_choice: None,
            traces: None,
            warning: board.warning,
            status: status.to_string(),
            changes: {
                let before = |change: &&Change| {
                    origin
                        .round()
                        .is_some_and(|round| change.after_round < round)
                };
                board.changes.iter().filter(before).cloned().collect()
            },
            verdicts: verdicts(store, trial).await?,
            curve: match trial {
                Some(trial) => store.curve(trial).await?,
                None => Vec::new(),
            },
            confirmed: confirmed.cloned().collect(),
            probe,
            name: draft.name,
            rationale: draft.rationale,
            parents: draft.parents,
            language: draft.source.language,
            source: draft.source.code,
        })
    }
}

/// Who decided the verdicts of a trial, where a model had a part in them.
async fn verdicts(store: &Store, trial: Option<TrialId>) -> Result<Option<Tally>, StoreError> {
    let Some(trial) = trial else {
        return Ok(None);
    };
    let evaluation = store.evaluation(trial).await?;
    let tally = evaluation.map(|e| e.verdicts);
    Ok(tally.filter(Tally::involves_a_model))
}

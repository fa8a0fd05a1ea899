//! Everything the ranking is computed from, as it stood at one moment.

use std::collections::HashMap;

use super::{Ensemble, SearchRecord, Store, StoreError, StoredEvaluation};
use crate::domain::{
    candidate::CandidateEntry,
    change::Change,
    traces::{Attack, Traces},
    trial::{Trial, TrialId},
};

/// A search at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// What was asked for, and how far it is.
    pub search: SearchRecord,
    /// All candidates.
    pub candidates: Vec<CandidateEntry>,
    /// All mixes.
    pub ensembles: Vec<Ensemble>,
    /// All trials.
    pub trials: Vec<Trial>,
    /// The evaluations of the complete ones.
    pub evaluations: HashMap<TrialId, StoredEvaluation>,
    /// What the audited ones leave behind.
    pub traces: HashMap<TrialId, Traces>,
    /// How the members of confirmed arms pay what their own policies write, by the trial with the first seed.
    pub attacks: HashMap<TrialId, Vec<Attack>>,
    /// Settings that were changed between two sittings.
    pub changes: Vec<Change>,
}

/// How much of a search is read.
#[derive(Clone, Copy)]
pub(super) enum Extent<'a> {
    /// All of it.
    Whole,
    /// All but the figures and traces of single candidates' screenings, which are most of what there is.
    Outcomes,
    /// Evaluations of these trials and of the untouched model alone, and no traces.
    Of(&'a [TrialId]),
}

impl Store {
    /// Reads a search in one transaction, so that a writer at work cannot change it half-way.
    ///
    /// # Errors
    /// [`StoreError::Empty`] if there is no search; else if SQLite fails or something stored cannot be read.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.snapshot_with(Extent::Whole).await
    }

    /// The same without the stored figures and traces of single candidates' screenings, for who needs their outcomes alone: of ten thousand it
    /// takes less than half the time. [`Store::evaluations`] and [`Store::traces`] read them of those that are shown.
    ///
    /// # Errors
    /// As [`Store::snapshot`].
    pub async fn outcomes(&self) -> Result<Snapshot, StoreError> {
        self.snapshot_with(Extent::Outcomes).await
    }

    /// The same with the evaluations of these trials and of the untouched model alone, and without traces.
    ///
    /// # Errors
    /// As [`Store::snapshot`].
    pub async fn snapshot_of(&self, trials: &[TrialId]) -> Result<Snapshot, StoreError> {
        self.snapshot_with(Extent::Of(trials)).await
    }

    async fn snapshot_with(&self, extent: Extent<'_>) -> Result<Snapshot, StoreError> {
        let sql = |e| self.sql(e);
        let mut transaction = self.pool.begin().await.map_err(sql)?;
        let search = self.search_in(&mut *transaction).await?;
        let snapshot = Snapshot {
            candidates: self
                .candidate_entries_in(&mut *transaction, search.id)
                .await?,
            ensembles: self.ensembles_in(&mut *transaction, search.id).await?,
            trials: self.trials_in(&mut *transaction, search.id).await?,
            evaluations: self
                .evaluations_in(&mut *transaction, search.id, extent)
                .await?,
            traces: self.traces_in(&mut *transaction, search.id, extent).await?,
            attacks: self.attacks_in(&mut *transaction, search.id).await?,
            changes: self.changes_in(&mut *transaction, search.id).await?,
            search,
        };
        transaction.commit().await.map_err(sql)?;
        Ok(snapshot)
    }
}

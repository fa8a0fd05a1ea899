//! A new search that takes over an earlier one: its rounds are proposed again without asking anybody, and of its finished trials those that
//! the new one asks for in just the same way, so that only what became incomparable is trained again.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
    sync::Arc,
};

use evaluator::Split;

use crate::{
    domain::{candidate::source_hash, draft::Draft},
    proposer::{
        Aftermath, BoxFuture, Brief, Ledger, Proposal, ProposeError, Proposer, RequestSize,
        replay::Replay,
    },
    store::{Store, StoreError, Taken},
};

/// An earlier search.
#[derive(Debug)]
pub struct Earlier {
    store: Store,
    base_model: String,
}

impl Earlier {
    /// The search in a database, which is only read; an older program may have written it.
    ///
    /// # Errors
    /// As [`Store::read`], and if there is no search in it.
    pub async fn read(database: &Path) -> Result<Self, StoreError> {
        let store = Store::read(database).await?;
        let base_model = store.search().await?.base_model;
        Ok(Self { store, base_model })
    }

    /// What a finished trial of this job on this base model has come to.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn finished(
        &self,
        base_model: &str,
        job: &str,
        split: Split,
    ) -> Result<Option<Taken>, StoreError> {
        if self.base_model != base_model {
            return Ok(None);
        }
        self.store.finished_job(job, split).await
    }

    /// The place of the trial of this job in the order in which those of the earlier search ended, if it has ended.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn ending(&self, base_model: &str, job: &str) -> Result<Option<u32>, StoreError> {
        match self.base_model == base_model {
            true => self.store.ending_of(job).await,
            false => Ok(None),
        }
    }

    /// A proposer that proposes again what the earlier search had, round by round, without what the new one's `seeds` are; after these
    /// rounds the new one's own proposer goes on.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn before(
        &self,
        seeds: &[Draft],
        then: Arc<dyn Proposer>,
    ) -> Result<Arc<dyn Proposer>, StoreError> {
        let seeds: HashSet<String> = seeds.iter().map(|seed| source_hash(&seed.source)).collect();
        let mut rounds: BTreeMap<u32, Vec<Draft>> = self.store.drafts_by_round().await?;
        for drafts in rounds.values_mut() {
            drafts.retain(|draft| !seeds.contains(&source_hash(&draft.source)));
        }
        Ok(Arc::new(Continued {
            last: rounds.keys().max().copied().unwrap_or(0),
            earlier: Replay::by_round(rounds),
            then,
        }))
    }
}

/// Proposes again what was proposed, and then goes on.
struct Continued {
    earlier: Replay,
    last: u32,
    then: Arc<dyn Proposer>,
}

impl Proposer for Continued {
    fn propose<'a>(
        &'a self,
        brief: Brief<'a>,
        ledger: &'a dyn Ledger,
    ) -> BoxFuture<'a, Result<Proposal, ProposeError>> {
        if brief.round > self.last {
            return self.then.propose(brief, ledger);
        }
        // All of them, however many a round asks for now.
        let count = usize::MAX;
        self.earlier.propose(Brief { count, ..brief }, ledger)
    }

    fn follow_up<'a>(
        &'a self,
        brief: Brief<'a>,
        aftermath: Aftermath<'a>,
        ledger: &'a dyn Ledger,
    ) -> BoxFuture<'a, Result<Proposal, ProposeError>> {
        match brief.round > self.last {
            true => self.then.follow_up(brief, aftermath, ledger),
            false => Box::pin(async { Ok(Proposal::default()) }),
        }
    }

    fn can_replace(&self) -> bool {
        self.then.can_replace()
    }

    fn check<'a>(
        &'a self,
        brief: Brief<'a>,
        ledger: &'a dyn Ledger,
    ) -> BoxFuture<'a, Result<(), ProposeError>> {
        self.then.check(brief, ledger)
    }

    fn request_size(&self, brief: Brief<'_>) -> Option<RequestSize> {
        self.then.request_size(brief)
    }
}

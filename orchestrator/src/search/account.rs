//! What is said to language models, kept exchange by exchange as it is said, and the limits of what may be spent on it.

use std::sync::Mutex;

use crate::{
    config::SearchConfig,
    domain::{draft::Exchange, spending::Spending},
    proposer::{BoxFuture, Heard, Ledger, ProposeError},
    search::events::Events,
    store::{SearchId, Store, StoreError},
};

/// The account of a search.
pub struct Account {
    store: Store,
    search: SearchId,
    max_cost_usd: Option<f64>,
    max_tokens: Option<u64>,
    spent: Mutex<Spending>,
}

/// The account as one round sees it: what is kept is kept as said in that round.
pub struct RoundLedger<'a> {
    /// The account.
    pub account: &'a Account,
    /// Who is told how a request fares.
    pub events: &'a dyn Events,
    /// The round.
    pub round: u32,
    /// How often it was asked for further drafts before.
    pub again: u32,
}

impl Account {
    /// The account of a search with the limits of its configuration, what was spent before included.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn open(
        store: &Store,
        search: SearchId,
        config: &SearchConfig,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            spent: Mutex::new(store.spending(search).await?),
            store: store.clone(),
            search,
            max_cost_usd: config.max_cost_usd,
            max_tokens: config.max_tokens_total,
        })
    }

    /// What was spent so far.
    #[must_use]
    pub fn spent(&self) -> Spending {
        *self.spent.lock().expect("no holder panics")
    }

    /// Why nothing more may be spent, if that is so.
    #[must_use]
    pub fn closed(&self) -> Option<String> {
        let spent = self.spent();
        let dollars = self.max_cost_usd.filter(|limit| spent.cost_usd >= *limit);
        let tokens = self.max_tokens.filter(|limit| spent.tokens() >= *limit);
        if let Some(limit) = dollars {
            return Some(format!(
                "{:.4} dollars are spent and search.max_cost_usd is {limit}",
                spent.cost_usd
            ));
        }
        let limit = tokens?;
        Some(format!(
            "{} tokens are spent and search.max_tokens_total is {limit}",
            spent.tokens()
        ))
    }
}

/// A step of a round as it is stored: those of further requests bear the request's number.
fn step_of(again: u32, step: &str) -> String {
    match again {
        0 => step.to_owned(),
        n => format!("again-{n}/{step}"),
    }
}

impl Ledger for RoundLedger<'_> {
    fn keep<'a>(&'a self, exchange: &'a Exchange) -> BoxFuture<'a, Result<(), ProposeError>> {
        let Account {
            store,
            search,
            spent,
            ..
        } = self.account;
        spent.lock().expect("no holder panics").add(exchange);
        let (store, search, round) = (store.clone(), *search, self.round);
        let mut kept = [exchange.clone()];
        kept[0].step = step_of(self.again, &exchange.step);
        // On a task of its own, so that a stop in this very moment loses nothing that was paid for.
        let kept = tokio::spawn(async move { store.record_exchanges(search, round, &kept).await });
        Box::pin(async move {
            let kept = kept.await.expect("writing a row does not panic");
            kept.map_err(|error| ProposeError::Unkept(error.to_string()))
        })
    }

    fn closed(&self) -> Option<String> {
        self.account.closed()
    }

    fn answered<'a>(
        &'a self,
        step: &'a str,
    ) -> BoxFuture<'a, Result<Option<Exchange>, ProposeError>> {
        Box::pin(async move {
            let Account { store, search, .. } = self.account;
            let step = self.name_of(step);
            let kept = store.answered(*search, self.round, &step).await;
            kept.map_err(|error| ProposeError::Unkept(error.to_string()))
        })
    }

    fn name_of(&self, step: &str) -> String {
        step_of(self.again, step)
    }

    fn hears(&self, heard: &Heard<'_>) {
        self.events.hears(heard);
    }
}

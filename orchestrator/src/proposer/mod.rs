//! Who suggests reward functions: one trait, three implementations (a chat model, the built-in grammar, a recording).

mod brief;
pub mod chat;
pub mod config;
pub mod grammar;
pub mod parse;
pub mod replay;

use std::{future::Future, pin::Pin};

use crate::domain::draft::{Draft, Exchange};

pub use self::{
    brief::{
        Aftermath, Background, Brief, Curve, Fate, Lesson, Misjudged, PastCandidate, ProbeFigures,
        Reference, Setback, Study, Written, Wrong,
    },
    config::{ProposerConfig, build},
};

/// A boxed future, as trait objects need it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Suggests reward functions for a round.
pub trait Proposer: Send + Sync {
    /// Up to `brief.count` drafts. Drafts that cannot be read are part of the proposal, not an error. Whoever asks a language model hands
    /// every exchange to `ledger` before anything else happens to it, and asks it before every request whether one may be made.
    fn propose<'a>(
        &'a self,
        brief: Brief<'a>,
        ledger: &'a dyn Ledger,
    ) -> BoxFuture<'a, Result<Proposal, ProposeError>>;

    /// Whether a round can be asked for further drafts in place of some that are of no use.
    fn can_replace(&self) -> bool {
        true
    }

    /// Sees whether a proposal can be asked for at all, before anything expensive is begun: the prompts, the address, the key, the model.
    ///
    /// # Errors
    /// As [`Proposer::propose`].
    fn check<'a>(
        &'a self,
        brief: Brief<'a>,
        ledger: &'a dyn Ledger,
    ) -> BoxFuture<'a, Result<(), ProposeError>> {
        let _ = (brief, ledger);
        Box::pin(async { Ok(()) })
    }

    /// About what one request takes, so that a plan can tell; `None` where the proposer asks nobody.
    fn request_size(&self, brief: Brief<'_>) -> Option<RequestSize> {
        let _ = brief;
        None
    }

    /// Drafts that make good what was wrong with a proposal, asked for once a round: the refused ones mended by what was said of them,
    /// others in place of twins and of what did not come. None where the proposer has nothing to say to that.
    ///
    /// # Errors
    /// As [`Proposer::propose`].
    fn follow_up<'a>(
        &'a self,
        brief: Brief<'a>,
        aftermath: Aftermath<'a>,
        ledger: &'a dyn Ledger,
    ) -> BoxFuture<'a, Result<Proposal, ProposeError>> {
        let _ = (brief, aftermath, ledger);
        Box::pin(async { Ok(Proposal::default()) })
    }
}

/// Keeps what passes between a proposer and a language model, request by request, and knows how much may still be spent.
pub trait Ledger: Send + Sync {
    /// Keeps an exchange.
    ///
    /// # Errors
    /// [`ProposeError::Unkept`] if it cannot.
    fn keep<'a>(&'a self, exchange: &'a Exchange) -> BoxFuture<'a, Result<(), ProposeError>>;

    /// Why no further request may be made, if that is so.
    fn closed(&self) -> Option<String>;

    /// The reply that a step of this round has been given already: it is not asked and paid for again.
    ///
    /// # Errors
    /// [`ProposeError::Unkept`] if what was kept cannot be read.
    fn answered<'a>(
        &'a self,
        step: &'a str,
    ) -> BoxFuture<'a, Result<Option<Exchange>, ProposeError>> {
        let _ = step;
        Box::pin(async { Ok(None) })
    }

    /// The name under which a step is kept: a round may be asked several times over.
    fn name_of(&self, step: &str) -> String {
        step.to_owned()
    }

    /// Is told how a request fares while it is under way.
    fn hears(&self, heard: &Heard<'_>) {
        let _ = heard;
    }
}

/// How a request to a language model fares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Heard<'a> {
    /// It is made.
    Asking {
        /// The model asked.
        model: &'a str,
        /// Which request of its round.
        step: &'a str,
    },
    /// Something of the reply has come.
    Tokens {
        /// About so many tokens.
        tokens: u64,
        /// Dollars for them, where there is a price.
        cost_usd: Option<f64>,
    },
    /// It failed, and is made again after a pause: what happened, and for how long.
    Pause(&'a str),
    /// It has ended, this way.
    Done(&'a Exchange),
}

/// A ledger for who searches nothing: it keeps nothing and is never closed.
#[derive(Debug, Clone, Copy)]
pub struct Unkept;

impl Ledger for Unkept {
    fn keep<'a>(&'a self, _exchange: &'a Exchange) -> BoxFuture<'a, Result<(), ProposeError>> {
        Box::pin(async { Ok(()) })
    }

    fn closed(&self) -> Option<String> {
        None
    }
}

/// About what a request to a language model takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RequestSize {
    /// Tokens of the prompt.
    pub prompt_tokens: u64,
    /// Tokens of the reply at most.
    pub most_completion_tokens: u64,
}

/// What one call of a proposer brought.
#[derive(Debug, Clone, Default)]
pub struct Proposal {
    /// What could be read, in order.
    pub drafts: Vec<Draft>,
    /// What could not: stored with its reason, shown to the user.
    pub unreadable: Vec<Unreadable>,
    /// Every request made for it, failed ones included; stored whole.
    pub exchanges: Vec<Exchange>,
}

/// A piece of a reply that is no draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The text, truncated.
    pub text: String,
    /// Why it is no draft.
    pub reason: String,
}

/// Why there is no proposal at all. A variant is what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum ProposeError {
    /// The configuration cannot work (no key, bad address, 401): stop and tell the user.
    #[error("{0}")]
    Setup(String),
    /// The endpoint stayed out of reach through all retries: stop resumably and tell the user.
    #[error("{message}")]
    Unavailable {
        /// What was tried and what came back.
        message: String,
        /// The requests made.
        exchanges: Vec<Exchange>,
    },
    /// A limit of the search is reached before there was a reply: stop resumably and tell the user.
    #[error("{0}")]
    Limit(String),
    /// What was said cannot be kept: stop resumably and tell the user.
    #[error("{0}")]
    Unkept(String),
}

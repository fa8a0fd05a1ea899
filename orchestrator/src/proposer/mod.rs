//! Who suggests reward functions: one trait, three implementations (a chat model, the built-in grammar, a recording).

pub mod chat;
pub mod config;
pub mod grammar;
pub mod parse;
pub mod replay;

use std::{future::Future, pin::Pin};

use crate::domain::{
    candidate::Origin,
    draft::{Draft, Exchange},
};
use evaluator::Problem;
use serde::{Deserialize, Serialize};

pub use self::config::{ProposerConfig, build};

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

    /// The proposal that a reply of an earlier sitting holds, so that it is not asked and paid for again; `None` where the proposer asks nobody.
    fn reread(&self, answered: &Exchange, brief: Brief<'_>) -> Option<Proposal> {
        let _ = (answered, brief);
        None
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

/// What a proposer is told.
#[derive(Debug, Clone, Copy)]
pub struct Brief<'a> {
    /// The round under way, from 1.
    pub round: u32,
    /// How many drafts are wanted.
    pub count: usize,
    /// Every draw of the proposer descends from this; differs per round.
    pub seed: u64,
    /// All earlier candidates: ranked ones first, best first, then the failed and rejected.
    pub history: &'a [PastCandidate],
    /// Sample problems of the training split.
    pub problems: &'a [Problem],
    /// What a well-formed completion looks like, for prompts (taken from the task's config).
    pub format_hint: &'a str,
}

/// An earlier candidate as the proposer sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct PastCandidate {
    /// Where it comes from.
    pub origin: Origin,
    /// What its author wrote.
    pub draft: Draft,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// Screened; figures on the Dev split.
    Ranked {
        /// 1 is best.
        rank: usize,
        /// F1 of the trained policy.
        f1: f64,
        /// 95 % interval of F1.
        interval: [f64; 2],
        /// Accuracy.
        accuracy: f64,
        /// Share of questions with an extracted answer.
        answer_rate: f64,
        /// Mean reward of each training step.
        reward_curve: Vec<f64>,
        /// Share of right rollouts of each training step.
        correct_curve: Vec<f64>,
    },
    /// Never ran.
    Rejected {
        /// Why, in one line.
        reason: String,
    },
    /// Went wrong in training.
    Failed {
        /// Why, in one line.
        reason: String,
    },
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

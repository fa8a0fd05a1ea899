//! Asking the model: each case once, many at a time, never beyond the limit; what it said before is not asked again.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use sha2::{Digest as _, Sha256};

use super::{
    VerifierError,
    config::{Mode, ModelConfig, OnFailure},
    prompt::{Case, Prompt},
    reply,
};
use crate::{
    domain::{
        decider::Decider,
        verdict::{ModelKind, Opinion, Spent},
    },
    judge::endpoint::{AskError, Endpoint, Exchange, Messages},
    store::{CachedVerdict, Store, VerdictKey},
};

/// Raised when replies are read differently, so that no verdict outlives its reading.
const READING: u32 = 1;

/// So many cases in a row without a reply, each with all its retries, and the rest of a batch need not find out for themselves. More than
/// one, because a single case may be what a server cannot take.
const DOWN: usize = 3;

/// A model that judges answers.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) kind: ModelKind,
    pub(super) config: ModelConfig,
    prompt: Prompt,
    endpoint: Endpoint,
    cache: OnceLock<Store>,
    spent: Mutex<Spent>,
}

/// What came of one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) opinion: Opinion,
    pub(super) decider: Decider,
}

impl Decision {
    const fn undecided(decider: Decider) -> Self {
        Self {
            opinion: Opinion::Unclear,
            decider,
        }
    }

    const fn of(opinion: Opinion, asked: bool) -> Self {
        let decider = match (opinion, asked) {
            (Opinion::Unclear, _) => Decider::Unclear,
            (_, true) => Decider::Model,
            (_, false) => Decider::Cache,
        };
        Self { opinion, decider }
    }
}

impl Model {
    /// A model as configured.
    pub(super) fn new(kind: ModelKind, config: &ModelConfig) -> Result<Self, String> {
        Ok(Self {
            kind,
            prompt: Prompt::load(kind, config.prompt_file.as_deref())?,
            endpoint: Endpoint::from_environment(config.endpoint(kind))?,
            config: config.clone(),
            cache: OnceLock::new(),
            spent: Mutex::default(),
        })
    }

    /// From now on, what `store` knows is not asked again and counts towards the limits, and what is said is stored there.
    pub(super) async fn remember_in(&self, store: Store) -> Result<(), VerifierError> {
        let before = store
            .verdicts_spent(self.kind.name(), &self.endpoint.config().model)
            .await?;
        if self.cache.set(store).is_ok() {
            let mut spent = self.spent.lock().expect("no holder panics");
            spent.requests += before.requests;
            spent.cost_usd += before.cost_usd;
        }
        Ok(())
    }

    pub(super) fn mode(&self) -> Mode {
        self.config.mode(self.kind)
    }

    /// One decision a case, in order.
    pub(super) async fn decide(&self, cases: &[Case<'_>]) -> Result<Vec<Decision>, VerifierError> {
        let questions: Vec<(VerdictKey, Messages)> = cases
            .iter()
            .map(|case| {
                let messages = self.prompt.render(case).map_err(VerifierError::Setup)?;
                Ok((self.key(&messages), messages))
            })
            .collect::<Result<_, VerifierError>>()?;
        let mut seen = HashSet::new();
        let different = questions.iter().filter(|(key, _)| seen.insert(*key));
        let failures = AtomicUsize::new(0);
        let decided: HashMap<VerdictKey, Decision> = stream::iter(different)
            .map(|(key, messages)| self.decide_one(*key, messages, &failures))
            .buffer_unordered(self.config.concurrency)
            .try_collect()
            .await?;
        let decision = |(key, _): &(VerdictKey, Messages)| decided[key];
        Ok(questions.iter().map(decision).collect())
    }

    /// Everything that decides what the model says: who is asked, how, and what.
    fn key(&self, messages: &Messages) -> VerdictKey {
        let endpoint = self.endpoint.config();
        let settings = serde_json::json!([
            READING,
            self.kind.name(),
            endpoint.model,
            endpoint.temperature,
            endpoint.max_tokens,
            messages.user,
        ]);
        Sha256::digest(settings.to_string().as_bytes()).into()
    }

    async fn decide_one(
        &self,
        key: VerdictKey,
        messages: &Messages,
        failures: &AtomicUsize,
    ) -> Result<(VerdictKey, Decision), VerifierError> {
        if let Some(store) = self.cache.get()
            && let Some(known) = store.verdict(&key).await?
        {
            return Ok((key, Decision::of(known.opinion, false)));
        }
        if !self.reserve() {
            return self.without_reply(key, Decider::OverBudget, self.over_budget());
        }
        if failures.load(Ordering::Relaxed) >= DOWN {
            self.give_back();
            let why = VerifierError::Unavailable("the model endpoint is out of reach".to_owned());
            return self.without_reply(key, Decider::Failed, why);
        }
        match self.ask(key, messages).await {
            Ok(verdict) => {
                failures.store(0, Ordering::Relaxed);
                let stands = self.remember(&key, verdict).await?;
                Ok((key, Decision::of(stands.opinion, true)))
            }
            Err(AskError::Setup(why)) => Err(VerifierError::Setup(why)),
            Err(AskError::Refused(why)) => {
                self.without_reply(key, Decider::Failed, VerifierError::Unavailable(why))
            }
            Err(AskError::Unavailable(why)) => {
                failures.fetch_add(1, Ordering::Relaxed);
                self.without_reply(key, Decider::Failed, VerifierError::Unavailable(why))
            }
        }
    }

    async fn ask(&self, key: VerdictKey, messages: &Messages) -> Result<CachedVerdict, AskError> {
        let mut cost_usd = 0.0;
        let mut account = |exchange: Exchange| cost_usd += exchange.cost_usd.unwrap_or(0.0);
        let seed = u64::from_le_bytes(key[..8].try_into().expect("a key has 32 bytes"));
        let reply = self.endpoint.ask(messages, seed, &mut account).await;
        self.spent.lock().expect("no holder panics").cost_usd += cost_usd;
        let reply = reply?;
        Ok(CachedVerdict {
            kind: self.kind.name().to_owned(),
            model: self.endpoint.config().model.clone(),
            opinion: reply::read(self.kind, &reply.text),
            reply: reply.text,
            cost_usd,
        })
    }

    /// Asks for a word, unless the limits allow no more.
    pub(super) async fn check(&self) -> Result<(), VerifierError> {
        if !self.reserve() {
            return Ok(());
        }
        // It is no verdict.
        self.give_back();
        let mut cost_usd = 0.0;
        let mut account = |exchange: Exchange| cost_usd += exchange.cost_usd.unwrap_or(0.0);
        let checked = self.endpoint.check(&mut account).await;
        self.spent.lock().expect("no holder panics").cost_usd += cost_usd;
        match checked {
            Ok(()) => Ok(()),
            Err(AskError::Setup(why) | AskError::Refused(why)) => Err(VerifierError::Setup(why)),
            Err(AskError::Unavailable(why)) => match self.config.on_failure {
                OnFailure::Stop => Err(VerifierError::Unavailable(why)),
                OnFailure::Rule => {
                    tracing::warn!(
                        "{why}; verifier.on_failure = \"rule\": the rule's verdict stands until it answers"
                    );
                    Ok(())
                }
            },
        }
    }

    /// Stores a verdict, and returns the one that stands: another trial may have been faster.
    async fn remember(
        &self,
        key: &VerdictKey,
        verdict: CachedVerdict,
    ) -> Result<CachedVerdict, VerifierError> {
        match self.cache.get() {
            Some(store) => Ok(store.remember_verdict(key, &verdict).await?),
            None => Ok(verdict),
        }
    }

    /// The rule's verdict stands, or all stops, as configured.
    fn without_reply(
        &self,
        key: VerdictKey,
        decider: Decider,
        why: VerifierError,
    ) -> Result<(VerdictKey, Decision), VerifierError> {
        match self.config.on_failure {
            OnFailure::Stop => Err(why),
            OnFailure::Rule => {
                let told = format!("{why}; the rule's verdict stands");
                self.endpoint.warn(&told, &told);
                Ok((key, Decision::undecided(decider)))
            }
        }
    }

    /// Takes one request out of the budget, if there is one left.
    fn reserve(&self) -> bool {
        let mut spent = self.spent.lock().expect("no holder panics");
        let over_requests = self
            .config
            .max_requests
            .is_some_and(|most| spent.requests >= most);
        let over_cost = self
            .config
            .max_cost_usd
            .is_some_and(|most| spent.cost_usd >= most);
        if over_requests || over_cost {
            return false;
        }
        spent.requests += 1;
        true
    }

    fn give_back(&self) {
        self.spent.lock().expect("no holder panics").requests -= 1;
    }

    fn over_budget(&self) -> VerifierError {
        let spent = *self.spent.lock().expect("no holder panics");
        VerifierError::Setup(format!(
            "the verifier's limit is reached ({} requests, {:.2} dollars): raise verifier.max_requests or verifier.max_cost_usd, \
             or set verifier.on_failure = \"rule\"",
            spent.requests, spent.cost_usd
        ))
    }
}

//! A language model behind an HTTP endpoint as a proposer: the brief becomes prompts, the replies become drafts.
//!
//! A round is one request, or several of different kinds to several models; one more asks once again where a reply held no draft, and one
//! for what the round still lacks. How an endpoint is asked, and how often, is the module `endpoint`'s; every request made is handed to the
//! ledger before anything else happens to what came, and a step that has a reply in the ledger is not asked again.

mod archive;
mod config;
mod detail;
mod errand;
mod prompt;
#[cfg(test)]
mod tests;
mod told;

use sandbox::FileGuard;

use self::{
    errand::{Errand, errands},
    prompt::{Form, Prompt, Templates},
};
pub use crate::judge::endpoint::Key;
use crate::judge::endpoint::{AskError, Came, Endpoint, EndpointConfig, Messages, Reply};

pub use self::config::{ChatConfig, ModelConfig, Moves};
use super::{
    Aftermath, BoxFuture, Brief, Heard, Ledger, Proposal, ProposeError, Proposer, RequestSize,
    Unreadable, parse::parse,
};
use crate::domain::draft::{CHECK, Exchange};

/// Bytes of a prompt that make about a token.
const BYTES_PER_TOKEN: usize = 4;
/// The step that asks for what a round lacks.
const FOLLOW_UP: &str = "follow-up";

/// A chat model as a [`Proposer`], or several.
#[derive(Debug)]
pub struct Chat {
    models: Vec<Model>,
    templates: Templates,
    form: Form,
    moves: Option<Moves>,
    follows_up: bool,
}

/// One of the models asked.
#[derive(Debug)]
struct Model {
    name: String,
    weight: f64,
    most_tokens: u32,
    /// Absent where only what is recorded is read again.
    endpoint: Option<Endpoint>,
}

/// One thing asked of one model.
#[derive(Clone, Copy)]
struct Question<'a> {
    step: &'a str,
    model: &'a Model,
    prompt: &'a Prompt,
    seed: u64,
}

/// Why a question has no reply.
enum Unanswered {
    /// The proposal ends here.
    Error(ProposeError),
    /// This very question is not taken; others may be.
    Refused(String),
}

impl From<ProposeError> for Unanswered {
    fn from(error: ProposeError) -> Self {
        Self::Error(error)
    }
}

impl Unanswered {
    /// As the end of a proposal.
    fn fatal(self) -> ProposeError {
        match self {
            Self::Error(error) => error,
            Self::Refused(why) => ProposeError::Setup(why),
        }
    }
}

impl Chat {
    /// A proposer with these settings, its keys read from the variables that they name.
    ///
    /// # Errors
    /// [`ProposeError::Setup`] as [`Chat::new`], and if a variable is not set or empty.
    pub fn from_environment(config: ChatConfig) -> Result<Self, ProposeError> {
        Self::asking(&config, |endpoint| {
            Endpoint::from_environment(endpoint).map(Some)
        })
    }

    /// A proposer with these settings and this key, which all its models get.
    ///
    /// # Errors
    /// [`ProposeError::Setup`] if a setting cannot work or a prompt template cannot be read.
    pub fn new(config: ChatConfig, key: Option<Key>) -> Result<Self, ProposeError> {
        Self::asking(&config, |endpoint| {
            Endpoint::new(endpoint, key.clone()).map(Some)
        })
    }

    /// A proposer with these settings that asks nobody: whatever it would ask must stand in its ledger already.
    ///
    /// # Errors
    /// As [`Chat::new`].
    pub fn without_network(config: &ChatConfig) -> Result<Self, ProposeError> {
        Self::asking(config, |_| Ok(None))
    }

    fn asking(
        config: &ChatConfig,
        open: impl Fn(EndpointConfig) -> Result<Option<Endpoint>, String>,
    ) -> Result<Self, ProposeError> {
        let refusal = config.refusal(FileGuard::here());
        if let Some(why) = refusal.or_else(|| config.unweighable()) {
            return Err(setup(why));
        }
        let model = |(endpoint, weight): (EndpointConfig, f64)| {
            Ok(Model {
                name: endpoint.model.clone(),
                weight,
                most_tokens: endpoint.max_tokens,
                endpoint: open(endpoint)?,
            })
        };
        let endpoints = config.endpoints().map_err(setup)?.into_iter();
        let models: Result<Vec<Model>, String> = endpoints.map(model).collect();
        Ok(Self {
            models: models.map_err(setup)?,
            templates: Templates::load(config.templates.as_deref()).map_err(setup)?,
            form: Form {
                language: config.language,
                budget: config.prompt_tokens,
            },
            moves: config.moves,
            follows_up: config.follow_up,
        })
    }

    /// The requests of a round, one after the other.
    async fn ask(&self, brief: &Brief<'_>, ledger: &dyn Ledger) -> Result<Proposal, ProposeError> {
        let weights: Vec<f64> = self.models.iter().map(|model| model.weight).collect();
        let mut proposal = Proposal::default();
        for errand in errands(brief, &weights, self.moves) {
            let prompt = self.templates.ask(brief, &errand, self.form);
            let question = Question {
                step: &errand.step,
                model: &self.models[errand.model],
                prompt: &prompt.map_err(setup)?,
                seed: brief.seed,
            };
            self.put(question, errand.count, ledger, &mut proposal)
                .await
                .map_err(Unanswered::fatal)?;
        }
        Ok(proposal)
    }

    /// Puts a question, and once more where no draft can be read in the reply; what comes is added to `proposal`.
    async fn put(
        &self,
        question: Question<'_>,
        count: usize,
        ledger: &dyn Ledger,
        proposal: &mut Proposal,
    ) -> Result<(), Unanswered> {
        let reply = self.said(question, ledger, &mut proposal.exchanges).await?;
        let (mut drafts, mut unreadable) = self.read(&reply, count);
        if drafts.is_empty() && count > 0 {
            let prompt = self
                .templates
                .unreadable(question.prompt, &unreadable, self.form)
                .map_err(setup)?;
            let again = Question {
                step: &format!("{} again", question.step),
                prompt: &prompt,
                ..question
            };
            match self.said(again, ledger, &mut proposal.exchanges).await {
                Ok(reply) => {
                    let (more, also) = self.read(&reply, count);
                    drafts = more;
                    unreadable.extend(also);
                }
                Err(Unanswered::Refused(why)) => {
                    tracing::warn!("the second request after an unreadable reply: {why}");
                }
                Err(error) => return Err(error),
            }
        }
        proposal.drafts.extend(drafts);
        proposal.unreadable.extend(unreadable);
        Ok(())
    }

    /// The reply to a question, as it is kept or as it comes.
    async fn said(
        &self,
        question: Question<'_>,
        ledger: &dyn Ledger,
        exchanges: &mut Vec<Exchange>,
    ) -> Result<Reply, Unanswered> {
        let Question {
            step,
            model,
            prompt,
            seed,
        } = question;
        if let Some(kept) = ledger.answered(step).await? {
            return Ok(reply_in(&kept));
        }
        if let Some(why) = ledger.closed() {
            return Err(ProposeError::Limit(why).into());
        }
        let Some(endpoint) = &model.endpoint else {
            return Err(Unanswered::Refused(format!(
                "the recording holds no reply to `{step}`: it was made with other settings, or breaks off there"
            )));
        };
        let messages = Messages::from(prompt);
        let price = endpoint.config().prices.completion;
        let hears = |tokens| {
            let cost_usd = price.map(|price| tokens as f64 * price / 1e6);
            ledger.hears(&Heard::Tokens { tokens, cost_usd });
        };
        let mut tries = endpoint.tries(&messages, seed).telling(&hears);
        loop {
            if let Some(why) = ledger.closed() {
                return Err(ProposeError::Limit(why).into());
            }
            ledger.hears(&Heard::Asking {
                model: &model.name,
                step,
            });
            let (made, came) = tries.next().await;
            let exchange = exchange_of(step, &model.name, prompt.to_string(), made);
            ledger.keep(&exchange).await?;
            ledger.hears(&Heard::Done(&exchange));
            exchanges.push(exchange);
            match came {
                Came::Reply(reply) => return Ok(reply),
                Came::Error(AskError::Unavailable(message)) => {
                    let exchanges = std::mem::take(exchanges);
                    return Err(ProposeError::Unavailable { message, exchanges }.into());
                }
                Came::Error(AskError::Setup(why)) => return Err(setup(why).into()),
                Came::Error(AskError::Refused(why)) => return Err(Unanswered::Refused(why)),
                Came::Pause { length, told, .. } => {
                    ledger.hears(&Heard::Pause(&told));
                    tokio::time::sleep(length).await;
                }
                Came::Adjusted => {}
            }
        }
    }

    /// Renders the prompts, and asks every endpoint for a word.
    async fn look(&self, brief: &Brief<'_>, ledger: &dyn Ledger) -> Result<(), ProposeError> {
        let whole = Errand::whole(brief.count);
        self.templates
            .ask(brief, &whole, self.form)
            .map_err(setup)?;
        for model in &self.models {
            let Some(endpoint) = &model.endpoint else {
                continue;
            };
            let mut made = Vec::new();
            let mut record = |exchange| made.push(exchange);
            let checked = endpoint.check(&mut record).await;
            for exchange in made {
                let exchange = exchange_of(CHECK, &model.name, String::new(), exchange);
                ledger.keep(&exchange).await?;
            }
            checked.map_err(|error| match error {
                AskError::Setup(why) | AskError::Refused(why) => setup(why),
                AskError::Unavailable(message) => ProposeError::Unavailable {
                    message,
                    exchanges: Vec::new(),
                },
            })?;
        }
        Ok(())
    }

    /// Asks for what a round lacks. A request that is not taken is no reason to end a search.
    async fn make_good(
        &self,
        brief: &Brief<'_>,
        aftermath: Aftermath<'_>,
        ledger: &dyn Ledger,
    ) -> Result<Proposal, ProposeError> {
        let mut proposal = Proposal::default();
        let count = aftermath.setbacks.len() + aftermath.missing;
        if !self.follows_up || count == 0 {
            return Ok(proposal);
        }
        let prompt = self.templates.follow_up(brief, aftermath, self.form);
        let question = Question {
            step: FOLLOW_UP,
            model: &self.models[0],
            prompt: &prompt.map_err(setup)?,
            seed: brief.seed,
        };
        match self.put(question, count, ledger, &mut proposal).await {
            Ok(()) => {}
            Err(Unanswered::Refused(why)) => {
                tracing::warn!("what the round lacked was not asked for: {why}");
            }
            Err(Unanswered::Error(error)) => return Err(error),
        }
        Ok(proposal)
    }

    /// The drafts in a reply, at most `count`, and what is no draft.
    fn read(&self, reply: &Reply, count: usize) -> (Vec<super::Draft>, Vec<Unreadable>) {
        let text = &reply.text;
        if text.trim().is_empty() {
            let silent = Unreadable {
                text: reply.instead.clone().unwrap_or_default(),
                reason: silence(reply),
            };
            return (Vec::new(), vec![silent]);
        }
        let (mut drafts, unreadable) = parse(text, self.form.language, at_limit(reply));
        if drafts.len() > count {
            tracing::warn!(
                wanted = count,
                got = drafts.len(),
                "more drafts than asked for; the rest is left out"
            );
            drafts.truncate(count);
        }
        (drafts, unreadable)
    }
}

/// A request with what was asked, as it is stored.
fn exchange_of(
    step: &str,
    model: &str,
    prompt: String,
    made: crate::judge::endpoint::Exchange,
) -> Exchange {
    Exchange {
        step: step.to_owned(),
        model: model.to_owned(),
        prompt,
        reply: made.reply,
        reasoning: made.reasoning,
        instead: made.instead,
        stopped_because: made.stopped_because,
        answered_by: made.answered_by,
        error: made.error,
        prompt_tokens: made.prompt_tokens,
        completion_tokens: made.completion_tokens,
        is_estimate: made.is_estimate,
        cost_usd: made.cost_usd,
    }
}

/// The reply in an exchange that was kept.
fn reply_in(kept: &Exchange) -> Reply {
    Reply {
        text: kept.reply.clone(),
        reasoning: kept.reasoning.clone(),
        instead: kept.instead.clone(),
        stopped_because: kept.stopped_because.clone(),
        ..Reply::default()
    }
}

/// Whether a reply met the limit of its length.
fn at_limit(reply: &Reply) -> bool {
    let stopped = reply.stopped_because.as_deref();
    matches!(stopped, Some("length" | "max_tokens" | "incomplete"))
}

/// Why a reply without a text has none, and what helps.
fn silence(reply: &Reply) -> String {
    if let Some(instead) = &reply.instead {
        return format!("there is no text: {instead}");
    }
    let stopped = reply.stopped_because.as_deref();
    let at_limit = at_limit(reply);
    let stopped = stopped.map_or_else(String::new, |why| format!(" (stopped because of `{why}`)"));
    match &reply.reasoning {
        Some(thought) => format!(
            "the model thought ({} characters) and then answered nothing{stopped}: a larger proposer.max_tokens leaves room for the answer",
            thought.chars().count()
        ),
        None if at_limit => format!(
            "the model answered with an empty text{stopped}: a larger proposer.max_tokens may help"
        ),
        None => format!("the model answered with an empty text{stopped}"),
    }
}

impl From<&Prompt> for Messages {
    fn from(prompt: &Prompt) -> Self {
        Self {
            system: Some(prompt.system.clone()),
            user: prompt.user.clone(),
        }
    }
}

impl Proposer for Chat {
    fn propose<'a>(
        &'a self,
        brief: Brief<'a>,
        ledger: &'a dyn Ledger,
    ) -> BoxFuture<'a, Result<Proposal, ProposeError>> {
        Box::pin(async move { self.ask(&brief, ledger).await })
    }

    fn follow_up<'a>(
        &'a self,
        brief: Brief<'a>,
        aftermath: Aftermath<'a>,
        ledger: &'a dyn Ledger,
    ) -> BoxFuture<'a, Result<Proposal, ProposeError>> {
        Box::pin(async move { self.make_good(&brief, aftermath, ledger).await })
    }

    fn check<'a>(
        &'a self,
        brief: Brief<'a>,
        ledger: &'a dyn Ledger,
    ) -> BoxFuture<'a, Result<(), ProposeError>> {
        Box::pin(async move { self.look(&brief, ledger).await })
    }

    fn request_size(&self, brief: Brief<'_>) -> Option<RequestSize> {
        let whole = Errand::whole(brief.count);
        let prompt = self.templates.ask(&brief, &whole, self.form).ok()?;
        let most = self.models.iter().map(|model| model.most_tokens).max();
        Some(RequestSize {
            prompt_tokens: prompt.tokens() as u64,
            most_completion_tokens: most.unwrap_or_default().into(),
        })
    }
}

const fn setup(message: String) -> ProposeError {
    ProposeError::Setup(message)
}

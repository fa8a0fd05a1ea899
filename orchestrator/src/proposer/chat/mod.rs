//! A language model behind an HTTP endpoint as a proposer: the brief becomes a prompt, the reply becomes drafts.
//!
//! How the endpoint is asked, and how often, is the module `endpoint`'s; every request made is recorded.

mod config;
mod prompt;
#[cfg(test)]
mod tests;

use sandbox::{FileGuard, Language};

use self::prompt::{Prompt, Templates};
pub use crate::judge::endpoint::Key;
use crate::judge::endpoint::{AskError, Came, Endpoint, Messages, Reply};

pub use self::config::ChatConfig;
use super::{
    BoxFuture, Brief, Ledger, Proposal, ProposeError, Proposer, RequestSize, Unreadable,
    parse::parse,
};
use crate::domain::draft::{CHECK, Exchange};

/// Bytes of a prompt that make about a token.
const BYTES_PER_TOKEN: usize = 4;

/// A chat model as a [`Proposer`].
#[derive(Debug)]
pub struct Chat {
    endpoint: Endpoint,
    language: Language,
    templates: Templates,
}

impl Chat {
    /// A proposer with these settings, its key read from the variable that `api_key_env` names.
    ///
    /// # Errors
    /// [`ProposeError::Setup`] as [`Chat::new`], and if the variable is not set or empty.
    pub fn from_environment(config: ChatConfig) -> Result<Self, ProposeError> {
        let endpoint = Endpoint::from_environment(config.endpoint()).map_err(setup)?;
        Self::asking(endpoint, &config)
    }

    /// A proposer with these settings and this key.
    ///
    /// # Errors
    /// [`ProposeError::Setup`] if a setting cannot work or a prompt template cannot be read.
    pub fn new(config: ChatConfig, key: Option<Key>) -> Result<Self, ProposeError> {
        let endpoint = Endpoint::new(config.endpoint(), key).map_err(setup)?;
        Self::asking(endpoint, &config)
    }

    fn asking(endpoint: Endpoint, config: &ChatConfig) -> Result<Self, ProposeError> {
        if let Some(why) = config.refusal(FileGuard::here()) {
            return Err(setup(why));
        }
        Ok(Self {
            endpoint,
            language: config.language,
            templates: Templates::load(config.prompt_dir.as_deref()).map_err(setup)?,
        })
    }

    async fn ask(&self, brief: &Brief<'_>, ledger: &dyn Ledger) -> Result<Proposal, ProposeError> {
        let prompt = self.templates.render(brief, self.language).map_err(setup)?;
        let mut exchanges = Vec::new();
        let messages = Messages::from(&prompt);
        let mut tries = self.endpoint.tries(&messages, brief.seed);
        loop {
            if let Some(why) = ledger.closed() {
                return Err(ProposeError::Limit(why));
            }
            let (made, came) = tries.next().await;
            let exchange = self.exchange(&prompt, made);
            ledger.keep(&exchange).await?;
            exchanges.push(exchange);
            match came {
                Came::Reply(reply) => return Ok(self.proposal(&reply, brief.count, exchanges)),
                Came::Error(AskError::Unavailable(message)) => {
                    return Err(ProposeError::Unavailable { message, exchanges });
                }
                Came::Error(AskError::Setup(why) | AskError::Refused(why)) => {
                    return Err(setup(why));
                }
                Came::Pause { length, told } => {
                    tracing::warn!("{told}");
                    tokio::time::sleep(length).await;
                }
                Came::Adjusted => {}
            }
        }
    }

    /// Renders the prompts, and asks the endpoint for a word.
    async fn look(&self, brief: &Brief<'_>, ledger: &dyn Ledger) -> Result<(), ProposeError> {
        self.templates.render(brief, self.language).map_err(setup)?;
        let mut made = Vec::new();
        let mut record = |exchange| made.push(exchange);
        let checked = self.endpoint.check(&mut record).await;
        for exchange in made {
            let exchange = Exchange {
                step: CHECK.to_owned(),
                ..self.exchange_of(String::new(), exchange)
            };
            ledger.keep(&exchange).await?;
        }
        checked.map_err(|error| match error {
            AskError::Setup(why) | AskError::Refused(why) => setup(why),
            AskError::Unavailable(message) => ProposeError::Unavailable {
                message,
                exchanges: Vec::new(),
            },
        })
    }

    /// A request with what was asked, as it is stored.
    fn exchange(&self, prompt: &Prompt, made: crate::judge::endpoint::Exchange) -> Exchange {
        self.exchange_of(prompt.to_string(), made)
    }

    fn exchange_of(&self, prompt: String, made: crate::judge::endpoint::Exchange) -> Exchange {
        Exchange {
            step: "ask".to_owned(),
            model: self.endpoint.config().model.clone(),
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

    fn proposal(&self, reply: &Reply, count: usize, exchanges: Vec<Exchange>) -> Proposal {
        let text = &reply.text;
        let is_cut = at_limit(reply);
        let (mut drafts, mut unreadable) = parse(text, self.language, is_cut);
        if drafts.len() > count {
            tracing::warn!(
                wanted = count,
                got = drafts.len(),
                "more drafts than asked for; the rest is left out"
            );
            drafts.truncate(count);
        }
        if text.trim().is_empty() {
            unreadable = vec![Unreadable {
                text: reply.instead.clone().unwrap_or_default(),
                reason: silence(reply),
            }];
        }
        Proposal {
            drafts,
            unreadable,
            exchanges,
        }
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

    fn check<'a>(
        &'a self,
        brief: Brief<'a>,
        ledger: &'a dyn Ledger,
    ) -> BoxFuture<'a, Result<(), ProposeError>> {
        Box::pin(async move { self.look(&brief, ledger).await })
    }

    fn request_size(&self, brief: Brief<'_>) -> Option<RequestSize> {
        let prompt = self.templates.render(&brief, self.language).ok()?;
        Some(RequestSize {
            prompt_tokens: (prompt.to_string().len() / BYTES_PER_TOKEN) as u64,
            most_completion_tokens: self.endpoint.config().max_tokens.into(),
        })
    }

    fn reread(&self, answered: &Exchange, brief: Brief<'_>) -> Option<Proposal> {
        let reply = Reply {
            text: answered.reply.clone(),
            reasoning: answered.reasoning.clone(),
            instead: answered.instead.clone(),
            stopped_because: answered.stopped_because.clone(),
            ..Reply::default()
        };
        Some(self.proposal(&reply, brief.count, Vec::new()))
    }
}

const fn setup(message: String) -> ProposeError {
    ProposeError::Setup(message)
}

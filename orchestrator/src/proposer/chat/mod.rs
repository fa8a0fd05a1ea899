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
use crate::judge::endpoint::{AskError, Endpoint, Messages, Reply};

pub use self::config::ChatConfig;
use super::{BoxFuture, Brief, Proposal, ProposeError, Proposer, Unreadable, parse::parse};
use crate::domain::draft::Exchange;

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

    async fn ask(&self, brief: &Brief<'_>) -> Result<Proposal, ProposeError> {
        let prompt = self.templates.render(brief, self.language).map_err(setup)?;
        let mut exchanges = Vec::new();
        let mut record = |exchange| exchanges.push(self.exchange(&prompt, exchange));
        let asked = self
            .endpoint
            .ask(&Messages::from(&prompt), brief.seed, &mut record)
            .await;
        match asked {
            Ok(reply) => Ok(self.proposal(&reply, brief.count, exchanges)),
            Err(AskError::Setup(why) | AskError::Refused(why)) => Err(setup(why)),
            Err(AskError::Unavailable(message)) => {
                Err(ProposeError::Unavailable { message, exchanges })
            }
        }
    }

    /// A request with what was asked, as it is stored.
    fn exchange(&self, prompt: &Prompt, made: crate::judge::endpoint::Exchange) -> Exchange {
        Exchange {
            step: "ask".to_owned(),
            model: self.endpoint.config().model.clone(),
            prompt: prompt.to_string(),
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
    fn propose<'a>(&'a self, brief: Brief<'a>) -> BoxFuture<'a, Result<Proposal, ProposeError>> {
        Box::pin(async move { self.ask(&brief).await })
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

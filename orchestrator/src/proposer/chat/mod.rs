//! A language model behind an HTTP endpoint as a proposer: the brief becomes a prompt, the reply becomes drafts.
//!
//! Trouble on the way is retried with growing pauses; every request made is recorded. The key is read once, from the
//! variable the configuration names, and leaves this room only as a request header.

mod api;
mod key;
mod prompt;
mod retry;

use std::{net::IpAddr, time::Duration};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use reqwest::{Client, StatusCode, redirect};

pub use self::key::Key;
use self::{
    api::{Reply, Request},
    prompt::{Prompt, Templates},
    retry::{Attempt, Backoff},
};
use super::{
    BoxFuture, Brief, Exchange, Proposal, ProposeError, Proposer, Unreadable,
    config::{ChatApi, ChatConfig},
    parse::parse,
};

/// Bytes of a reply at most; a model's reply is some ten thousand.
const LARGEST_REPLY: usize = 8 << 20;
/// Seconds until a connection must stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Characters of a server's error message that are passed on.
const ERROR_EXCERPT: usize = 400;

/// A chat model as a [`Proposer`].
#[derive(Debug)]
pub struct Chat {
    config: ChatConfig,
    url: reqwest::Url,
    key: Option<Key>,
    templates: Templates,
    client: Client,
}

impl Chat {
    /// A proposer with these settings, its key read from the variable that `api_key_env` names.
    ///
    /// # Errors
    /// [`ProposeError::Setup`] as [`Chat::new`], and if the variable is not set or empty.
    pub fn from_environment(config: ChatConfig) -> Result<Self, ProposeError> {
        let key = match &config.api_key_env {
            Some(variable) => Some(Key::from_environment(variable).map_err(setup)?),
            None => None,
        };
        Self::new(config, key)
    }

    /// A proposer with these settings and this key.
    ///
    /// # Errors
    /// [`ProposeError::Setup`] if a setting cannot work or a prompt template cannot be read.
    pub fn new(config: ChatConfig, key: Option<Key>) -> Result<Self, ProposeError> {
        let url = api::endpoint(&config).map_err(setup)?;
        api::check(&config).map_err(setup)?;
        let templates = Templates::load(config.prompt_dir.as_deref()).map_err(setup)?;
        // Fails only if one is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .timeout(Duration::from_secs(config.timeout_s))
            .connect_timeout(CONNECT_TIMEOUT)
            // A key must not follow a redirect to another host.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("reward-search/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&url) {
            // A proxy for the world outside cannot reach a server on this machine.
            client = client.no_proxy();
        } else if url.scheme() == "http" && key.is_some() {
            tracing::warn!(
                "the key is sent to {url} unencrypted; use https:// if the endpoint has it"
            );
        }
        let client = client
            .build()
            .map_err(|error| setup(format!("no HTTPS client can be set up: {error}")))?;
        Ok(Self {
            config,
            url,
            key,
            templates,
            client,
        })
    }

    async fn ask(&self, brief: &Brief<'_>) -> Result<Proposal, ProposeError> {
        let prompt = self.templates.render(brief, self.config.language);
        let mut request = Request::new(&self.config, &prompt);
        let mut rng = ChaCha8Rng::seed_from_u64(brief.seed);
        let mut backoff = Backoff::new(&self.config);
        let mut exchanges = Vec::new();
        loop {
            let (attempt, exchange) = self.attempt(&mut request, &prompt).await;
            exchanges.push(exchange);
            match attempt {
                Attempt::Answered(reply) => {
                    return Ok(self.proposal(&reply, brief.count, exchanges));
                }
                Attempt::Hopeless(why) => return Err(setup(why)),
                Attempt::Adjusted => {}
                Attempt::Failed { why, retry_after } => {
                    let Some(pause) = backoff.next(retry_after, &mut rng) else {
                        return Err(ProposeError::Unavailable {
                            message: format!(
                                "{} stayed out of reach through {} requests; the last one: {why}. \
                                 Run the same command again to go on from here",
                                self.place(),
                                exchanges.len(),
                            ),
                            exchanges,
                        });
                    };
                    tracing::warn!(
                        round = brief.round,
                        pause_s = pause.as_secs_f64(),
                        "{why}; trying again"
                    );
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// One request.
    async fn attempt(&self, request: &mut Request, prompt: &Prompt) -> (Attempt, Exchange) {
        let mut exchange = Exchange {
            model: self.config.model.clone(),
            prompt: prompt.to_string(),
            ..Exchange::default()
        };
        let attempt = match self.send(request).await {
            Ok((status, retry_after, body)) if status.is_success() => {
                match Reply::read(self.config.api, &body) {
                    Ok(reply) => {
                        exchange.reply = self.without_key(&reply.text);
                        exchange.prompt_tokens = reply.prompt_tokens;
                        exchange.completion_tokens = reply.completion_tokens;
                        exchange.cost_usd = api::cost(&self.config, &reply);
                        Attempt::Answered(reply)
                    }
                    Err(why) => {
                        exchange.reply = self.without_key(&body);
                        Attempt::Failed {
                            why: format!("{} {why}", self.place()),
                            retry_after,
                        }
                    }
                }
            }
            Ok((status, retry_after, body)) => {
                let told = self.told(&body);
                let why = format!("{} answered {status}{told}", self.place());
                exchange.reply = self.without_key(&body);
                if retry::may_pass(status) {
                    Attempt::Failed { why, retry_after }
                } else if status == StatusCode::BAD_REQUEST && request.adjust(&body) {
                    Attempt::Adjusted
                } else {
                    Attempt::Hopeless(format!("{why}. {}", self.advice(status)))
                }
            }
            Err(why) => Attempt::Failed {
                why: format!("{}: {why}", self.place()),
                retry_after: None,
            },
        };
        exchange.error = match &attempt {
            Attempt::Answered(_) => None,
            Attempt::Hopeless(why) | Attempt::Failed { why, .. } => Some(why.clone()),
            Attempt::Adjusted => {
                Some("400: asked again without what the model does not take".to_owned())
            }
        };
        (attempt, exchange)
    }

    /// Status, `Retry-After` and body of one request; what broke, if it never got that far.
    async fn send(
        &self,
        request: &Request,
    ) -> Result<(StatusCode, Option<Duration>, String), String> {
        let mut builder = self.client.post(self.url.clone()).json(request.body());
        for (name, value) in api::headers(self.config.api, self.key.as_ref()) {
            builder = builder.header(name, value);
        }
        let mut response = builder.send().await.map_err(|error| describe(&error))?;
        let status = response.status();
        let retry_after = retry::retry_after(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| describe(&error))? {
            if body.len() + chunk.len() > LARGEST_REPLY {
                return Err(format!(
                    "the reply is larger than {} MiB",
                    LARGEST_REPLY >> 20
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((
            status,
            retry_after,
            String::from_utf8_lossy(&body).into_owned(),
        ))
    }

    fn proposal(&self, reply: &Reply, count: usize, exchanges: Vec<Exchange>) -> Proposal {
        let text = self.without_key(&reply.text);
        let (mut drafts, mut unreadable) = parse(&text, self.config.language);
        if drafts.len() > count {
            tracing::warn!(
                wanted = count,
                got = drafts.len(),
                "more drafts than asked for; the rest is left out"
            );
            drafts.truncate(count);
        }
        if text.trim().is_empty() {
            let reason = format!(
                "the model answered with an empty text{}",
                reply.stopped_because.as_deref().map_or_else(String::new, |why| format!(
                    " (stopped because of `{why}`; if that is about length, a larger `max_tokens` may help)"
                ))
            );
            unreadable = vec![Unreadable {
                text: String::new(),
                reason,
            }];
        }
        Proposal {
            drafts,
            unreadable,
            exchanges,
        }
    }

    /// The endpoint in messages.
    fn place(&self) -> String {
        format!("the model endpoint {}", self.url)
    }

    /// What the server says went wrong, shortened, or nothing.
    fn told(&self, body: &str) -> String {
        let message = self.without_key(&api::error_message(body));
        let message: String = message.chars().take(ERROR_EXCERPT).collect();
        match message.trim() {
            "" => String::new(),
            message => format!(" ({message})"),
        }
    }

    /// What to do about a status that will not pass.
    fn advice(&self, status: StatusCode) -> String {
        let variable = self.config.api_key_env.as_deref();
        match (status.as_u16(), variable) {
            (401 | 403, Some(variable)) => {
                format!(
                    "Check the key in the environment variable {variable} and what it may be used for"
                )
            }
            (401 | 403, None) => {
                "Name the environment variable that holds the key in proposer.api_key_env"
                    .to_owned()
            }
            (402, _) => "The account has no credit left".to_owned(),
            (404, _) => "Check proposer.base_url and proposer.model".to_owned(),
            (300..=399, _) => {
                "It redirects elsewhere: put the final address in proposer.base_url".to_owned()
            }
            _ => "Check the [proposer] section of the configuration".to_owned(),
        }
    }

    /// A text in which a server may have quoted the key.
    fn without_key(&self, text: &str) -> String {
        match &self.key {
            Some(key) => key.blot_out(text),
            None => text.to_owned(),
        }
    }
}

impl Proposer for Chat {
    fn propose<'a>(&'a self, brief: Brief<'a>) -> BoxFuture<'a, Result<Proposal, ProposeError>> {
        Box::pin(async move { self.ask(&brief).await })
    }
}

/// Whether the address is on this machine.
fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// An HTTP error with its causes; reqwest keeps the useful one innermost.
fn describe(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time; proposer.timeout_s says how long to wait".to_owned();
    }
    let mut causes = Vec::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(inner) = cause {
        causes.push(inner.to_string());
        cause = inner.source();
    }
    let what = if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    match causes.last() {
        Some(innermost) => format!("{what}: {innermost}"),
        None => what.to_owned(),
    }
}

const fn setup(message: String) -> ProposeError {
    ProposeError::Setup(message)
}

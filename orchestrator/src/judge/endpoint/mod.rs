//! A language model behind an HTTP endpoint: one question, one reply, with whatever tries that takes.
//!
//! Trouble on the way is retried with growing pauses; the caller is told of every request made. The key is read once, from the variable
//! the configuration names, and leaves this module only as a request header. What is asked, and what a reply means, is the caller's.

mod api;
mod config;
mod key;
mod retry;

use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use reqwest::{Client, StatusCode, redirect};

use self::{
    api::{Habits, Request},
    retry::{Attempt, Backoff},
};
pub(crate) use config::endpoint_section;

pub use self::{
    api::{Messages, Reply},
    config::{ChatApi, EndpointConfig, Origin, Prices},
    key::Key,
};

/// Bytes of a reply at most; a model's reply is some ten thousand.
const LARGEST_REPLY: usize = 8 << 20;
/// Seconds until a connection must stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Characters of a server's error message that are passed on.
const ERROR_EXCERPT: usize = 400;

/// A model that can be asked.
#[derive(Debug)]
pub struct Endpoint {
    config: EndpointConfig,
    url: reqwest::Url,
    key: Option<Key>,
    client: Client,
    habits: Habits,
    /// Key and address are right.
    has_answered: AtomicBool,
}

/// One request and what came back. Never holds a key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exchange {
    /// The reply's text, or the body of an error; empty if there was none.
    pub reply: String,
    /// HTTP status or what broke, if the request failed.
    pub error: Option<String>,
    /// Prompt tokens as reported.
    pub prompt_tokens: Option<u64>,
    /// Completion tokens as reported.
    pub completion_tokens: Option<u64>,
    /// Cost in dollars, if prices are configured.
    pub cost_usd: Option<f64>,
}

/// Why there is no reply. A variant is what the caller does next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// Every request will fail (no key, bad address, 401): tell the user.
    #[error("{0}")]
    Setup(String),
    /// This very request is not taken (too long, filtered); others may be.
    #[error("{0}")]
    Refused(String),
    /// It stayed out of reach through all tries: it may work later.
    #[error("{0}")]
    Unavailable(String),
}

impl Endpoint {
    /// An endpoint with these settings, its key read from the variable that `api_key_env` names.
    ///
    /// # Errors
    /// As [`Endpoint::new`], and if the variable is not set or empty.
    pub fn from_environment(config: EndpointConfig) -> Result<Self, String> {
        let key = match &config.api_key_env {
            Some(variable) => Some(Key::from_environment(
                variable,
                &config.origin.setting("api_key_env"),
            )?),
            None => None,
        };
        Self::new(config, key)
    }

    /// An endpoint with these settings and this key.
    ///
    /// # Errors
    /// If a setting cannot work.
    pub fn new(config: EndpointConfig, key: Option<Key>) -> Result<Self, String> {
        config.check()?;
        let url = api::address(&config)?;
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
            .map_err(|error| format!("no HTTPS client can be set up: {error}"))?;
        Ok(Self {
            config,
            url,
            key,
            client,
            habits: Habits::default(),
            has_answered: AtomicBool::new(false),
        })
    }

    /// How it is asked.
    #[must_use]
    pub fn config(&self) -> &EndpointConfig {
        &self.config
    }

    /// Asks until there is a reply or no hope. `seed` spreads the pauses of clients that failed together; `on_exchange` is told of every
    /// request.
    ///
    /// # Errors
    /// See [`AskError`].
    pub async fn ask(
        &self,
        messages: &Messages,
        seed: u64,
        on_exchange: &mut (dyn FnMut(Exchange) + Send),
    ) -> Result<Reply, AskError> {
        let mut request = Request::new(&self.config, messages, &self.habits);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut backoff = Backoff::new(&self.config);
        let mut requests = 0;
        loop {
            let (attempt, exchange) = self.attempt(&mut request).await;
            on_exchange(exchange);
            requests += 1;
            match attempt {
                Attempt::Answered(reply) => return Ok(reply),
                Attempt::Hopeless(why) => return Err(AskError::Setup(why)),
                Attempt::Refused(why) => return Err(AskError::Refused(why)),
                Attempt::Adjusted => {}
                Attempt::Failed { why, retry_after } => {
                    let Some(pause) = backoff.next(retry_after, &mut rng) else {
                        return Err(AskError::Unavailable(format!(
                            "{} stayed out of reach through {requests} requests; the last one: {why}. \
                             Run the same command again to go on from here",
                            self.place(),
                        )));
                    };
                    tracing::warn!(pause_s = pause.as_secs_f64(), "{why}; trying again");
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// One request.
    async fn attempt(&self, request: &mut Request) -> (Attempt, Exchange) {
        let mut exchange = Exchange::default();
        let attempt = match self.send(request).await {
            Ok((status, retry_after, body)) if status.is_success() => {
                match Reply::read(self.config.api, &body) {
                    Ok(reply) => {
                        self.has_answered.store(true, Ordering::Relaxed);
                        let text = self.without_key(&reply.text);
                        exchange.reply = text.clone();
                        exchange.prompt_tokens = reply.prompt_tokens;
                        exchange.completion_tokens = reply.completion_tokens;
                        exchange.cost_usd = api::cost(self.config.prices, &reply);
                        Attempt::Answered(Reply { text, ..reply })
                    }
                    Err(why) => {
                        exchange.reply = self.without_key(&body);
                        Attempt::Failed {
                            why: self.without_key(&format!("{} {why}", self.place())),
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
                } else if status == StatusCode::BAD_REQUEST && request.adjust(&body, &self.habits) {
                    Attempt::Adjusted
                } else {
                    let why = format!("{why}. {}", self.advice(status));
                    let of_this_request = matches!(status.as_u16(), 400 | 413 | 422)
                        // What has answered before has taken key and address; moderation says 403, too.
                        || (self.has_answered.load(Ordering::Relaxed)
                            && status.is_client_error()
                            && status != StatusCode::UNAUTHORIZED);
                    if of_this_request {
                        Attempt::Refused(why)
                    } else {
                        Attempt::Hopeless(why)
                    }
                }
            }
            Err(why) => Attempt::Failed {
                why: format!("{}: {why}", self.place()),
                retry_after: None,
            },
        };
        exchange.error = match &attempt {
            Attempt::Answered(_) => None,
            Attempt::Hopeless(why) | Attempt::Refused(why) | Attempt::Failed { why, .. } => {
                Some(why.clone())
            }
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
        let broke = |error: reqwest::Error| self.describe(&error);
        let mut response = builder.send().await.map_err(broke)?;
        let status = response.status();
        let retry_after = retry::retry_after(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broke)? {
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
        let setting = |name| self.config.origin.setting(name);
        let variable = self.config.api_key_env.as_deref();
        match (status.as_u16(), variable) {
            (401 | 403, Some(variable)) => {
                format!(
                    "Check the key in the environment variable {variable} and what it may be used for"
                )
            }
            (401 | 403, None) => format!(
                "Name the environment variable that holds the key in {}",
                setting("api_key_env")
            ),
            (402, _) => "The account has no credit left".to_owned(),
            (404, _) => format!("Check {} and {}", setting("base_url"), setting("model")),
            (300..=399, _) => format!(
                "It redirects elsewhere: put the final address in {}",
                setting("base_url")
            ),
            _ => format!("Check {}", self.config.origin.all()),
        }
    }

    /// An HTTP error with its causes; reqwest keeps the useful one innermost.
    fn describe(&self, error: &reqwest::Error) -> String {
        if error.is_timeout() {
            return format!(
                "no answer in time; {} says how long to wait",
                self.config.origin.setting("timeout_s")
            );
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

    /// A text in which a server may have quoted the key.
    fn without_key(&self, text: &str) -> String {
        match &self.key {
            Some(key) => key.blot_out(text),
            None => text.to_owned(),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Settings that work, if the address does.
    pub(super) fn config(base_url: &str) -> EndpointConfig {
        EndpointConfig {
            origin: Origin::Section("proposer"),
            base_url: base_url.to_owned(),
            model: "m".to_owned(),
            api: ChatApi::Openai,
            api_key_env: None,
            temperature: 0.6,
            max_tokens: 8192,
            timeout_s: 300,
            max_retries: 5,
            backoff_ms: 1000,
            prices: Prices::default(),
        }
    }
}

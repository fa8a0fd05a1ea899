//! A language model behind an HTTP endpoint: one question, one reply, with whatever tries that takes.
//!
//! Trouble on the way is retried with growing pauses; the caller is told of every request made. The key is read once, from the variable
//! the configuration names, and leaves this module only as a request header. What is asked, and what a reply means, is the caller's.

mod api;
mod body;
mod check;
mod config;
mod gone;
mod key;
mod reply;
mod retry;
mod told;
mod tries;

use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use reqwest::{Client, StatusCode, redirect};

use self::{
    api::{Habits, Request},
    gone::{Watched, unless_gone},
    reply::{Bill, NoReply},
    retry::Attempt,
    told::Told,
};
pub(crate) use config::endpoint_section;

pub use self::{
    api::Messages,
    check::CHECKING,
    config::{ChatApi, EndpointConfig, Origin, Prices},
    key::{Key, key_name},
    reply::Reply,
    tries::{Came, Hears, Tries},
};

/// Bytes of a reply at most; a model's reply is some ten thousand.
const LARGEST_REPLY: usize = 8 << 20;
/// Seconds until a connection must stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// A reply that trickles is given up after so many times the time-out: nobody waits for ever.
const LONGEST_TRICKLE: u64 = 12;
/// Characters of something that is no reply that are passed on.
const FOREIGN_EXCERPT: usize = 80;

/// A model that can be asked.
#[derive(Debug)]
pub struct Endpoint {
    config: EndpointConfig,
    url: reqwest::Url,
    key: Option<Key>,
    client: Client,
    habits: Habits,
    /// Where it is looked whether the server is there while it is waited for.
    watched: Option<Watched>,
    /// Key and address are right.
    has_answered: AtomicBool,
    told: Told,
}

/// One request and what came back. Never holds a key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exchange {
    /// The reply's text, or the body of an error; empty if there was none.
    pub reply: String,
    /// What the server says the model thought before it.
    pub reasoning: Option<String>,
    /// What came in place of a text: a refusal, or calls of tools.
    pub instead: Option<String>,
    /// Why the reply ended, in the endpoint's words.
    pub stopped_because: Option<String>,
    /// The model that answered, by the server's name for it.
    pub answered_by: Option<String>,
    /// HTTP status or what broke, if the request failed.
    pub error: Option<String>,
    /// Prompt tokens, as reported or guessed; `None` where nothing was written and so nothing can be billed.
    pub prompt_tokens: Option<u64>,
    /// Completion tokens, likewise.
    pub completion_tokens: Option<u64>,
    /// Some of the tokens are guessed from the length of the texts: the server counted none.
    pub is_estimate: bool,
    /// Cost in dollars, if prices are configured.
    pub cost_usd: Option<f64>,
}

/// What came over the wire.
struct Received {
    status: StatusCode,
    retry_after: Option<Duration>,
    body: String,
    /// What broke before all of it had come.
    broke: Option<Broke>,
}

/// What broke a request.
struct Broke {
    why: String,
    /// The server may have written a reply all the same.
    may_be_paid: bool,
}

impl Broke {
    fn gone() -> Self {
        Self {
            why: "it takes no connections any more, and left this request without an answer"
                .to_owned(),
            may_be_paid: false,
        }
    }
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
            .read_timeout(Duration::from_secs(config.timeout_s))
            .timeout(Duration::from_secs(
                config.timeout_s.saturating_mul(LONGEST_TRICKLE),
            ))
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
            watched: Watched::at(&url),
            url,
            key,
            client,
            habits: Habits::default(),
            has_answered: AtomicBool::new(false),
            told: Told::default(),
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
        let mut tries = self.tries(messages, seed);
        loop {
            let (exchange, came) = tries.next().await;
            on_exchange(exchange);
            match came {
                Came::Reply(reply) => return Ok(reply),
                Came::Error(error) => return Err(error),
                Came::Pause { length, why, told } => {
                    self.warn(&why, &told);
                    tokio::time::sleep(length).await;
                }
                Came::Adjusted => {}
            }
        }
    }

    /// The requests for one reply, for who has something to do between them.
    #[must_use]
    pub fn tries(&self, messages: &Messages, seed: u64) -> Tries<'_> {
        Tries::new(self, messages, seed)
    }

    /// One request.
    async fn attempt(
        &self,
        request: &mut Request,
        heard: Option<Hears<'_>>,
    ) -> (Attempt, Exchange) {
        let mut exchange = Exchange::default();
        let prompt_bytes = request.body().to_string().len();
        let sent = unless_gone(self.watched.as_ref(), self.send(request, heard)).await;
        let attempt = match sent.unwrap_or_else(|| Err(Broke::gone())) {
            Err(broke) => {
                if broke.may_be_paid {
                    exchange.bill(&Bill::of_broken("", prompt_bytes, self.config.prices));
                }
                self.broken(&broke)
            }
            Ok(received) if received.status.is_success() => {
                self.read(&received, prompt_bytes, &mut exchange)
            }
            Ok(received) => {
                exchange.reply = self.without_key(&received.body);
                self.refused(&received, request)
            }
        };
        exchange.error = match &attempt {
            Attempt::Answered(_) => None,
            Attempt::Hopeless(why)
            | Attempt::Refused(why)
            | Attempt::FailedPaid { why }
            | Attempt::Failed { why, .. } => Some(why.clone()),
            Attempt::Adjusted => {
                Some("400: asked again without what the model does not take".to_owned())
            }
        };
        (attempt, exchange)
    }

    fn broken(&self, broke: &Broke) -> Attempt {
        let why = format!("{}: {}", self.place(), broke.why);
        match broke.may_be_paid {
            true => Attempt::FailedPaid { why },
            false => Attempt::Failed {
                why,
                retry_after: None,
            },
        }
    }

    /// What a successful response holds. Whatever it is, it was paid for.
    fn read(&self, received: &Received, prompt_bytes: usize, exchange: &mut Exchange) -> Attempt {
        let prices = self.config.prices;
        let failed = |why: &str| self.without_key(&format!("{} {why}", self.place()));
        if let Some(broke) = &received.broke {
            exchange.reply = self.without_key(&received.body);
            exchange.bill(&Bill::of_broken(&received.body, prompt_bytes, prices));
            return self.broken(broke);
        }
        match Reply::read(&received.body) {
            Ok(reply) => {
                self.has_answered.store(true, Ordering::Relaxed);
                exchange.bill(&Bill::of(&reply, prompt_bytes, prices));
                let clean =
                    |text: &Option<String>| text.as_ref().map(|text| self.without_key(text));
                let reply = Reply {
                    text: self.without_key(&reply.text),
                    reasoning: clean(&reply.reasoning),
                    instead: clean(&reply.instead),
                    ..reply
                };
                exchange.reply.clone_from(&reply.text);
                exchange.reasoning.clone_from(&reply.reasoning);
                exchange.instead.clone_from(&reply.instead);
                exchange.stopped_because.clone_from(&reply.stopped_because);
                exchange.answered_by.clone_from(&reply.model);
                Attempt::Answered(reply)
            }
            Err(NoReply::Trouble(why)) => {
                exchange.reply = self.without_key(&received.body);
                exchange.bill(&Bill::of_broken(&received.body, prompt_bytes, prices));
                Attempt::Failed {
                    why: failed(&why),
                    retry_after: received.retry_after,
                }
            }
            Err(NoReply::Foreign(why)) => {
                exchange.reply = self.without_key(&received.body);
                exchange.bill(&Bill::of_broken(&received.body, prompt_bytes, prices));
                let setting = |name| self.config.origin.setting(name);
                let begins: String = exchange.reply.chars().take(FOREIGN_EXCERPT).collect();
                Attempt::FailedPaid {
                    why: format!(
                        "{} (it begins `{}`). Check {} and {}",
                        failed(&why),
                        begins.split_whitespace().collect::<Vec<_>>().join(" "),
                        setting("base_url"),
                        setting("api"),
                    ),
                }
            }
        }
    }

    /// What a response of another status means.
    fn refused(&self, received: &Received, request: &mut Request) -> Attempt {
        let Received {
            status,
            retry_after,
            body,
            ..
        } = received;
        let number = status.as_u16();
        let reason = status.canonical_reason().map(|words| format!(" {words}"));
        let told = self.told(body);
        let why = format!(
            "{} answered {number}{}{told}",
            self.place(),
            reason.unwrap_or_default()
        );
        let is_broke = body.contains("insufficient_quota") || body.contains("billing");
        if retry::may_pass(*status) && !(number == 429 && is_broke) {
            return Attempt::Failed {
                why,
                retry_after: *retry_after,
            };
        }
        if matches!(number, 400 | 422) && request.adjust(body, &self.habits) {
            return Attempt::Adjusted;
        }
        let why = format!("{why}. {}", self.advice(*status, body));
        let of_this_request = matches!(number, 400 | 413 | 422)
            // What has answered before has taken key and address; moderation says 403, too.
            || (self.has_answered.load(Ordering::Relaxed)
                && status.is_client_error()
                && !matches!(number, 401 | 402 | 429));
        if of_this_request {
            Attempt::Refused(why)
        } else {
            Attempt::Hopeless(why)
        }
    }

    /// What one request brought; what broke, if it never got as far as a status.
    async fn send(&self, request: &Request, heard: Option<Hears<'_>>) -> Result<Received, Broke> {
        let mut builder = self.client.post(self.url.clone()).json(request.body());
        for (name, value) in api::headers(self.config.api, self.key.as_ref()) {
            builder = builder.header(name, value);
        }
        let mut response = builder
            .send()
            .await
            .map_err(|error| self.describe(&error))?;
        let status = response.status();
        let retry_after = retry::retry_after(response.headers());
        let (mut bytes, mut broke, mut pieces) = (Vec::new(), None, 0);
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() > LARGEST_REPLY => {
                    broke = Some(Broke {
                        why: format!("the reply is larger than {} MiB", LARGEST_REPLY >> 20),
                        may_be_paid: true,
                    });
                    break;
                }
                Ok(Some(chunk)) => {
                    bytes.extend_from_slice(&chunk);
                    if let Some(heard) = heard {
                        pieces += body::pieces_in(&chunk);
                        heard(pieces);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    broke = Some(self.describe(&error));
                    break;
                }
            }
        }
        Ok(Received {
            status,
            retry_after,
            body: body::text_of(&bytes, LARGEST_REPLY),
            broke,
        })
    }
}

impl Exchange {
    fn bill(&mut self, bill: &Bill) {
        self.prompt_tokens = bill.prompt_tokens;
        self.completion_tokens = bill.completion_tokens;
        self.is_estimate = bill.is_estimate;
        self.cost_usd = bill.cost_usd;
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
            stream: false,
            prices: Prices::default(),
        }
    }
}

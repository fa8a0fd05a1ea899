//! What a person is told of an endpoint's trouble: in the server's words, without the key, with the setting to look at, and once.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use reqwest::StatusCode;

use super::{Broke, ChatApi, Endpoint, reply};

/// Characters of a server's error message that are passed on.
const ERROR_EXCERPT: usize = 400;
/// The same trouble is told again after so long.
const QUIET: Duration = Duration::from_secs(30);

/// What was told of an endpoint, and when.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<HashMap<String, Instant>>);

impl Told {
    /// Notes that a trouble is told; whether it was not told a moment ago.
    fn is_news(&self, trouble: &str) -> bool {
        let mut told = self.0.lock().expect("no holder panics");
        told.retain(|_, at| at.elapsed() < QUIET);
        let is_news = !told.contains_key(trouble);
        told.entry(trouble.to_owned()).or_insert_with(Instant::now);
        is_news
    }
}

impl Endpoint {
    /// Tells of a trouble, once for all the requests that meet it side by side or soon after each other.
    pub fn warn(&self, trouble: &str, told: &str) {
        if self.told.is_news(trouble) {
            tracing::warn!("{told}");
        }
    }

    /// The endpoint in messages.
    pub(super) fn place(&self) -> String {
        format!("the model endpoint {}", self.url)
    }

    /// What the server says went wrong, shortened, or nothing.
    pub(super) fn told(&self, body: &str) -> String {
        let message = self.without_key(&reply::error_message(body));
        let message: String = message.chars().take(ERROR_EXCERPT).collect();
        match message.trim() {
            "" => String::new(),
            message => format!(" ({message})"),
        }
    }

    /// What to do about a status that will not pass.
    pub(super) fn advice(&self, status: StatusCode, body: &str) -> String {
        let setting = |name| self.config.origin.setting(name);
        let variable = self.config.api_key_env.as_deref();
        let body = body.to_ascii_lowercase();
        let is_too_long = ["context", "max_tokens", "maximum", "too long", "too large"]
            .iter()
            .any(|word| body.contains(word));
        let is_azure = self
            .url
            .host_str()
            .is_some_and(|host| host.ends_with(".azure.com"));
        match (status.as_u16(), variable) {
            (401 | 403, _) if is_azure && self.config.api != ChatApi::Azure => {
                format!(
                    "Azure takes the key in a header of its own: set {} to \"azure\"",
                    setting("api")
                )
            }
            (400 | 413 | 422, _) if is_too_long => format!(
                "Prompt and reply together must fit the model: lower {} (it is {}), or take a model with a longer context",
                setting("max_tokens"),
                self.config.max_tokens
            ),
            (401 | 403, Some(variable)) => {
                format!(
                    "Check the key in the environment variable {variable} and what it may be used for"
                )
            }
            (401 | 403, None) => format!(
                "Name the environment variable that holds the key in {}",
                setting("api_key_env")
            ),
            (402 | 429, _) => "The account has no credit left".to_owned(),
            (404, _) => format!("Check {} and {}", setting("base_url"), setting("model")),
            (300..=399, _) => format!(
                "It redirects elsewhere: put the final address in {}",
                setting("base_url")
            ),
            _ => format!("Check {}", self.config.origin.all()),
        }
    }

    /// An HTTP error with its causes; reqwest keeps the useful one innermost.
    pub(super) fn describe(&self, error: &reqwest::Error) -> Broke {
        if error.is_timeout() {
            return Broke {
                why: format!(
                    "no answer within {} s; {} says how long to wait for a word",
                    self.config.timeout_s,
                    self.config.origin.setting("timeout_s")
                ),
                may_be_paid: !error.is_connect(),
            };
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
        Broke {
            why: match causes.last() {
                Some(innermost) => format!("{what}: {innermost}"),
                None => what.to_owned(),
            },
            may_be_paid: false,
        }
    }

    /// A text in which a server may have quoted the key.
    pub(super) fn without_key(&self, text: &str) -> String {
        match &self.key {
            Some(key) => key.blot_out(text),
            None => text.to_owned(),
        }
    }
}

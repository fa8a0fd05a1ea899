//! Ray's Jobs REST API, as far as it is used here. Every request is tried once; who asks decides what to do about a cluster out of reach.

use std::{env, error::Error as _, time::Duration};

use reqwest::{Client, Method, RequestBuilder, StatusCode, header, redirect};
use serde::Deserialize;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};

use super::{log::Tail, submission::Submission};
use crate::{TrainError, worker::ClusterConfig};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(15);
/// How long a log may take, which comes whole.
const LOG: Duration = Duration::from_secs(120);
/// How long an upload may take.
const UPLOAD: Duration = Duration::from_secs(900);
/// The most of an answer that is quoted, characters.
const QUOTED: usize = 300;

/// Why a request came to nothing. A variant is what the caller does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody answers, or somebody in between who cannot reach the cluster either: it may come back.
    Unreachable(String),
    /// The cluster does not take the token, or wants one: tell the user.
    Denied(String),
    /// The cluster answered that it will not or cannot.
    Refused(String),
}

/// How a job stands.
#[derive(Debug, Clone, Deserialize)]
pub struct Standing {
    /// Where it is.
    pub status: JobState,
    /// What Ray says of that.
    #[serde(default)]
    pub message: Option<String>,
    /// What kind of trouble Ray says it is.
    #[serde(default)]
    pub error_type: Option<String>,
    /// How its process ended.
    #[serde(default)]
    pub driver_exit_code: Option<i32>,
}

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum JobState {
    /// It waits for its turn.
    Pending,
    /// Its process goes on.
    Running,
    /// It was stopped.
    Stopped,
    /// Its process ended well.
    Succeeded,
    /// It did not.
    Failed,
    /// A newer Ray's.
    #[serde(other)]
    Unknown,
}

impl JobState {
    /// Whether nothing more will happen.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Stopped | Self::Succeeded | Self::Failed)
    }
}

#[derive(Deserialize)]
struct Log {
    #[serde(default)]
    logs: Option<String>,
}

/// A cluster.
pub struct Cluster {
    client: Client,
    address: String,
    token: Option<String>,
    token_env: Option<String>,
}

impl Cluster {
    /// The cluster of a configuration, with the token that its variable holds. Nobody is asked yet.
    ///
    /// # Errors
    /// `Setup` if the variable is not set, or no client can be had.
    pub fn of(config: &ClusterConfig) -> Result<Self, TrainError> {
        let token = match &config.token_env {
            None => None,
            Some(name) => match env::var(name).map(|token| token.trim().to_owned()) {
                Ok(token) if !token.is_empty() => Some(token),
                _ => {
                    return Err(TrainError::Setup(format!(
                        "the variable {name} holds no token: set it to the cluster's, or leave `trainer.cluster.token_env` out"
                    )));
                }
            },
        };
        // Fails only if one is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .connect_timeout(CONNECT)
            // A token must not follow a redirect to another host.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("reward-search/", env!("CARGO_PKG_VERSION")));
        let host = config.address.split("://").nth(1).unwrap_or_default();
        if ["127.", "localhost", "[::1]"]
            .iter()
            .any(|local| host.starts_with(local))
        {
            // A proxy for the world outside cannot reach a server on this machine.
            client = client.no_proxy();
        } else if token.is_some() && config.address.starts_with("http://") {
            eprint_warning(&config.address);
        }
        Ok(Self {
            client: client.build().map_err(|error| {
                TrainError::Setup(format!("no HTTP client can be set up: {error}"))
            })?,
            address: config.address.trim_end_matches('/').to_owned(),
            token,
            token_env: config.token_env.clone(),
        })
    }

    /// Its address, for messages.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether it answers at all, and takes the token.
    pub async fn greet(&self) -> Result<(), Trouble> {
        self.ask(self.request(Method::GET, "/api/version")).await?;
        // The version is told to everybody; jobs are not.
        self.standing("reward-search-greeting").await.map(drop)
    }

    /// Whether it has a package. Asking keeps it from being forgotten for some minutes.
    pub async fn has(&self, package: &str) -> Result<bool, Trouble> {
        let path = format!("/api/packages/gcs/{package}");
        Ok(self.ask(self.request(Method::GET, &path)).await?.is_some())
    }

    /// Gives it a package, or a value under a package's name. What was there is replaced.
    pub async fn put(&self, package: &str, content: Vec<u8>) -> Result<(), Trouble> {
        let path = format!("/api/packages/gcs/{package}");
        let request = self.request(Method::PUT, &path).timeout(UPLOAD);
        self.ask(request.body(content)).await.map(drop)
    }

    /// Submits a job.
    pub async fn submit(&self, submission: &Submission) -> Result<(), Trouble> {
        let request = self.request(Method::POST, "/api/jobs/");
        self.ask(request.timeout(LOG).json(submission))
            .await
            .map(drop)
    }

    /// How a job stands; `None` if the cluster knows none of this name.
    pub async fn standing(&self, id: &str) -> Result<Option<Standing>, Trouble> {
        let path = format!("/api/jobs/{id}");
        let Some(text) = self.ask(self.request(Method::GET, &path)).await? else {
            return Ok(None);
        };
        let unreadable = |error: serde_json::Error| {
            Trouble::Refused(format!(
                "what it says of the job {id} is no JSON of Ray's ({error}): {}",
                quoted(&text)
            ))
        };
        serde_json::from_str(&text).map(Some).map_err(unreadable)
    }

    /// All that a job has printed, as far as the cluster can still say.
    pub async fn log(&self, id: &str) -> Result<String, Trouble> {
        let path = format!("/api/jobs/{id}/logs");
        let request = self.request(Method::GET, &path).timeout(LOG);
        let text = self.ask(request).await?.unwrap_or_default();
        let log: Option<Log> = serde_json::from_str(&text).ok();
        Ok(log.and_then(|log| log.logs).unwrap_or_default())
    }

    /// A job's log from its beginning, as it grows. The connection is made as for any other request, by the same proxy, with the same token.
    pub async fn tail(&self, id: &str) -> Result<Tail, Trouble> {
        let unreachable = |error: reqwest::Error| Trouble::Unreachable(innermost(&error));
        let path = format!("/api/jobs/{id}/logs/tail");
        let key = generate_key();
        let request = self
            .request(Method::GET, &path)
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, &key);
        let response = request.send().await.map_err(unreachable)?;
        let accepted = response.headers().get(header::SEC_WEBSOCKET_ACCEPT);
        let agreed = accepted.is_some_and(|it| *it == derive_accept_key(key.as_bytes()));
        if response.status() != StatusCode::SWITCHING_PROTOCOLS || !agreed {
            return Err(Trouble::Refused(response.status().to_string()));
        }
        let connection = response.upgrade().await.map_err(unreachable)?;
        Ok(Tail::of(connection).await)
    }

    /// Stops a job: Ray asks its processes to end, and kills them some seconds later.
    pub async fn stop(&self, id: &str) -> Result<(), Trouble> {
        let path = format!("/api/jobs/{id}/stop");
        self.ask(self.request(Method::POST, &path)).await.map(drop)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.address);
        let request = self.client.request(method, url).timeout(ANSWER);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The text of an answer; `None` if there is no such thing.
    async fn ask(&self, request: RequestBuilder) -> Result<Option<String>, Trouble> {
        let unreachable = |error: reqwest::Error| Trouble::Unreachable(innermost(&error));
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let text = response.text().await.map_err(unreachable)?;
        if status.is_success() {
            return Ok(Some(text));
        }
        let said = format!("{status}: {}", quoted(&text));
        Err(match status {
            StatusCode::NOT_FOUND => return Ok(None),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Trouble::Denied(self.denied(status))
            }
            // A gateway whose cluster is gone, or a cluster that is coming up or has too much to do.
            StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS => Trouble::Unreachable(said),
            _ => Trouble::Refused(said),
        })
    }

    fn denied(&self, status: StatusCode) -> String {
        let at = &self.address;
        match &self.token_env {
            None => format!(
                "the cluster at {at} wants a token ({status}): name the environment variable that holds it in `trainer.cluster.token_env`"
            ),
            Some(name) => format!(
                "the cluster at {at} does not take the token in {name} ({status}): set it to the cluster's own (`ray get-auth-token`)"
            ),
        }
    }
}

/// Said once a program: a token in the clear.
fn eprint_warning(address: &str) {
    tracing::warn!(
        "the cluster's token is sent to {address} unencrypted: use https:// or a tunnel"
    );
}

/// What reqwest keeps innermost, which is the useful part.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match error.is_timeout() && error.source().is_none() {
        true => "no answer in time".to_owned(),
        false => cause.to_string(),
    }
}

/// The last line of an answer that says something: of a traceback it is the error.
fn quoted(text: &str) -> String {
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    last.unwrap_or("no text")
        .trim()
        .chars()
        .take(QUOTED)
        .collect()
}

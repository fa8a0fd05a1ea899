//! Sees that a server has stopped while a request waits for it: one that shuts down may leave requests unanswered and their connections
//! open, and nothing would be heard until the time-out.

use std::{future::Future, io::ErrorKind, time::Duration};

use tokio::{net::TcpStream, time::timeout};

use super::is_loopback;

/// How often it is looked whether the server still takes connections.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a connection may take; one that takes longer says nothing.
const PATIENCE: Duration = Duration::from_secs(4);
/// Connections that must be refused one after the other: a server that is only made anew has time to come back.
const REFUSALS: u32 = 2;
/// Variables that have requests go by another machine, so that a direct connection says nothing about the server.
const PROXIES: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// Where a server can be looked for: one that is reached without encryption is near, and only such ones are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Watched {
    host: String,
    port: u16,
}

impl Watched {
    pub(super) fn at(url: &reqwest::Url) -> Option<Self> {
        let is_direct =
            is_loopback(url) || PROXIES.iter().all(|name| std::env::var_os(name).is_none());
        if url.scheme() != "http" || !is_direct {
            return None;
        }
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default()?;
        Some(Self { host, port })
    }

    async fn refuses(&self) -> bool {
        let connection = TcpStream::connect((self.host.as_str(), self.port));
        let came = timeout(PATIENCE, connection).await;
        matches!(came, Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused)
    }

    /// Ends when the server takes no connections any more.
    async fn is_gone(&self) {
        let mut refusals = 0;
        while refusals < REFUSALS {
            tokio::time::sleep(LOOK_EVERY).await;
            refusals = if self.refuses().await {
                refusals + 1
            } else {
                0
            };
        }
    }
}

/// What comes of some work, or nothing if the server it waits for is gone before.
pub(super) async fn unless_gone<T>(
    watched: Option<&Watched>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let Some(watched) = watched else {
        return Some(work.await);
    };
    tokio::select! {
        done = work => Some(done),
        () = watched.is_gone() => None,
    }
}

//! What a job prints, as it grows: followed through the cluster's WebSocket where the way to it lets one through, and else asked for whole
//! again and again.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use reqwest::Upgraded;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use super::cluster::{Cluster, Trouble};

/// Connections that may break before a log is asked for instead.
const PATIENCE: u32 = 3;

/// A log that comes piece by piece, from its beginning.
pub struct Tail {
    socket: WebSocketStream<Upgraded>,
    /// Where in the log the next piece begins, bytes.
    at: usize,
    /// When a piece came, or the log was asked for.
    heard: Instant,
    /// Whether the log was asked for since the last piece, and had more.
    is_behind: bool,
}

impl Tail {
    /// Of a connection that has become a WebSocket.
    pub async fn of(connection: Upgraded) -> Self {
        Self {
            socket: WebSocketStream::from_raw_socket(connection, Role::Client, None).await,
            at: 0,
            heard: Instant::now(),
            is_behind: false,
        }
    }

    /// The next piece, with its place in the log; `None` when no more will come. Dropping the future loses nothing.
    async fn piece(&mut self) -> Option<(usize, String)> {
        loop {
            match self.socket.next().await?.ok()? {
                Message::Text(text) => {
                    let at = self.at;
                    self.at += text.len();
                    (self.heard, self.is_behind) = (Instant::now(), false);
                    return Some((at, text.as_str().to_owned()));
                }
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }
}

/// Whether a job that is looked at is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It goes on.
    NotYet,
    /// It is, and will be looked at again.
    Over,
    /// It is, and whatever it said must be there now.
    LastLook,
}

/// What was read of a job's log, and how the rest of it gets here.
pub struct Log<'a> {
    cluster: &'a Cluster,
    id: &'a str,
    /// How long a connection may bring nothing before it is doubted.
    quiet: Duration,
    tail: Option<Tail>,
    /// Connections that may still break.
    patience: u32,
    /// Bytes of the log that are known.
    known: usize,
    /// The end of them, which is no whole line yet.
    rest: String,
}

impl<'a> Log<'a> {
    /// The log of a job that is looked at so often; nothing is read yet.
    pub fn of(cluster: &'a Cluster, id: &'a str, poll: Duration) -> Self {
        Self {
            cluster,
            id,
            quiet: poll * 10,
            tail: None,
            patience: PATIENCE,
            known: 0,
            rest: String::new(),
        }
    }

    /// The lines that are new, if it must be asked for: where it is not followed, where nothing came for long, and with the last look at a job
    /// that is over, since a connection brings what came before the end after it.
    ///
    /// # Errors
    /// If the cluster is out of reach, or denies it.
    pub async fn look(&mut self, end: End) -> Result<Vec<String>, Trouble> {
        if self.tail.is_none() && self.patience > 0 && end == End::NotYet {
            self.follow().await;
        }
        let trusts = |tail: &Tail| match end {
            End::NotYet => tail.heard.elapsed() < self.quiet,
            End::Over => true,
            End::LastLook => false,
        };
        if self.tail.as_ref().is_some_and(trusts) {
            return Ok(Vec::new());
        }
        let log = match self.cluster.log(self.id).await {
            Ok(log) => log,
            // The node that has it is gone, or has not begun it.
            Err(Trouble::Refused(_)) => String::new(),
            Err(trouble) => return Err(trouble),
        };
        let before = self.known;
        let lines = self.take(0, &log);
        let had_more = self.known > before;
        match &mut self.tail {
            // The connection stands, and brings nothing: once it may only be late.
            Some(tail) if had_more && tail.is_behind => self.gives_up(),
            Some(tail) => {
                tail.heard = Instant::now();
                tail.is_behind |= had_more;
            }
            None => {}
        }
        Ok(lines)
    }

    /// The lines that the connection brings next; waits for ever where there is none.
    pub async fn next(&mut self) -> Vec<String> {
        let Some(tail) = &mut self.tail else {
            return std::future::pending().await;
        };
        match tail.piece().await {
            Some((at, text)) => self.take(at, &text),
            None => {
                self.gives_up();
                Vec::new()
            }
        }
    }

    /// Connects, if that can be.
    async fn follow(&mut self) {
        match self.cluster.tail(self.id).await {
            Ok(tail) => self.tail = Some(tail),
            Err(Trouble::Unreachable(why)) => {
                self.patience -= 1;
                tracing::debug!("the log of {} cannot be followed now: {why}", self.id);
            }
            Err(Trouble::Refused(why) | Trouble::Denied(why)) => {
                self.patience = 0;
                tracing::info!(
                    "the log of {} is asked for again and again: no WebSocket gets through to {} ({why})",
                    self.id,
                    self.cluster.address()
                );
            }
        }
    }

    fn gives_up(&mut self) {
        if self.tail.take().is_some() {
            self.patience = self.patience.saturating_sub(1);
        }
    }

    /// Takes a part of the log that begins at a place in it; returns the lines that are whole now. What is known is skipped, and a log that
    /// is shorter than it was is another one: the lines of a job come once.
    fn take(&mut self, at: usize, text: &str) -> Vec<String> {
        let new = text.get(self.known.saturating_sub(at)..);
        let new = new.unwrap_or_default();
        self.known += new.len();
        self.rest.push_str(new);
        let whole = self.rest.rfind('\n').map_or(0, |end| end + 1);
        let lines = self.rest[..whole].lines().map(str::to_owned).collect();
        self.rest.drain(..whole);
        lines
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;
    use crate::worker::ClusterConfig;

    #[test]
    fn each_line_comes_once_however_its_pieces_lie() {
        let cluster = Cluster::of(&ClusterConfig::default()).unwrap();
        let mut log = Log::of(&cluster, "x", Duration::from_millis(100));
        assert_eq!(log.take(0, "one\ntw"), ["one"]);
        assert_eq!(log.take(6, "o\n"), ["two"]);
        // Asked for whole, connected again, and a piece that is half known.
        assert_eq!(log.take(0, "one\ntwo\nthr"), [""; 0]);
        assert_eq!(log.take(0, "one\n"), [""; 0]);
        assert_eq!(log.take(4, "two\nthree\nfo"), ["three"]);
        assert_eq!(log.take(16, "ur\n"), ["four"]);
        assert_eq!(log.take(0, "another\n"), [""; 0]);
    }
}

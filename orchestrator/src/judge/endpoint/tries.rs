//! The requests for one reply, one at a time, with the pauses between them.

use std::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{
    AskError, Endpoint, Exchange, Messages, Reply,
    api::Request,
    retry::{Attempt, Backoff, NoTry},
};

/// Tries that may each have been paid for and brought nothing, at most.
const MOST_PAID_FAILURES: u32 = 2;

/// Pauses of a model that are followed, at most.
const MOST_PAUSES: u32 = 4;

/// The requests for one reply.
pub struct Tries<'a> {
    endpoint: &'a Endpoint,
    request: Request,
    rng: ChaCha8Rng,
    backoff: Backoff,
    made: u32,
    paid_failures: u32,
    pauses: u32,
    /// What the model wrote before it paused.
    so_far: String,
    heard: Option<Hears<'a>>,
}

/// Is told about how many tokens of a reply have come, as they come; only a stream comes in more than one piece.
pub type Hears<'a> = &'a (dyn Fn(u64) + Send + Sync);

/// What came of a request.
#[derive(Debug)]
pub enum Came {
    /// The reply.
    Reply(Reply),
    /// There will be none.
    Error(AskError),
    /// The next request may bring it, after a pause.
    Pause {
        /// How long.
        length: Duration,
        /// What happened.
        why: String,
        /// The same and what is waited for, in one line.
        told: String,
    },
    /// The next request is changed to what the model takes, and is due at once.
    Adjusted,
}

impl<'a> Tries<'a> {
    pub(super) fn new(endpoint: &'a Endpoint, messages: &Messages, seed: u64) -> Self {
        Self {
            request: Request::new(&endpoint.config, messages, &endpoint.habits),
            rng: ChaCha8Rng::seed_from_u64(seed),
            backoff: Backoff::new(&endpoint.config),
            endpoint,
            made: 0,
            paid_failures: 0,
            pauses: 0,
            so_far: String::new(),
            heard: None,
        }
    }

    /// The same, with somebody to be told how a reply grows.
    #[must_use]
    pub fn telling(mut self, heard: Hears<'a>) -> Self {
        self.heard = Some(heard);
        self
    }

    /// Makes one request. After a reply or an error there is nothing to be made.
    pub async fn next(&mut self) -> (Exchange, Came) {
        let (attempt, mut exchange) = self.endpoint.attempt(&mut self.request, self.heard).await;
        self.made += 1;
        let came = match attempt {
            Attempt::Answered(reply) if reply.is_paused() && self.pauses < MOST_PAUSES => {
                self.pauses += 1;
                self.request.go_on_from(&reply.text);
                self.so_far.push_str(&reply.text);
                exchange.error =
                    Some("the model paused (`pause_turn`) and is asked to go on".to_owned());
                Came::Adjusted
            }
            Attempt::Answered(mut reply) => {
                reply.text.insert_str(0, &self.so_far);
                exchange.reply.insert_str(0, &self.so_far);
                Came::Reply(reply)
            }
            Attempt::Hopeless(why) => Came::Error(AskError::Setup(why)),
            Attempt::Refused(why) => Came::Error(AskError::Refused(why)),
            Attempt::Adjusted => Came::Adjusted,
            Attempt::Failed { why, retry_after } => self.pause(&why, retry_after),
            Attempt::FailedPaid { why } => {
                self.paid_failures += 1;
                if self.paid_failures < MOST_PAID_FAILURES {
                    self.pause(&why, None)
                } else {
                    self.given_up(
                        &why,
                        "each may have been paid for, so it is not asked again. ",
                    )
                }
            }
        };
        (exchange, came)
    }

    fn pause(&mut self, why: &str, retry_after: Option<Duration>) -> Came {
        match self.backoff.next(retry_after, &mut self.rng) {
            Ok(pause) => {
                let as_asked = match pause.is_asked_for {
                    true => ", as the server asks",
                    false => "",
                };
                Came::Pause {
                    length: pause.length,
                    why: why.to_owned(),
                    told: format!("{why}; trying again in {}{as_asked}", seconds(pause.length)),
                }
            }
            Err(NoTry::Spent) => self.given_up(why, ""),
            Err(NoTry::TooLong(asked)) => {
                self.given_up(why, &format!("It asks for a pause of {}. ", seconds(asked)))
            }
        }
    }

    fn given_up(&self, why: &str, more: &str) -> Came {
        let tries = match self.made {
            1 => "1 request".to_owned(),
            made => format!("{made} requests"),
        };
        Came::Error(AskError::Unavailable(format!(
            "{} stayed out of reach through {tries}; the last one: {why}. {more}Run the same command again to go on from here",
            self.endpoint.place(),
        )))
    }
}

/// A pause as a person would say it.
fn seconds(pause: Duration) -> String {
    match pause.as_secs_f64() {
        short if short < 9.5 => format!("{short:.1} s"),
        long if long < 5400.0 => format!("{long:.0} s"),
        hours => format!("{:.1} h", hours / 3600.0),
    }
}

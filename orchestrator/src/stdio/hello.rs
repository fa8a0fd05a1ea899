//! The first line of a server: who speaks, what scores, and what it may use up.

use serde::Serialize;
use trainer_bridge::Aggregation;

use super::{LINE_BYTES, PROTOCOL, ServedReward, Service};

/// The first line.
#[derive(Debug, Serialize)]
pub(super) struct Hello<'a> {
    hello: Introduction<'a>,
}

/// What a server says of itself.
#[derive(Debug, Serialize)]
struct Introduction<'a> {
    /// Always [`PROTOCOL`].
    protocol: u32,
    /// The program's version.
    version: &'static str,
    /// What scores, in the order of `components`.
    rewards: &'a [ServedReward],
    /// How the rewards of an export or of a job become one advantage; `scores` are their weighted sum in any case, `sums` follow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregation: Option<Aggregation>,
    /// What a request may use up.
    limits: HelloLimits,
}

/// The protocol's own limits.
#[derive(Debug, Serialize)]
struct HelloLimits {
    /// Longest line.
    line_bytes: usize,
}

impl<'a> Hello<'a> {
    /// The first line of a server with these rewards.
    pub(super) fn of(service: &'a Service) -> Self {
        Self {
            hello: Introduction {
                protocol: PROTOCOL,
                version: env!("CARGO_PKG_VERSION"),
                rewards: &service.rewards,
                aggregation: service.aggregation,
                limits: HelloLimits {
                    line_bytes: LINE_BYTES,
                },
            },
        }
    }
}

//! The first line of a server: who speaks, what scores, and what it may use up.

use sandbox::Limits;
use serde::Serialize;
use trainer_bridge::Aggregation;

use super::{LINE_BYTES, PROTOCOL};
use crate::reward::panel::{Member, Panel};

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
    rewards: Vec<HelloReward<'a>>,
    /// How an export's rewards became one advantage in training; `scores` are their weighted sum in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregation: Option<Aggregation>,
    /// What a request may use up.
    limits: HelloLimits,
}

/// One reward of a server.
#[derive(Debug, Serialize)]
struct HelloReward<'a> {
    /// Its name.
    name: &'a str,
    /// Its weight in the score.
    weight: f64,
    /// What one call may use up.
    limits: &'a Limits,
}

/// The protocol's own limits.
#[derive(Debug, Serialize)]
struct HelloLimits {
    /// Longest line.
    line_bytes: usize,
}

impl<'a> Hello<'a> {
    /// The first line of a server with these rewards.
    pub(super) fn of(panel: &'a Panel) -> Self {
        Self {
            hello: Introduction {
                protocol: PROTOCOL,
                version: env!("CARGO_PKG_VERSION"),
                rewards: panel.members().iter().map(HelloReward::from).collect(),
                aggregation: panel.aggregation(),
                limits: HelloLimits {
                    line_bytes: LINE_BYTES,
                },
            },
        }
    }
}

impl<'a> From<&'a Member> for HelloReward<'a> {
    fn from(member: &'a Member) -> Self {
        Self {
            name: &member.name,
            weight: member.weight,
            limits: &member.limits,
        }
    }
}

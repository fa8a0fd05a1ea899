//! Loading and running: a module's inspection, its instances, the reward function it becomes, and the probe of one.

mod guest;
mod host;
mod inspect;
mod probe;
mod reward_fn;
#[cfg(test)]
mod tests;
mod ticker;

pub(crate) use guest::{Breach, Guest};
pub use host::Sandbox;
pub(crate) use host::{Room, engine_error, one_line};
pub use probe::{ProbeReport, probe};
pub use reward_fn::{Measurement, RewardFn};

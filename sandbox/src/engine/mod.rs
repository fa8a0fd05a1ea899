//! Loading and running: a module's inspection, its instances, the reward function it becomes, and the probe of one.

mod apart;
mod guest;
mod host;
mod inspect;
mod probe;
mod reward_fn;
mod session;
mod store_data;
#[cfg(test)]
mod tests;

pub use apart::make_machine_code_if_asked;
pub use host::Sandbox;
pub use probe::{Expected, ProbeReport, probe, probe_for};
pub use reward_fn::{Measurement, RewardFn};

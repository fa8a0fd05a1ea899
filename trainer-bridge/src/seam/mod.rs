//! What crosses to a trainer and comes back: jobs, checkpoints, metrics and errors as plain data, the one scorer, and the trait that every
//! trainer stands behind. Nothing here knows any trainer, and what judges answers is known by its description alone.

pub(crate) mod checkpoint;
pub(crate) mod error;
pub(crate) mod job;
pub(crate) mod judge;
pub(crate) mod metrics;
pub(crate) mod mix;
pub(crate) mod output;
pub(crate) mod sampling;
pub(crate) mod scorer;
pub(crate) mod trainer;

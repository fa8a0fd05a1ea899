//! What crosses to a trainer and comes back. Nothing here knows any trainer.

pub(crate) mod job;
pub(crate) mod metrics;
pub(crate) mod mix;

//! The mathematics of GRPO as pure functions: settings, advantages, filters, the objective, the learning rate. Nothing here knows a model.

pub(crate) mod advantage;
pub(crate) mod config;
pub(crate) mod filter;
pub(crate) mod learning_rate;
pub(crate) mod objective;

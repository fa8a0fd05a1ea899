//! What a step learns: rollouts with rewards and advantages, the loss and its gradients, the optimiser, and the state in between.

pub mod adamw;
pub mod checkpoint;
pub mod draws;
pub mod loss;
pub mod memory;
pub mod rollouts;
pub mod schedule;
pub mod summary;

//! Trains a policy with given rewards for a given budget and returns its completions; several trainers behind one trait.

mod config;
mod reward_mix;
mod trainer;

pub use config::{GrpoConfig, SamplingConfig};
pub use reward_mix::{Aggregation, RewardMember, RewardMix, Verifier};
pub use trainer::{
    BoxFuture, Checkpoint, StepMetrics, TrainError, TrainExample, TrainJob, TrainOutput, Trainer,
};

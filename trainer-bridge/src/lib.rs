//! Trains a policy with given rewards for a given budget and returns its completions; several trainers behind one trait.

mod advantage;
mod candle;
mod config;
mod fake;
mod reward_mix;
mod trainer;

pub use candle::{
    AdapterFiles, CandleConfig, ChatMode, LoraConfig, ModelFiles, PretrainConfig, SftExample,
    SftProgress, pretrain,
};
pub use config::{GrpoConfig, LossType, SamplingConfig, ScaleRewards, TrainerConfig, build};
pub use fake::FakeConfig;
pub use reward_mix::{Aggregation, RewardMember, RewardMix, Verifier};
pub use trainer::{
    BoxFuture, Checkpoint, StepMetrics, TrainError, TrainExample, TrainJob, TrainOutput, Trainer,
};

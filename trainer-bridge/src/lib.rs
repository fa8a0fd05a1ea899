//! Trains a policy with given rewards for a given budget and returns its completions; several trainers behind one trait.

mod advantage;
mod candle;
mod config;
mod fake;
mod filter;
mod grpo_config;
mod learning_rate;
mod metrics;
mod reward_mix;
mod trainer;

pub use candle::{
    AdapterFiles, CandleConfig, ChatMode, DeviceName, FloatType, LoraConfig, ModelFiles,
    PretrainConfig, SftExample, SftProgress, benchmark, pretrain,
};
pub use config::{SamplingConfig, TrainerConfig, build, write_model};
pub use fake::FakeConfig;
pub use grpo_config::{Filter, GrpoConfig, ImportanceSamplingLevel, LossType, ScaleRewards};
pub use learning_rate::LrSchedulerType;
pub use metrics::{Length, RewardPart, SampleCompletion, StepMetrics};
pub use reward_mix::{Aggregation, Judged, RewardMember, RewardMix, Rollout, Verifier};
pub use trainer::{
    BoxFuture, Checkpoint, TrainError, TrainExample, TrainJob, TrainOutput, Trainer,
};

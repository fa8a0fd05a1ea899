//! Trains a policy with given rewards for a given budget and returns its completions; several trainers behind one trait.

mod candle;
mod fake;
mod grpo;
mod registry;
mod seam;

pub use candle::{
    AdapterFiles, CandleConfig, ChatMode, DeviceName, FloatType, LoraConfig, ModelFiles,
    PretrainConfig, SftExample, SftProgress, benchmark, pretrain,
};
pub use fake::FakeConfig;
pub use grpo::config::{Filter, GrpoConfig, ImportanceSamplingLevel, LossType, ScaleRewards};
pub use grpo::learning_rate::LrSchedulerType;
pub use registry::{SamplingConfig, TrainerConfig, build, write_model};
pub use seam::job::{
    BoxFuture, Checkpoint, TrainError, TrainExample, TrainJob, TrainOutput, Trainer,
};
pub use seam::metrics::{Length, RewardPart, SampleCompletion, StepMetrics};
pub use seam::mix::{Aggregation, Judged, RewardMember, RewardMix, Rollout, Verifier};

use grpo::{advantage, config as grpo_config, filter, learning_rate};
use registry as config;
use seam::mix as reward_mix;

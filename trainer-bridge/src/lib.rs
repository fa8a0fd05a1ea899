//! Trains a policy with given rewards for a given budget and returns its completions; several trainers behind one trait.
//!
//! `grpo` holds the pure functions of the method, `seam` the plain data that crosses to a trainer and the trait it stands behind, `candle`,
//! `worker` (TRL in Python), `ray` (the same as jobs of a cluster) and `fake` are trainers, and `registry` is the one place that tells their kinds apart.

mod candle;
mod fake;
mod grpo;
mod ray;
mod registry;
mod seam;
mod worker;

pub use candle::{
    CandleConfig, ChatMode, DeviceName, Embedded, FloatType, LoraConfig, ModelFiles,
    PretrainConfig, SftExample, SftProgress, benchmark, pretrain, pretrain_on,
};
pub use fake::FakeConfig;
pub use grpo::advantage::{Advantages, Aggregation};
pub use grpo::config::{Filter, GrpoConfig, ImportanceSamplingLevel, LossType, ScaleRewards};
pub use grpo::learning_rate::LrSchedulerType;
pub use registry::{HubModel, TrainerConfig, build};
pub use seam::checkpoint::{Bytes, Checkpoint, Location};
pub use seam::error::TrainError;
pub use seam::job::{TrainExample, TrainJob};
pub use seam::judge::{JudgeError, JudgeRollouts, JudgeSpec, OpenJudge};
pub use seam::metrics::{Length, RewardPart, SampleCompletion, StepMetrics};
pub use seam::mix::{RewardMember, RewardMix};
pub use seam::output::{AdapterFiles, Ended, Event, Saved, TrainOutput};
pub use seam::sampling::SamplingConfig;
pub use seam::scorer::{
    LoadedReward, MemberScores, Rollout, Score, ScoreError, Scored, Scorer, Scoring,
};
pub use seam::trainer::{BoxFuture, Description, Reporter, Run, RunId, Trainer};
pub use worker::{
    ClusterConfig, Installed, TrlConfig, VllmMode, install as install_worker,
    install_folder as worker_folder, interpreter as installed_worker,
};

//! The seam: one trait, what goes in, what comes out. Every trainer stands behind it and knows nothing of the others.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{AdapterFiles, GrpoConfig, RewardMix, SamplingConfig, StepMetrics};

/// A boxed future, as trait objects need it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A trainer of policies.
pub trait Trainer: Send + Sync {
    /// Trains from `job.from` (or the base model) until optimiser step `job.until_step`, calling `on_step` after each step,
    /// then completes `job.eval_prompts`. Dropping the future stops the run soon after.
    fn train<'a>(
        &'a self,
        job: TrainJob,
        on_step: &'a mut (dyn FnMut(StepMetrics) + Send),
    ) -> BoxFuture<'a, Result<TrainOutput, TrainError>>;

    /// Refuses a job that cannot work, its settings and every prompt, before it has cost anything. `train` does it, too.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self, job: &TrainJob) -> Result<(), TrainError>;

    /// A digest of what every run starts from: results of trainers with different ones are not comparable.
    fn base_model(&self) -> String;
}

/// A rendered training prompt with its reference answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainExample {
    /// The prompt exactly as the model sees it.
    pub prompt: String,
    /// The reference answer, for the rewards alone.
    pub answer: String,
}

/// One training run.
#[derive(Clone)]
pub struct TrainJob {
    /// What the policy is rewarded for.
    pub rewards: RewardMix,
    /// The optimiser's and the objective's settings.
    pub grpo: GrpoConfig,
    /// How evaluation completions are drawn.
    pub evaluation: SamplingConfig,
    /// Training prompts; step `s` uses the next `prompts_per_step` of them, wrapping around at the end.
    pub examples: Arc<[TrainExample]>,
    /// Held-out prompts: no answers here, by design.
    pub eval_prompts: Arc<[String]>,
    /// Every draw of the run descends from this.
    pub seed: u64,
    /// Where to continue from; the base model if absent.
    pub from: Option<Checkpoint>,
    /// The optimiser step to stop after; 0 evaluates the untouched model.
    pub until_step: u32,
}

/// The full state of a run between two steps (weights, optimiser moments, step number), opaque to all but its trainer.
#[derive(Clone, PartialEq)]
pub struct Checkpoint {
    /// The step after which it was taken.
    pub step: u32,
    /// The trainer's own encoding (safetensors for the candle trainer).
    pub bytes: Arc<[u8]>,
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Megabytes of weights help nobody.
        let bytes = self.bytes.len();
        f.debug_struct("Checkpoint")
            .field("step", &self.step)
            .field("bytes", &bytes)
            .finish()
    }
}

/// What a finished run leaves.
#[derive(Debug, Clone)]
pub struct TrainOutput {
    /// One completion per evaluation prompt, in order.
    pub completions: Vec<String>,
    /// The state to continue from.
    pub checkpoint: Checkpoint,
    /// The adapter in PEFT's format, where one was trained.
    pub adapter: Option<AdapterFiles>,
}

/// Why a run did not finish. A variant is what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The candidate's own doing: the trial fails and is never retried.
    #[error("reward `{member}` failed at step {step}: {fault}")]
    Reward {
        /// The member of the mix.
        member: String,
        /// The optimiser step under way.
        step: u32,
        /// What happened.
        fault: sandbox::Fault,
    },
    /// The run left the numbers: a failure of the trial, never retried (it would repeat).
    #[error("{what} is not finite at step {step}; {}", non_finite_advice(what, *step))]
    NonFinite {
        /// What left the numbers.
        what: &'static str,
        /// The optimiser step.
        step: u32,
    },
    /// The policy ran away: a failure of the trial, never retried (it would repeat).
    #[error(
        "the run diverged at step {step}: {what} grew beyond e^20; lower `learning_rate`, or learn from fresher rollouts \
         (`num_iterations`, `steps_per_generation`, `sync_every`)"
    )]
    Diverged {
        /// What grew.
        what: &'static str,
        /// The optimiser step.
        step: u32,
    },
    /// Memory ran out, or would: the search stops and the user is told what to lower.
    #[error(
        "out of memory ({0}); lower `max_completion_length`, `prompts_per_step`, `num_generations` or `max_concurrent_trials`, \
         or take a smaller model"
    )]
    OutOfMemory(String),
    /// The configuration or the model cannot work: the search stops and the user is told.
    #[error("{0}")]
    Setup(String),
    /// The state to continue from is damaged or another model's: the search stops and the user is told.
    #[error("the checkpoint to continue from cannot be used: {0}")]
    Checkpoint(String),
    /// Trouble of the host (memory, disk, a lost worker): worth a retry.
    #[error("{0}")]
    Host(String),
}

fn non_finite_advice(what: &str, step: u32) -> &'static str {
    if what.contains("reward") {
        "scale the rewards or their weights down"
    } else if step <= 1 {
        "nothing was learnt yet, so it is the base model (its weights, its config.json, an adapter merged into it)"
    } else {
        "lower `learning_rate`, or scale the rewards down if they are huge"
    }
}

//! The lines between this program and a worker: one JSON object each, in both directions. `docs/trl.md` is their manual, the package's
//! `worker/channel.py` and `worker/spec.py` the other end.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{StepMetrics, candle::LoraConfig};

/// Raised when a line changes its meaning; the worker's is in `worker/channel.py`.
pub const PROTOCOL: u32 = 1;

/// What a worker is told.
#[derive(Debug, Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Told<'a> {
    /// The first line: what to do.
    Start(Box<Start<'a>>),
    /// End after the current step.
    Stop,
}

/// What to do.
#[derive(Debug, Serialize)]
pub struct Start<'a> {
    /// Always [`PROTOCOL`].
    pub protocol: u32,
    /// The file of the job, which the scoring process reads, too.
    pub job: PathBuf,
    /// A folder for the time of the run.
    pub work: PathBuf,
    /// The program that scores.
    pub program: PathBuf,
    /// The trainer's settings, resolved.
    pub settings: Settings<'a>,
    /// The learning rate of every step from the first.
    pub learning_rates: Vec<f64>,
    /// Where a worker that is nobody's child sees that it is still wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
}

/// What must change now and then: else nobody waits for the run any more, and the worker ends. Beginning with `stop` it asks the worker to
/// end after its step.
#[derive(Debug, Serialize)]
pub struct Lease {
    /// The value's name in the cluster's own store.
    pub key: String,
    /// The file with the value, where there is a shared folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// How long the worker waits for a change, seconds.
    pub seconds: u64,
}

/// The trainer's settings, resolved.
#[derive(Debug, Serialize)]
pub struct Settings<'a> {
    /// The model's folder; of a hub's model that the worker is to fetch, its id.
    pub model: PathBuf,
    /// The commit of a hub's model that the worker is to fetch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<&'a str>,
    /// What the model is called.
    pub name: &'a str,
    /// `cpu` or `cuda`.
    pub device: &'static str,
    /// The GPU's number, for messages.
    pub number: Option<u32>,
    /// `f32` or `bf16`.
    pub dtype: &'static str,
    /// See [`super::TrlConfig`] for these.
    pub lora: Option<&'a LoraConfig>,
    pub chat_template: &'static str,
    pub system_prompt: Option<&'a str>,
    pub chat_template_kwargs: &'a BTreeMap<String, Value>,
    pub threads: usize,
    pub micro_batch: usize,
    pub eval_batch: usize,
    pub gradient_checkpointing: bool,
    pub use_vllm: bool,
    pub vllm_mode: super::VllmMode,
    pub vllm_gpu_memory_utilization: f64,
    pub vllm_max_model_length: Option<usize>,
    pub vllm_enable_sleep_mode: bool,
    pub vllm_server_base_url: Option<&'a str>,
    /// The file for the run's rollouts.
    pub rollouts: Option<PathBuf>,
}

/// What a worker tells. A kind of line that is not known is one of a newer worker, and passed over.
#[derive(Debug, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Heard {
    /// The first line.
    Hello {
        /// The protocol it speaks.
        protocol: u32,
        /// The versions of its packages, and of Python.
        #[serde(default)]
        versions: BTreeMap<String, String>,
    },
    /// What it is about to do.
    Phase {
        /// In words.
        what: String,
    },
    /// A batch of rollouts is scored.
    Scored {},
    /// A step is done.
    Step {
        /// What is known of it.
        metrics: Box<StepMetrics>,
    },
    /// A part of a file that the next line tells of; from where there is no folder that both sides see.
    Part {
        /// The file.
        path: PathBuf,
        /// The part, as base64 text.
        data: String,
    },
    /// The run can be continued from here.
    Saved(Left),
    /// So many evaluation prompts are completed.
    Evaluated {},
    /// It was asked to stop, and did.
    Stopped(Left),
    /// It is done.
    Done {
        /// A completion of each evaluation prompt.
        completions: Vec<String>,
        /// What it leaves.
        #[serde(flatten)]
        left: Left,
    },
    /// It went wrong.
    Error(Trouble),
    /// Something that is not known here.
    #[serde(other)]
    Other,
}

/// What a run leaves: files that whoever has read them removes.
#[derive(Debug, Deserialize)]
pub struct Left {
    /// The step after which.
    pub step: u32,
    /// The file of the checkpoint.
    pub checkpoint: PathBuf,
    /// The folder of the adapter, where one is trained.
    pub adapter: Option<PathBuf>,
}

/// What went wrong.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Trouble {
    /// Which kind of trouble.
    pub kind: String,
    /// In one line.
    pub message: String,
    /// The step under way.
    pub step: u32,
    /// The reward at fault.
    pub reward: Option<String>,
    /// What it did.
    pub fault: Option<Misdeed>,
    /// What left the numbers.
    pub what: String,
}

/// A reward's fault, in the words of `score --stdio`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Misdeed {
    /// Its kind.
    pub kind: String,
    /// The place in the batch.
    pub index: Option<usize>,
    /// In one line.
    pub message: String,
}

//! `[trainer] kind = "trl"` or `"ray"`: the settings, and which settings of other sections TRL cannot honour.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::ClusterConfig;
use crate::{
    GrpoConfig,
    candle::{BaseSettings, ChatMode, EMBEDDED, FloatType, LoraConfig, hub_id},
    grpo::config::{Filter, LossType},
};

/// Settings of the trainers that drive TRL: in processes of their own (`kind = "trl"`), or as jobs of a Ray cluster (`kind = "ray"`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrlConfig {
    /// The Python that has TRL, a path or a name on the path; absent, the one that `reward-search worker install` makes, and on a cluster
    /// the nodes' `python`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<PathBuf>,
    /// `toy`, the tiny model that is part of this program, or `toy-` and a world of the toy task; a folder in Hugging Face's layout; or the
    /// hub's id of one.
    pub model: String,
    /// Branch, tag or commit of a hub model. Name a commit to get the same weights for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Where the files of a hub model are; whoever looked them up sets it, and `revision` to their commit.
    #[serde(skip)]
    pub folder: Option<PathBuf>,
    /// Whether hub models are taken from the local cache alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub offline: bool,
    /// Train an adapter by PEFT; absent, all weights are trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lora: Option<LoraConfig>,
    /// How prompts are put to the model.
    #[serde(skip_serializing_if = "ChatMode::is_auto")]
    pub chat_template: ChatMode,
    /// First message of every conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<String>,
    /// What the template is told beside the messages, for instance `enable_thinking = false`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub chat_template_kwargs: BTreeMap<String, serde_json::Value>,
    /// GPUs by their numbers, one run at a time on each; empty trains on the processor.
    pub devices: Vec<u32>,
    /// Type of the arithmetic, and with an adapter of the base model's weights; what is trained has `f32`. Absent, `bf16` on a GPU and `f32` on the processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtype: Option<FloatType>,
    /// Threads of a run's own computing on the processor.
    pub threads_per_trial: usize,
    /// Most completions that go through the model at once while it learns. A step's are parted evenly.
    pub micro_batch: usize,
    /// Completions that are drawn at once at evaluation.
    pub eval_batch: usize,
    /// Whether intermediate results are computed again on the way back, which saves memory; absent, on a GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient_checkpointing: Option<bool>,
    /// Whether vLLM draws the rollouts. Runs are then not the same to the bit.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub use_vllm: bool,
    /// Where vLLM runs.
    #[serde(skip_serializing_if = "VllmMode::is_default")]
    pub vllm_mode: VllmMode,
    /// The share of a GPU's memory that vLLM takes (`vllm_mode = "colocate"`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vllm_gpu_memory_utilization: Option<f64>,
    /// Longest prompt and completion together that vLLM makes room for, tokens; absent, what the model allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vllm_max_model_length: Option<usize>,
    /// Whether vLLM gives its memory back while the model learns.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub vllm_enable_sleep_mode: bool,
    /// Where vLLM's server listens (`vllm_mode = "server"`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vllm_server_base_url: Option<String>,
    /// A worker that tells of nothing for so many seconds hangs, and is killed.
    pub silence_s: u64,
    /// A worker that is to stop and has not after so many seconds is killed.
    pub stop_s: u64,
    /// The cluster, for `kind = "ray"` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterConfig>,
    /// A folder for all rollouts with their rewards, a file of JSON lines a run, beside it the job, which `score --job` takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollouts: Option<PathBuf>,
}

/// Where vLLM runs; names as in TRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VllmMode {
    /// In the worker, on its GPU.
    #[default]
    Colocate,
    /// In a server of its own, which serves one run at a time.
    Server,
}

impl VllmMode {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for TrlConfig {
    fn default() -> Self {
        Self {
            python: None,
            model: EMBEDDED.into(),
            revision: None,
            folder: None,
            offline: false,
            lora: None,
            chat_template: ChatMode::Auto,
            system_prompt: None,
            chat_template_kwargs: BTreeMap::new(),
            devices: vec![0],
            dtype: None,
            threads_per_trial: 1,
            micro_batch: 16,
            eval_batch: 64,
            gradient_checkpointing: None,
            use_vllm: false,
            vllm_mode: VllmMode::default(),
            vllm_gpu_memory_utilization: None,
            vllm_max_model_length: None,
            vllm_enable_sleep_mode: false,
            vllm_server_base_url: None,
            silence_s: 1800,
            stop_s: 60,
            cluster: None,
            rollouts: None,
        }
    }
}

/// What must hold, and what is said where it does not.
type Rule = (bool, &'static str);

impl TrlConfig {
    /// What is impossible about these settings, one line each, beginning with the key.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut numbers = self.devices.clone();
        numbers.sort_unstable();
        numbers.dedup();
        let rules: [Rule; 5] = [
            (
                numbers.len() == self.devices.len(),
                "`devices` names a GPU twice: a run has one for itself",
            ),
            (
                (1..=65_536).contains(&self.micro_batch),
                "`micro_batch` must be between 1 and 65536",
            ),
            (
                (1..=65_536).contains(&self.eval_batch),
                "`eval_batch` must be between 1 and 65536",
            ),
            (
                self.silence_s >= 1 && self.stop_s >= 1,
                "`silence_s` and `stop_s` must be at least 1",
            ),
            (
                self.on_gpu() || self.dtype != Some(FloatType::Bf16),
                "`dtype` = \"bf16\" needs a GPU: with `devices = []`, or `gpus = 0` of a cluster, the processor computes in f32",
            ),
        ];
        let vllm = self.vllm_rules();
        let broken = rules.iter().chain(&vllm).filter(|(holds, _)| !holds);
        let broken = broken.map(|(_, what)| (*what).to_owned());
        let of_cluster = self
            .cluster
            .as_ref()
            .map_or_else(Vec::new, ClusterConfig::problems);
        self.base()
            .problems()
            .into_iter()
            .chain(broken)
            .chain(of_cluster)
            .collect()
    }

    /// What they say of the base model.
    pub(crate) fn base(&self) -> BaseSettings<'_> {
        BaseSettings {
            model: &self.model,
            revision: self.revision.as_deref(),
            folder: self.folder.as_deref(),
            offline: self.offline,
            lora: self.lora.as_ref(),
            chat_template: self.chat_template,
            system_prompt: self.system_prompt.as_deref(),
            chat_template_kwargs: &self.chat_template_kwargs,
            threads_per_trial: self.threads_per_trial,
        }
    }

    /// What is said where a cluster is named and runs are processes of this machine.
    #[must_use]
    pub fn misplaced_cluster(&self) -> Option<String> {
        let named = self.cluster.is_some();
        named.then(|| "`cluster` belongs to `kind` = \"ray\"".to_owned())
    }

    /// What is impossible on a cluster, one line each, beginning with the key.
    #[must_use]
    pub fn problems_on_a_cluster(&self) -> Vec<String> {
        let usual = Self::default().devices;
        let shared = self.cluster.as_ref().is_some_and(|c| c.shared.is_some());
        let rules: [Rule; 4] = [
            (
                self.devices.is_empty() || self.devices == usual,
                "`devices` numbers the GPUs of this machine: a job on a cluster gets `gpus` in [trainer.cluster]",
            ),
            (
                self.vllm_mode == VllmMode::Colocate,
                "`vllm_mode` = \"server\" serves one run at a time: on a cluster let vLLM run in the worker, \"colocate\"",
            ),
            (
                self.hub_id().is_none() || self.revision.as_ref().is_some_and(|r| is_commit(r)),
                "`revision` must be the commit of a hub's model, 40 hexadecimal digits: every node fetches the model by it",
            ),
            (
                self.rollouts.is_none() || shared,
                "`rollouts` needs a folder that the nodes and this machine share: name it in [trainer.cluster] `shared`",
            ),
        ];
        let broken = rules.iter().filter(|(holds, _)| !holds);
        let broken = broken.map(|(_, what)| (*what).to_owned());
        self.problems().into_iter().chain(broken).collect()
    }

    fn vllm_rules(&self) -> [Rule; 4] {
        let server = self.vllm_mode == VllmMode::Server;
        let share = |share: f64| share > 0.0 && share <= 1.0;
        let has_settings = server
            || self.vllm_gpu_memory_utilization.is_some()
            || self.vllm_max_model_length.is_some()
            || self.vllm_enable_sleep_mode
            || self.vllm_server_base_url.is_some();
        [
            (
                self.use_vllm || !has_settings,
                "the settings `vllm_…` need `use_vllm = true`",
            ),
            (
                self.vllm_gpu_memory_utilization.is_none_or(share),
                "`vllm_gpu_memory_utilization` must be above 0 and at most 1",
            ),
            (
                server == self.vllm_server_base_url.is_some(),
                "`vllm_server_base_url` belongs to `vllm_mode` = \"server\", and that to it",
            ),
            (
                !server || self.devices.len() <= 1,
                "`vllm_mode` = \"server\" serves one run at a time: name one GPU in `devices`",
            ),
        ]
    }

    /// What TRL cannot honour of the other sections, one line each, beginning with section and key.
    #[must_use]
    pub fn refusals(&self, grpo: &GrpoConfig) -> Vec<String> {
        let mut refused = Vec::new();
        if grpo.filter != Filter::None {
            refused.push("grpo.filter: TRL learns from all completions; set it to \"none\", or train with `trainer.kind` = \"candle\"".to_owned());
        }
        let served = grpo.steps_per_batch();
        if grpo.sync_every > served.max(1) {
            refused.push(format!(
                "grpo.sync_every = {}: TRL samples every batch of rollouts from the newest weights; leave it out (here that is every {served} steps), \
                 or train with `trainer.kind` = \"candle\"",
                grpo.sync_every
            ));
        }
        let rows = grpo.prompts_per_step.saturating_mul(grpo.num_generations);
        if grpo.loss_type == LossType::Bnpo && self.micro_batch < rows {
            refused.push(format!(
                "grpo.loss_type = \"bnpo\" is in TRL the mean over a micro-batch's tokens, not over the step's: set `trainer.micro_batch` to {rows}, \
                 or `loss_type` to \"dapo\", which is the mean over the step's"
            ));
        }
        refused
    }

    /// The hub's id of the model, `organisation/name`, if it is one.
    #[must_use]
    pub fn hub_id(&self) -> Option<&str> {
        hub_id(&self.model)
    }

    /// Whether runs compute on a GPU.
    #[must_use]
    pub fn on_gpu(&self) -> bool {
        match &self.cluster {
            Some(cluster) => cluster.gpus > 0.0,
            None => !self.devices.is_empty(),
        }
    }
}

/// Whether a revision can never mean anything else.
fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

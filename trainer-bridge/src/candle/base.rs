//! The settings of the embedded trainer, and the base model they name, ready to start runs from.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::candle::{
    base_settings::{BaseSettings, ChatMode, hub_id},
    decoder::backend::{Backends, DeviceName, FloatType},
    files::{
        Source, adapter_files::BaseName, chat_template::ChatTemplate, embedded::EMBEDDED,
        tokenizer::Tokenizer,
    },
    learn::draws::SharedDraws,
    model::{Model, lora::LoraConfig},
};
use crate::{AdapterFiles, TrainError};

/// Settings of the embedded trainer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CandleConfig {
    /// `toy`, the tiny model that is part of this program, or `toy-` and a world of the toy task; a folder in Hugging Face's layout; or the
    /// hub's id of one, which whoever builds the trainer must have turned into a folder ([`Self::hub_id`]).
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
    /// A folder with an adapter in PEFT's format that is merged into the model before anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapter: Option<PathBuf>,
    /// Train an adapter; absent, all weights are trained.
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
    /// Texts that end a completion, beside the model's own end tokens; they stay part of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop_strings: Vec<String>,
    /// Threads a run may use.
    pub threads_per_trial: usize,
    /// Where runs compute: `cpu`, `cuda:0`, `metal:0`.
    #[serde(skip_serializing_if = "DeviceName::is_cpu")]
    pub device: DeviceName,
    /// Several devices instead of one: each run takes the one with the fewest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceName>,
    /// Type of a device's elements; absent, `bf16` with CUDA and `f32` elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtype: Option<FloatType>,
}

impl Default for CandleConfig {
    fn default() -> Self {
        Self {
            model: EMBEDDED.into(),
            revision: None,
            folder: None,
            offline: false,
            adapter: None,
            lora: None,
            chat_template: ChatMode::Auto,
            system_prompt: None,
            chat_template_kwargs: BTreeMap::new(),
            stop_strings: Vec::new(),
            threads_per_trial: 1,
            device: DeviceName::Cpu,
            devices: Vec::new(),
            dtype: None,
        }
    }
}

impl CandleConfig {
    /// What is impossible about these settings, one line each, beginning with the key.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.base().problems();
        if self.adapter.is_some() && self.lora.is_some() {
            problems.push(
                "`adapter` and [trainer.lora] are both set, and what is trained would fit no model folder there is: merge the adapter into \
                 its base first (merge_and_unload and save_pretrained of peft) and name the merged folder in `model`"
                    .into(),
            );
        }
        if self.stop_strings.iter().any(String::is_empty) {
            problems.push("`stop_strings` must not be empty texts".into());
        }
        if !self.devices.is_empty() && !self.device.is_cpu() {
            problems.push("`device` and `devices` are both set: keep one of them".into());
        }
        let processor = self.device_names().iter().any(|name| name.is_processor());
        if processor && self.dtype == Some(FloatType::Bf16) {
            problems.push("`dtype` = \"bf16\" needs a GPU: the processor computes in f32".into());
        }
        problems
    }

    /// Where the model's files are.
    pub(super) fn source(&self) -> Result<Source, TrainError> {
        match &self.folder {
            Some(folder) => Source::folder(folder),
            None => Source::of(&self.model),
        }
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

    /// Where runs compute, at least one name.
    fn device_names(&self) -> &[DeviceName] {
        match &self.devices[..] {
            [] => std::slice::from_ref(&self.device),
            several => several,
        }
    }

    /// Checks the settings and opens the devices.
    pub(crate) fn open_devices(&self) -> Result<Backends, TrainError> {
        if let Some(problem) = self.problems().into_iter().next() {
            return Err(TrainError::Setup(problem));
        }
        Backends::open(self.device_names(), self.dtype)
    }

    /// The hub's id of the model, `organisation/name`, if `model` is neither the embedded one nor a folder.
    #[must_use]
    pub fn hub_id(&self) -> Option<&str> {
        hub_id(&self.model)
    }
}

/// A base model and how it is trained.
pub struct Base {
    /// The model itself, nothing trained yet.
    pub model: Model,
    name: BaseName,
    lora: Option<LoraConfig>,
    /// Its tokenizer.
    pub tokenizer: Tokenizer,
    /// What it has drawn, for runs that would draw the same.
    pub draws: SharedDraws,
}

impl Base {
    /// Loads and checks everything a configuration names, its settings being checked.
    pub fn load(config: &CandleConfig) -> Result<Self, TrainError> {
        let source = config.source()?;
        let loaded = source.load()?;
        let tokenizer = tokenizer(config, loaded.tokenizer, &source)?;
        let mut model = loaded.model;
        if let Some(folder) = &config.adapter {
            AdapterFiles::read(folder)?.merge_into(&mut model, folder)?;
        }
        Ok(Self {
            model,
            name: BaseName {
                model: config.model.clone(),
                revision: config.revision.clone(),
            },
            lora: config.lora.clone(),
            tokenizer,
            draws: SharedDraws::default(),
        })
    }

    /// The policy a run begins with: the model, with a fresh adapter if one is to be trained. The seed decides its initial values.
    pub fn start(&self, seed: u64) -> Model {
        match &self.lora {
            Some(config) => self.model.with_adapter(config, seed),
            None => self.model.clone(),
        }
    }

    /// The adapter of a trained policy, if one was trained.
    pub fn adapter_of(&self, policy: &Model) -> Result<Option<AdapterFiles>, TrainError> {
        AdapterFiles::of(policy, &self.name)
    }
}

/// The tokenizer with everything that is configured about prompts and ends; tried out once.
fn tokenizer(
    config: &CandleConfig,
    plain: Tokenizer,
    source: &Source,
) -> Result<Tokenizer, TrainError> {
    let fault = |problem: String| TrainError::Setup(format!("{}: {problem}", config.model));
    let tokenizer = plain.with_stop_strings(config.stop_strings.clone());
    if !tokenizer.has_ends() {
        return Err(fault(
            "nothing ends a completion: set `stop_strings`, or `eos_token_id` in the model's config.json".into(),
        ));
    }
    let template = match config.chat_template {
        ChatMode::Auto => source.chat_template()?,
        ChatMode::None => None,
    };
    let Some(template) = template else {
        return match config.base().for_a_template() {
            Some(key) => Err(fault(format!(
                "there is no chat template, so `{key}` has no place: words for the model belong into the task's `prompt`"
            ))),
            None => Ok(tokenizer),
        };
    };
    let template = template.with_kwargs(&config.chat_template_kwargs);
    let system = config.system_prompt.clone();
    try_out(&template, system.as_deref()).map_err(fault)?;
    Ok(tokenizer.with_chat(template, system))
}

/// Renders conversations, and looks whether what they say matters: templates are programs, and some leave messages out.
fn try_out(template: &ChatTemplate, system: Option<&str>) -> Result<(), String> {
    let text = template.render(system, "1 + 1 = ?")?;
    if template.render(system, "2 + 3 = ?")? == text {
        return Err(
            "the chat template leaves the user's message out, so the model would never see a question: mend it, or set \
             `chat_template` to \"none\""
                .into(),
        );
    }
    let other = system.map(|system| format!("{system} And more."));
    if other.is_some() && template.render(other.as_deref(), "1 + 1 = ?")? == text {
        return Err(
            "the chat template leaves the system message out, so `system_prompt` has no effect: put those words into the task's `prompt`"
                .into(),
        );
    }
    Ok(())
}

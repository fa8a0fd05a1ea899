//! The settings of the embedded trainer, and the base model they name, ready to start runs from.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    adapter_files::AdapterFiles,
    chat_template::ChatTemplate,
    files::{EMBEDDED, Source},
    lora::LoraConfig,
    model::Model,
    tokenizer::Tokenizer,
};
use crate::TrainError;

/// Settings of the embedded trainer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CandleConfig {
    /// `toy`, the tiny model that is part of this program; a folder in Hugging Face's layout; or the hub's id of one, which whoever
    /// builds the trainer must have turned into a folder ([`Self::hub_id`]).
    pub model: String,
    /// Branch, tag or commit of a hub model. Name a commit to get the same weights for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
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
    /// Texts that end a completion, beside the model's own end tokens; they stay part of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop_strings: Vec<String>,
    /// Threads a run may use.
    pub threads_per_trial: usize,
}

/// How prompts are put to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatMode {
    /// Through the model's chat template, if it has one.
    #[default]
    Auto,
    /// As they are.
    None,
}

impl ChatMode {
    fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

impl Default for CandleConfig {
    fn default() -> Self {
        Self {
            model: EMBEDDED.into(),
            revision: None,
            offline: false,
            adapter: None,
            lora: None,
            chat_template: ChatMode::Auto,
            system_prompt: None,
            stop_strings: Vec::new(),
            threads_per_trial: 1,
        }
    }
}

impl CandleConfig {
    /// What is impossible about these settings, one line each, beginning with the key.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self
            .lora
            .as_ref()
            .map_or_else(Vec::new, LoraConfig::problems);
        if !(1..=1024).contains(&self.threads_per_trial) {
            problems.push("`threads_per_trial` must be between 1 and 1024".into());
        }
        if self.stop_strings.iter().any(String::is_empty) {
            problems.push("`stop_strings` must not be empty texts".into());
        }
        if self.system_prompt.is_some() && self.chat_template == ChatMode::None {
            problems.push(
                "`system_prompt` needs a chat template, and `chat_template` is \"none\"".into(),
            );
        }
        problems
    }

    /// The hub's id of the model, `organisation/name`, if `model` is neither the embedded one nor a folder.
    #[must_use]
    pub fn hub_id(&self) -> Option<&str> {
        let plain = |part: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            !part.is_empty() && !part.starts_with('.') && part.chars().all(allowed)
        };
        let (organisation, name) = self.model.split_once('/')?;
        let is_id = plain(organisation) && plain(name) && !Path::new(&self.model).exists();
        is_id.then_some(self.model.as_str())
    }
}

/// A base model and how it is trained.
pub struct Base {
    /// The model itself, nothing trained yet.
    pub model: Model,
    name: String,
    lora: Option<LoraConfig>,
    /// Its tokenizer.
    pub tokenizer: Tokenizer,
}

impl Base {
    /// Loads and checks everything a configuration names.
    pub fn load(config: &CandleConfig) -> Result<Self, TrainError> {
        if let Some(problem) = config.problems().into_iter().next() {
            return Err(TrainError::Setup(problem));
        }
        let loaded = Source::of(&config.model)?.load()?;
        let tokenizer = tokenizer(config, loaded.tokenizer, loaded.chat_template)?;
        let mut model = loaded.model;
        if let Some(folder) = &config.adapter {
            AdapterFiles::read(folder)?.merge_into(&mut model, folder)?;
        }
        Ok(Self {
            model,
            name: config.model.clone(),
            lora: config.lora.clone(),
            tokenizer,
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
    template: Option<ChatTemplate>,
) -> Result<Tokenizer, TrainError> {
    let tokenizer = plain.with_stop_strings(config.stop_strings.clone());
    let template = template.filter(|_| config.chat_template == ChatMode::Auto);
    let Some(template) = template else {
        return match config.system_prompt {
            Some(_) => Err(TrainError::Setup(format!(
                "{} has no chat template, so `system_prompt` has no place: put it into the task's `prompt`",
                config.model
            ))),
            None => Ok(tokenizer),
        };
    };
    let system = config.system_prompt.clone();
    template
        .render(system.as_deref(), "1 + 1 = ?")
        .map_err(|problem| TrainError::Setup(format!("{}: {problem}", config.model)))?;
    Ok(tokenizer.with_chat(template, system))
}

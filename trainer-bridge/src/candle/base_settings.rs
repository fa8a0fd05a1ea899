//! What the settings of any trainer say of the base model, and what is impossible about it. Each kind of trainer lists these fields among its own,
//! so that a key that is none is met with the one that was meant; this is their view from here.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use crate::candle::{files::chat_template::OWN_VARIABLES, model::lora::LoraConfig};

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
    pub(crate) fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

/// The settings of a base model.
#[derive(Debug, Clone, Copy)]
pub struct BaseSettings<'a> {
    /// As it is named.
    pub model: &'a str,
    /// Branch, tag or commit of a hub model.
    pub revision: Option<&'a str>,
    /// Where the files of a hub model are, once they were looked up.
    pub folder: Option<&'a Path>,
    /// Whether hub models are taken from the local cache alone.
    pub offline: bool,
    /// The adapter that is trained.
    pub lora: Option<&'a LoraConfig>,
    /// How prompts are put to the model.
    pub chat_template: ChatMode,
    /// First message of every conversation.
    pub system_prompt: Option<&'a str>,
    /// What the template is told beside the messages.
    pub chat_template_kwargs: &'a BTreeMap<String, serde_json::Value>,
    /// Threads a run may use.
    pub threads_per_trial: usize,
}

impl BaseSettings<'_> {
    /// What is impossible about these settings, one line each, beginning with the key.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.lora.map_or_else(Vec::new, LoraConfig::problems);
        if !(1..=1024).contains(&self.threads_per_trial) {
            problems.push("`threads_per_trial` must be between 1 and 1024".into());
        }
        if let (ChatMode::None, Some(key)) = (self.chat_template, self.for_a_template()) {
            problems.push(format!(
                "`{key}` needs a chat template, and `chat_template` is \"none\""
            ));
        }
        let kwargs = self.chat_template_kwargs;
        if let Some(key) = OWN_VARIABLES.iter().find(|key| kwargs.contains_key(**key)) {
            problems.push(format!(
                "`chat_template_kwargs` must not set `{key}`, which every template is told anyway"
            ));
        }
        if let Some(key) = self.for_the_hub()
            && self.folder.is_none()
            && hub_id(self.model).is_none()
        {
            problems.push(format!(
                "`{key}` is for models of the hub, and `model` = {:?} is not read from there",
                self.model
            ));
        }
        problems
    }

    /// A setting that only a chat template makes use of, if one is set.
    pub fn for_a_template(&self) -> Option<&'static str> {
        if self.system_prompt.is_some() {
            return Some("system_prompt");
        }
        (!self.chat_template_kwargs.is_empty()).then_some("chat_template_kwargs")
    }

    /// A setting that only a model of the hub makes use of, if one is set.
    fn for_the_hub(&self) -> Option<&'static str> {
        if self.revision.is_some() {
            return Some("revision");
        }
        self.offline.then_some("offline")
    }
}

/// The hub's id of a model as it is named, if it is one: `organisation/name`, and no folder here.
pub fn hub_id(model: &str) -> Option<&str> {
    let plain = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(allowed)
    };
    let (organisation, name) = model.split_once('/')?;
    let is_id = plain(organisation) && plain(name) && !Path::new(model).exists();
    is_id.then_some(model)
}

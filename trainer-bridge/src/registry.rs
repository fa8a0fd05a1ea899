//! Which trainer runs the trials: the only place that tells the kinds of trainer apart.

use std::{path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    candle::{CandleConfig, CandleTrainer, hub_id},
    fake::{Fake, FakeConfig},
    grpo::config::GrpoConfig,
    ray::{self, RayTrainer},
    seam::{error::TrainError, scorer::Scoring, trainer::Trainer},
    worker::{TrlConfig, TrlTrainer, check_config},
};

/// Which trainer runs the trials, and its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TrainerConfig {
    /// The embedded trainer.
    Candle(CandleConfig),
    /// TRL in Python, a process a run.
    Trl(TrlConfig),
    /// TRL in Python, a job of a Ray cluster a run.
    Ray(TrlConfig),
    /// Trains nothing; for tests.
    Fake(FakeConfig),
}

impl Default for TrainerConfig {
    fn default() -> Self {
        Self::Candle(CandleConfig::default())
    }
}

/// A model of the Hugging Face hub that a trainer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubModel {
    /// Its id, `organisation/name`.
    pub id: String,
    /// Branch, tag or commit, if one is named.
    pub revision: Option<String>,
    /// Whether the local cache alone may be asked.
    pub offline: bool,
}

impl TrainerConfig {
    /// The model that is trained: of this program, a folder's or the hub's; `None` of a trainer that trains nothing.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        match self {
            Self::Candle(config) => Some(&config.model),
            Self::Trl(config) | Self::Ray(config) => Some(&config.model),
            Self::Fake(_) => None,
        }
    }

    /// Sets the model that is trained, where one is.
    pub fn set_model(&mut self, name: &str) {
        match self {
            Self::Candle(config) => name.clone_into(&mut config.model),
            Self::Trl(config) | Self::Ray(config) => name.clone_into(&mut config.model),
            Self::Fake(_) => {}
        }
    }

    /// Checks the settings, and that this program and machine have the devices they name: all that can be said before a model is there.
    ///
    /// # Errors
    /// `Setup` when it cannot work.
    pub fn check(&self) -> Result<(), TrainError> {
        match self {
            Self::Candle(config) => config.open_devices().map(drop),
            Self::Trl(config) => check_config(config),
            Self::Ray(config) => ray::check_config(config),
            Self::Fake(_) => Ok(()),
        }
    }

    /// What to type, or to set, where [`Self::check`] refuses the machine.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Trl(_) => "reward-search worker install   # or `python` in [trainer]",
            Self::Ray(_) => "ray status   # and [trainer.cluster]: address, token_env",
            Self::Candle(_) | Self::Fake(_) => {
                "cargo install --path orchestrator --features cuda   # or `device = \"cpu\"` in [trainer]"
            }
        }
    }

    /// Whether its runs are scored where no key of an endpoint is known.
    #[must_use]
    pub fn scores_without_keys(&self) -> bool {
        match self {
            Self::Trl(_) | Self::Ray(_) => true,
            Self::Candle(_) | Self::Fake(_) => false,
        }
    }

    /// What this trainer cannot honour of the settings of GRPO, one line each, beginning with section and key. Nothing is looked at but the
    /// settings.
    #[must_use]
    pub fn refusals(&self, grpo: &GrpoConfig) -> Vec<String> {
        match self {
            Self::Trl(config) | Self::Ray(config) => config.refusals(grpo),
            Self::Candle(_) | Self::Fake(_) => Vec::new(),
        }
    }

    /// The hub model whose files must be in a folder before the trainer is built, if it is one.
    #[must_use]
    pub fn hub_model(&self) -> Option<HubModel> {
        let base = match self {
            Self::Candle(config) => config.base(),
            Self::Trl(config) => config.base(),
            // The nodes fetch it themselves.
            Self::Ray(_) | Self::Fake(_) => return None,
        };
        Some(HubModel {
            id: hub_id(base.model)?.to_owned(),
            revision: base.revision.map(str::to_owned),
            offline: base.offline,
        })
    }

    /// The same settings with the files of the hub model found in `folder`, as of `commit`.
    #[must_use]
    pub fn with_model_in(&self, folder: PathBuf, commit: Option<String>) -> Self {
        match self {
            Self::Candle(config) => Self::Candle(CandleConfig {
                folder: Some(folder),
                revision: commit,
                ..config.clone()
            }),
            Self::Trl(config) => Self::Trl(TrlConfig {
                folder: Some(folder),
                revision: commit,
                ..config.clone()
            }),
            Self::Ray(config) => Self::Ray(config.clone()),
            Self::Fake(config) => Self::Fake(config.clone()),
        }
    }
}

/// Makes the trainer a configuration asks for; the candle trainer loads and checks its model here. Its runs are scored with `scoring`; TRL's by the
/// program itself, in processes of their own, wherever they are.
///
/// # Errors
/// `Setup` when it cannot work.
pub fn build(config: &TrainerConfig, scoring: Scoring) -> Result<Arc<dyn Trainer>, TrainError> {
    Ok(match config {
        TrainerConfig::Candle(config) => Arc::new(CandleTrainer::new(config, scoring)?),
        TrainerConfig::Trl(config) => Arc::new(TrlTrainer::new(config)?),
        TrainerConfig::Ray(config) => Arc::new(RayTrainer::new(config)?),
        TrainerConfig::Fake(config) => Arc::new(Fake::new(config.clone(), scoring)),
    })
}

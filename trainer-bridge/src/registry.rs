//! Which trainer runs the trials: the only place that tells the kinds of trainer apart.

use std::{path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    candle::{CandleConfig, CandleTrainer},
    fake::{Fake, FakeConfig},
    seam::{error::TrainError, scorer::Scoring, trainer::Trainer},
};

/// Which trainer runs the trials, and its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a program has one")]
pub enum TrainerConfig {
    /// The embedded trainer.
    Candle(CandleConfig),
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
    /// Checks the settings, and that this program and machine have the devices they name: all that can be said before a model is there.
    ///
    /// # Errors
    /// `Setup` when it cannot work.
    pub fn check(&self) -> Result<(), TrainError> {
        match self {
            Self::Candle(config) => config.open_devices().map(drop),
            Self::Fake(_) => Ok(()),
        }
    }

    /// The hub model whose files must be in a folder before the trainer is built, if it is one.
    #[must_use]
    pub fn hub_model(&self) -> Option<HubModel> {
        match self {
            Self::Candle(config) => Some(HubModel {
                id: config.hub_id()?.to_owned(),
                revision: config.revision.clone(),
                offline: config.offline,
            }),
            Self::Fake(_) => None,
        }
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
            Self::Fake(config) => Self::Fake(config.clone()),
        }
    }
}

/// Makes the trainer a configuration asks for; the candle trainer loads and checks its model here. Its runs are scored with `scoring`.
///
/// # Errors
/// `Setup` when it cannot work.
pub fn build(config: &TrainerConfig, scoring: Scoring) -> Result<Arc<dyn Trainer>, TrainError> {
    Ok(match config {
        TrainerConfig::Candle(config) => Arc::new(CandleTrainer::new(config, scoring)?),
        TrainerConfig::Fake(config) => Arc::new(Fake::new(config.clone(), scoring)),
    })
}

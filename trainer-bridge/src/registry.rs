//! Which trainer runs the trials, and how completions are drawn at evaluation.

use std::{path::Path, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    Checkpoint, TrainError, Trainer,
    candle::{self, CandleConfig, CandleTrainer},
    fake::{Fake, FakeConfig},
    grpo_config::MOST_TOKENS,
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
}

/// Makes the trainer a configuration asks for; the candle trainer loads and checks its model here.
///
/// # Errors
/// `Setup` when it cannot work.
pub fn build(config: &TrainerConfig) -> Result<Arc<dyn Trainer>, TrainError> {
    Ok(match config {
        TrainerConfig::Candle(config) => Arc::new(CandleTrainer::new(config)?),
        TrainerConfig::Fake(config) => Arc::new(Fake::new(config.clone())),
    })
}

/// Writes the model that a run with this trainer left in its last checkpoint as a folder in Hugging Face's layout. Returns whether there
/// was one: a run that trains an adapter leaves that instead.
///
/// # Errors
/// `Setup` when the checkpoint or the base model cannot be used, `Host` when the folder cannot be written.
pub fn write_model(
    config: &TrainerConfig,
    checkpoint: &Checkpoint,
    folder: &Path,
) -> Result<bool, TrainError> {
    match config {
        TrainerConfig::Candle(config) => candle::write_model(config, checkpoint, folder),
        TrainerConfig::Fake(_) => Ok(false),
    }
}

/// How completions are drawn at evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SamplingConfig {
    /// 0 is greedy.
    pub temperature: f64,
    /// Draw from the likeliest so many tokens; 0 from all.
    pub top_k: usize,
    /// Draw from the fewest tokens that have this probability together; 1 from all.
    pub top_p: f64,
    /// Draw from tokens with at least this share of the likeliest one's probability; 0 from all.
    pub min_p: f64,
    /// Longest completion, tokens.
    pub max_completion_length: usize,
}

impl Default for SamplingConfig {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            max_completion_length: 64,
        }
    }
}

impl SamplingConfig {
    /// What is impossible about these settings, one line each, beginning with the key.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let temperature = self.temperature.is_finite() && self.temperature >= 0.0;
        complaints(&[
            (
                "temperature",
                temperature,
                "must be a number, 0 (greedy) or more",
            ),
            (
                "top_p",
                self.top_p > 0.0 && self.top_p <= 1.0,
                "must be above 0 and at most 1",
            ),
            (
                "min_p",
                (0.0..=1.0).contains(&self.min_p),
                "must be between 0 and 1",
            ),
            (
                "max_completion_length",
                (1..=MOST_TOKENS).contains(&self.max_completion_length),
                "must be between 1 and 1048576",
            ),
        ])
    }
}

/// The rules that do not hold, each as `key rule`.
pub(crate) fn complaints(checks: &[(&str, bool, &str)]) -> Vec<String> {
    checks
        .iter()
        .filter(|(_, holds, _)| !holds)
        .map(|(key, _, rule)| format!("{key} {rule}"))
        .collect()
}

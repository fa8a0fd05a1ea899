//! How answers are judged, as plain data: what a training job carries, and what opens into a judge wherever the job is run.

use evaluator::ExtractionConfig;
use serde::{Deserialize, Serialize};
use trainer_bridge::{JudgeError, JudgeSpec};

use super::{Judge, Metric, MetricJudge, VerifierConfig, VerifierError};

/// Where answers are looked for, and who decides whether they are right.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgeConfig {
    /// Where the rules look for the answer in a completion.
    pub extraction: ExtractionConfig,
    /// Who decides beside them.
    #[serde(default, skip_serializing_if = "VerifierConfig::is_usual")]
    pub verifier: VerifierConfig,
    /// Who decides in their place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
}

impl JudgeConfig {
    /// The rules alone.
    #[must_use]
    pub fn by_rule(extraction: ExtractionConfig) -> Self {
        Self {
            extraction,
            ..Self::default()
        }
    }

    /// The same without a model that is asked: for completions that are looked at and not counted.
    #[must_use]
    pub fn unasked(self) -> Self {
        Self {
            verifier: VerifierConfig::default(),
            ..self
        }
    }

    /// The judge it describes.
    ///
    /// # Errors
    /// As [`Judge::new`].
    pub fn open(&self) -> Result<Judge, VerifierError> {
        let rule = evaluator::RuleVerifier::new(self.extraction.clone())
            .with_conventions(self.verifier.conventions().clone());
        match &self.metric {
            Some(metric) => MetricJudge::load(metric, rule).map(Judge::Metric),
            None => Judge::new(&self.verifier, rule),
        }
    }

    /// The same as a job carries it.
    #[must_use]
    pub fn spec(&self) -> JudgeSpec {
        JudgeSpec(serde_json::to_value(self).expect("a configuration is plain data"))
    }

    /// Reads what a job carries.
    ///
    /// # Errors
    /// [`JudgeError::Setup`] if it is none.
    pub fn of_spec(spec: &JudgeSpec) -> Result<Self, JudgeError> {
        Self::deserialize(&spec.0)
            .map_err(|error| JudgeError::Setup(format!("the job's judge cannot be read: {error}")))
    }
}

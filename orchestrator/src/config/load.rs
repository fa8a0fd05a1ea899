//! Reading a configuration file, with errors that name the key, the line and the nearest valid spelling.

use std::path::{Path, PathBuf};

use evaluator::toy::Spec;
use serde::{Deserialize, de::DeserializeOwned};

use super::{Config, complaint, paths::Beside};
use crate::{
    judge::{Metric, VerifierConfig},
    text::nearest,
};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is no TOML, has an unknown key, or a value of the wrong type.
    #[error("{path}{line}: {what}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// `:7`, where it is known.
        line: String,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// The values cannot work.
    #[error("{path}: {problems}")]
    Impossible {
        /// The file.
        path: PathBuf,
        /// Every problem found, joined by semicolons.
        problems: String,
    },
}

impl Config {
    /// Reads and checks a configuration file. Paths in it are meant from where it lies.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = read(path)?;
        config.take_usual_of_world(&read(path)?);
        let beside = Beside::of(path);
        config.lie(&beside);
        let metric = config.read_metric(&beside);
        checked(path, metric.err().into_iter().collect())?;
        config.check(path)?;
        Ok(config)
    }

    /// What the task's world is made for holds where the file says nothing: its base, and how long completions may be.
    fn take_usual_of_world(&mut self, written: &Written) {
        let Some(world) = self.task.world() else {
            return;
        };
        let Spec { model, lengths, .. } = world.spec();
        if written.trainer.model.is_none() {
            self.trainer.set_model(model);
        }
        if let (Some(lengths), None) = (lengths, written.grpo.max_completion_length) {
            self.grpo.max_completion_length = lengths.rollouts;
        }
        if let (Some(lengths), None) = (lengths, written.evaluation.max_completion_length) {
            self.evaluation.max_completion_length = lengths.evaluation;
        }
    }

    /// Checks the values; `path` is where they come from. For those who changed some.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn check(&self, path: &Path) -> Result<(), ConfigError> {
        checked(path, self.problems())
    }
}

/// What a file says itself of what a world decides where it says nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    trainer: NamesModel,
    grpo: LimitsLength,
    evaluation: LimitsLength,
}

#[derive(Default, Deserialize)]
struct NamesModel {
    model: Option<String>,
}

#[derive(Default, Deserialize)]
struct LimitsLength {
    max_completion_length: Option<usize>,
}

/// Who judges by a configuration file, whatever else the file holds: its `[verifier]` section, or the metric of its `[task]`.
///
/// # Errors
/// See [`ConfigError`]; also if there is neither.
pub fn load_verifier(path: &Path) -> Result<(VerifierConfig, Option<Metric>), ConfigError> {
    #[derive(Deserialize)]
    struct Sections {
        verifier: Option<VerifierConfig>,
        #[serde(default)]
        task: OnlyMetric,
    }
    #[derive(Default, Deserialize)]
    struct OnlyMetric {
        metric: Option<Metric>,
    }
    let Sections { verifier, task } = read(path)?;
    let beside = Beside::of(path);
    let metric = task.metric.as_ref().map(|metric| beside.metric(metric));
    let metric = match metric.transpose() {
        Ok(metric) => metric,
        Err(what) => return checked(path, vec![what]).map(|()| (VerifierConfig::default(), None)),
    };
    let mut verifier = match (verifier, &metric) {
        (Some(verifier), _) => verifier,
        (None, Some(_)) => VerifierConfig::default(),
        (None, None) => {
            let what = "has neither a [verifier] section nor a task.metric";
            return checked(path, vec![what.to_owned()])
                .map(|()| (VerifierConfig::default(), None));
        }
    };
    beside.verifier(&mut verifier);
    checked(path, verifier.problems())?;
    Ok((verifier, metric))
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    complaint::read(&text).map_err(|complaint| ConfigError::Malformed {
        path: path.to_owned(),
        line: complaint
            .at
            .map(|at| format!(":{}", line_of(&text, at)))
            .unwrap_or_default(),
        what: with_nearest(&complaint.what),
    })
}

fn checked(path: &Path, problems: Vec<String>) -> Result<(), ConfigError> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(ConfigError::Impossible {
        path: path.to_owned(),
        problems: problems.join("; "),
    })
}

fn line_of(text: &str, offset: usize) -> usize {
    text[..offset.min(text.len())].matches('\n').count() + 1
}

/// Adds "did you mean" to serde's "unknown field `x`, expected one of `a`, `b`".
fn with_nearest(message: &str) -> String {
    let message = message.trim();
    let mut quoted = message.split('`').skip(1).step_by(2);
    let (true, Some(wrong)) = (message.starts_with("unknown "), quoted.next()) else {
        return message.to_owned();
    };
    match nearest::hint(wrong, quoted) {
        none if none.is_empty() => message.to_owned(),
        hint => format!("{message}.{hint}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_nearest_neighbour() {
        assert_eq!(
            with_nearest("unknown field `round`, expected one of `name`, `rounds`, `seed`"),
            "unknown field `round`, expected one of `name`, `rounds`, `seed`. Did you mean `rounds`?"
        );
        assert_eq!(
            with_nearest("unknown field `zzz`, expected `name`"),
            "unknown field `zzz`, expected `name`"
        );
        assert_eq!(with_nearest("missing field `name`"), "missing field `name`");
    }
}

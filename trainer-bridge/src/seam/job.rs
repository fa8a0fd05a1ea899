//! A training run as plain data: it can be written to a file, hashed, sent to another machine and read there.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{checkpoint::Checkpoint, judge::JudgeSpec, mix::RewardMix, sampling::SamplingConfig};
use crate::grpo::config::GrpoConfig;

/// A rendered training prompt with its reference answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainExample {
    /// The prompt exactly as the model sees it.
    pub prompt: String,
    /// The question in it, for the judge.
    pub question: String,
    /// The reference answer, for the judge and the rewards alone.
    pub answer: String,
    /// The data set's other columns, as the text of a JSON object, for the rewards alone; empty where there are none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub row: String,
}

/// One training run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainJob {
    /// What the policy is rewarded for.
    pub mix: RewardMix,
    /// Who says whether its answers are right.
    pub judge: JudgeSpec,
    /// The optimiser's and the objective's settings.
    pub grpo: GrpoConfig,
    /// How evaluation completions are drawn.
    pub evaluation: SamplingConfig,
    /// Training prompts; step `s` uses the next `prompts_per_step` of them, wrapping around at the end.
    pub examples: Vec<TrainExample>,
    /// Held-out prompts: no answers here, by design.
    pub eval_prompts: Vec<String>,
    /// Every draw of the run descends from this.
    pub seed: u64,
    /// Where to continue from; the base model if absent.
    pub from: Option<Checkpoint>,
    /// The optimiser step to stop after; 0 evaluates the untouched model.
    pub until_step: u32,
    /// The run tells of a checkpoint after every so many steps; absent means only of the last one. It changes nothing else.
    pub save_every: Option<u32>,
}

impl TrainJob {
    /// The SHA-256, in hexadecimal digits, of its canonical JSON: that without spaces and with the keys of every object in order.
    #[must_use]
    pub fn digest(&self) -> String {
        let value = serde_json::to_value(self).expect("a job is plain data");
        let mut canonical = String::new();
        write_canonical(&value, &mut canonical);
        let digest = Sha256::digest(canonical);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The step that the run begins after.
    #[must_use]
    pub fn done(&self) -> u32 {
        self.from.as_ref().map_or(0, |checkpoint| checkpoint.step)
    }

    /// Whether a run that is not over is to tell of a checkpoint after this step.
    #[must_use]
    pub fn saves_after(&self, step: u32) -> bool {
        let due = self
            .save_every
            .is_some_and(|every| step.is_multiple_of(every.max(1)));
        due && step < self.until_step
    }
}

fn write_canonical(value: &serde_json::Value, into: &mut String) {
    use serde_json::Value;
    match value {
        Value::Array(items) => {
            into.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    into.push(',');
                }
                write_canonical(item, into);
            }
            into.push(']');
        }
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            into.push('{');
            for (place, (key, value)) in entries.into_iter().enumerate() {
                if place > 0 {
                    into.push(',');
                }
                *into += &Value::from(key.as_str()).to_string();
                into.push(':');
                write_canonical(value, into);
            }
            into.push('}');
        }
        plain => *into += &plain.to_string(),
    }
}

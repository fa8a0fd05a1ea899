//! `adapter_config.json` as PEFT writes it: what it says of the arithmetic, and nothing admitted that would change it unnoticed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::candle::{
    json,
    model::lora::{TARGETS, layer_of},
};

/// The fields that matter to a plain low-rank adapter.
#[derive(Deserialize)]
pub struct PeftConfig {
    peft_type: String,
    /// Rank of every matrix pair.
    pub r: usize,
    lora_alpha: f64,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    init_lora_weights: Json,
    #[serde(default)]
    target_modules: Option<Modules>,
    #[serde(default)]
    exclude_modules: Option<Modules>,
    #[serde(default)]
    layers_to_transform: Option<Layers>,
    #[serde(flatten)]
    others: BTreeMap<String, Json>,
}

/// Modules by the ends of their paths, or by a pattern.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
enum Modules {
    Pattern(String),
    Ends(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a layer or a list of layers")]
enum Layers {
    One(usize),
    Several(Vec<usize>),
}

/// Fields that change nothing once an adapter is trained, or that say how another of these fields is meant.
const WITHOUT_EFFECT: [&str; 14] = [
    "auto_mapping",
    "base_model_name_or_path",
    "revision",
    "task_type",
    "inference_mode",
    "lora_dropout",
    "peft_version",
    "megatron_core",
    "layers_pattern",
    "loftq_config",
    "eva_config",
    "corda_config",
    "lora_ga_config",
    "qalora_group_size",
];

/// Ways to begin that leave the base model as it is.
const PLAIN_STARTS: [&str; 2] = ["gaussian", "eva"];

impl PeftConfig {
    /// Reads the file; the error names the field.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let config: Self = json::parse(bytes)?;
        let plain_start = match &config.init_lora_weights {
            Json::Null | Json::Bool(_) => true,
            Json::String(way) => PLAIN_STARTS.contains(&way.as_str()),
            _ => false,
        };
        let checks = [
            ("peft_type", config.peft_type == "LORA", "\"LORA\""),
            ("r", config.r >= 1, "1 or more"),
            ("lora_alpha", config.lora_alpha.is_finite(), "a number"),
            (
                "init_lora_weights",
                plain_start,
                "true, false, \"gaussian\" or \"eva\" (other ways change the base model)",
            ),
        ];
        if let Some((field, _, wanted)) = checks.iter().find(|(_, holds, _)| !holds) {
            return Err(format!("`{field}` must be {wanted}"));
        }
        let other = |(field, value): &(&String, &Json)| {
            !WITHOUT_EFFECT.contains(&field.as_str()) && !is_unset(field, value)
        };
        match config.others.iter().find(other) {
            Some((field, value)) => Err(format!(
                "`{field}` is {value}: only plain low-rank adapters are supported, which leave it unset"
            )),
            None => Ok(config),
        }
    }

    /// What the product of the matrices counts.
    pub fn scale(&self) -> f64 {
        let r = self.r as f64;
        self.lora_alpha / if self.use_rslora { r.sqrt() } else { r }
    }

    /// Whether the file says that a module is adapted. Patterns are Python's and not read: of them it is not known.
    pub fn expects(&self, module: &str) -> bool {
        let targeted = match &self.target_modules {
            Some(Modules::Pattern(pattern)) => {
                pattern == "all-linear" && TARGETS.iter().any(|end| ends(module, end))
            }
            Some(Modules::Ends(targets)) => targets.iter().any(|end| ends(module, end)),
            None => false,
        };
        let excluded = match &self.exclude_modules {
            Some(Modules::Pattern(_)) => true,
            Some(Modules::Ends(excluded)) => excluded.iter().any(|end| ends(module, end)),
            None => false,
        };
        let in_layer = match (&self.layers_to_transform, layer_of(module)) {
            (Some(Layers::One(wanted)), Some(layer)) => *wanted == layer,
            (Some(Layers::Several(wanted)), Some(layer)) if !wanted.is_empty() => {
                wanted.contains(&layer)
            }
            _ => true,
        };
        targeted && !excluded && in_layer
    }
}

/// Whether a field stands at what means "not used".
fn is_unset(field: &str, value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => true,
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        Json::String(text) => field == "bias" && text == "none",
        _ => false,
    }
}

/// Whether a path is this one or ends with it, as PEFT compares them.
fn ends(module: &str, end: &str) -> bool {
    module
        .strip_suffix(end)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    fn parse(more: &str) -> Result<PeftConfig, String> {
        let json = format!(r#"{{"peft_type": "LORA", "r": 4, "lora_alpha": 8 {more}}}"#);
        PeftConfig::parse(json.as_bytes())
    }

    #[test]
    fn what_changes_the_arithmetic_is_refused_by_its_name() {
        for (field, value) in [
            ("init_lora_weights", r#""pissa""#),
            ("init_lora_weights", r#""olora""#),
            ("layer_replication", "[[0, 3], [1, 3]]"),
            ("lora_bias", "true"),
            ("bias", r#""all""#),
            ("use_dora", "true"),
            ("fan_in_fan_out", "true"),
            ("modules_to_save", r#"["lm_head"]"#),
            ("rank_pattern", r#"{"q_proj": 8}"#),
            ("alpha_pattern", r#"{"q_proj": 8}"#),
            ("trainable_token_indices", "[1]"),
            ("a_later_idea", "3"),
            ("use_rslora", r#""yes""#),
            ("target_modules", "3"),
        ] {
            let problem = parse(&format!(r#", "{field}": {value}"#)).err().unwrap();
            assert!(problem.contains(field), "{problem}");
        }
        for fine in [
            "",
            r#", "init_lora_weights": "gaussian", "bias": "none", "rank_pattern": null, "alpha_pattern": {}"#,
            r#", "init_lora_weights": true, "lora_dropout": 0.1, "loftq_config": {"loftq_bits": 4}, "use_dora": false"#,
        ] {
            assert_eq!(parse(fine).unwrap().scale(), 2.0);
        }
        assert_eq!(parse(r#", "use_rslora": true"#).unwrap().scale(), 4.0);
    }

    #[test]
    fn the_modules_that_must_be_there_are_known() {
        let (q, up) = (
            "model.layers.0.self_attn.q_proj",
            "model.layers.2.mlp.up_proj",
        );
        let expected = |more: &str| {
            let config = parse(more).unwrap();
            (config.expects(q), config.expects(up))
        };
        assert_eq!(
            expected(r#", "target_modules": ["q_proj", "mlp.up_proj"]"#),
            (true, true)
        );
        assert_eq!(
            expected(r#", "target_modules": ["proj", "layers.0.self_attn.q_proj"]"#),
            (true, false)
        );
        let both = r#", "target_modules": ["q_proj", "up_proj"]"#;
        assert_eq!(
            expected(&format!(r#"{both}, "layers_to_transform": 2"#)),
            (false, true)
        );
        assert_eq!(
            expected(&format!(r#"{both}, "layers_to_transform": [0, 1]"#)),
            (true, false)
        );
        assert_eq!(
            expected(&format!(r#"{both}, "exclude_modules": ["mlp.up_proj"]"#)),
            (true, false)
        );
        assert_eq!(
            expected(r#", "target_modules": "all-linear""#),
            (true, true)
        );
        assert_eq!(
            expected(r#", "target_modules": ".*q_proj""#),
            (false, false)
        );
        assert_eq!(expected(""), (false, false));
    }
}

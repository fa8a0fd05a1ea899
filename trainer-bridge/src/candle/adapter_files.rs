//! Low-rank adapters in PEFT's format: `adapter_config.json` and `adapter_model.safetensors`, as `PeftModel.from_pretrained` reads them
//! and TRL leaves them.

use std::{collections::BTreeMap, path::Path};

use safetensors::SafeTensors;
use serde::Deserialize;
use serde_json::json;

use super::{
    checkpoint::FloatTensor,
    lora::{Site, TARGETS, sites},
    model::Model,
    weights::read_floats,
};
use crate::TrainError;

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";

/// An adapter as PEFT stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterFiles {
    /// `adapter_config.json`.
    pub config: Vec<u8>,
    /// `adapter_model.safetensors`.
    pub weights: Vec<u8>,
}

/// The fields of `adapter_config.json` that change what an adapter does, each with the one value there is code for.
#[derive(Deserialize)]
struct PeftConfig {
    peft_type: String,
    r: usize,
    lora_alpha: f64,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    fan_in_fan_out: bool,
    #[serde(default)]
    bias: Option<String>,
    #[serde(default)]
    modules_to_save: Option<Vec<String>>,
    #[serde(default)]
    rank_pattern: BTreeMap<String, usize>,
    #[serde(default)]
    alpha_pattern: BTreeMap<String, f64>,
}

impl PeftConfig {
    fn parse(json: &[u8]) -> Result<Self, String> {
        let config: Self = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        let bias = config.bias.as_deref().unwrap_or("none");
        let saved = config
            .modules_to_save
            .as_ref()
            .is_some_and(|modules| !modules.is_empty());
        let checks = [
            ("peft_type", config.peft_type == "LORA", "\"LORA\""),
            ("r", config.r >= 1, "1 or more"),
            ("lora_alpha", config.lora_alpha.is_finite(), "a number"),
            ("use_dora", !config.use_dora, "false"),
            ("fan_in_fan_out", !config.fan_in_fan_out, "false"),
            ("bias", bias == "none", "\"none\""),
            ("modules_to_save", !saved, "null"),
            ("rank_pattern", config.rank_pattern.is_empty(), "{}"),
            ("alpha_pattern", config.alpha_pattern.is_empty(), "{}"),
        ];
        match checks.iter().find(|(_, holds, _)| !holds) {
            Some((field, _, wanted)) => Err(format!(
                "`{field}` must be {wanted}: nothing else is supported"
            )),
            None => Ok(config),
        }
    }

    fn scale(&self) -> f64 {
        let r = self.r as f64;
        self.lora_alpha / if self.use_rslora { r.sqrt() } else { r }
    }
}

/// PEFT's name of one of a site's two tensors.
fn name(site: &Site, matrix: char) -> String {
    format!("base_model.model.{}.lora_{matrix}.weight", site.module)
}

impl AdapterFiles {
    /// Reads an adapter's folder.
    pub fn read(folder: &Path) -> Result<Self, TrainError> {
        let read = |name: &str| {
            let path = folder.join(name);
            let unreadable =
                |error| TrainError::Setup(format!("cannot read {}: {error}", path.display()));
            std::fs::read(&path).map_err(unreadable)
        };
        Ok(Self {
            config: read(CONFIG)?,
            weights: read(WEIGHTS)?,
        })
    }

    /// Writes the two files into a folder, which is made if need be.
    ///
    /// # Errors
    /// If the folder or a file cannot be written.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join(CONFIG), &self.config)?;
        std::fs::write(folder.join(WEIGHTS), &self.weights)
    }

    /// The adapter that is trained on a model, if one is. `base` is what the base model is called.
    pub fn of(model: &Model, base: &str) -> Result<Option<Self>, TrainError> {
        let Some(adapter) = model.adapter() else {
            return Ok(None);
        };
        let config = adapter.config();
        let json = json!({
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": base, "inference_mode": true,
            "r": config.r, "lora_alpha": config.alpha, "lora_dropout": config.dropout, "target_modules": config.targets,
            "bias": "none", "fan_in_fan_out": false, "use_rslora": false, "use_dora": false, "modules_to_save": null,
            "rank_pattern": {}, "alpha_pattern": {},
        });
        let pairs = adapter
            .sites()
            .iter()
            .zip(adapter.parameters().chunks_exact(2));
        let tensors = pairs.flat_map(|(site, pair)| {
            let shapes = [
                vec![config.r, site.columns],
                vec![site.rows.len(), config.r],
            ];
            let matrices = ['A', 'B'].into_iter().zip(pair).zip(shapes);
            matrices.map(|((matrix, values), shape)| {
                (name(site, matrix), FloatTensor::new(values, shape))
            })
        });
        let metadata = [("format".to_owned(), "pt".to_owned())].into();
        let weights = safetensors::serialize(tensors, Some(metadata))
            .map_err(|error| TrainError::Host(format!("cannot encode the adapter: {error}")))?;
        Ok(Some(Self {
            config: format!("{json:#}\n").into_bytes(),
            weights,
        }))
    }

    /// Merges the adapter into a model for good. `origin` stands in the error messages.
    pub fn merge_into(&self, model: &mut Model, origin: &Path) -> Result<(), TrainError> {
        let fault = |file: &str, problem: String| {
            let path = origin.join(file);
            TrainError::Setup(format!("{}: {problem}", path.display()))
        };
        let config = PeftConfig::parse(&self.config).map_err(|problem| fault(CONFIG, problem))?;
        merge(&config, &self.weights, model).map_err(|problem| fault(WEIGHTS, problem))
    }
}

fn merge(config: &PeftConfig, weights: &[u8], model: &mut Model) -> Result<(), String> {
    let tensors = SafeTensors::deserialize(weights)
        .map_err(|error| format!("is truncated or no safetensors file ({error})"))?;
    let read = |name: &str, shape: [usize; 2]| {
        let tensor = tensors
            .tensor(name)
            .map_err(|_| format!("tensor `{name}` is missing"))?;
        if tensor.shape() != shape {
            return Err(format!(
                "tensor `{name}` has shape {:?}, this model and `r` ask for {shape:?}",
                tensor.shape()
            ));
        }
        let mut values = vec![0.0; shape[0] * shape[1]];
        read_floats(&tensor, &mut values)
            .map_err(|problem| format!("tensor `{name}` {problem}"))?;
        Ok(values)
    };
    let mut placed = 0;
    for site in sites(model.architecture(), &TARGETS.map(str::to_owned)) {
        let names = ['A', 'B'].map(|matrix| name(&site, matrix));
        if names.iter().all(|name| tensors.tensor(name).is_err()) {
            continue;
        }
        let a = read(&names[0], [config.r, site.columns])?;
        let b = read(&names[1], [site.rows.len(), config.r])?;
        model.merge(&site, &a, &b, config.scale());
        placed += 2;
    }
    if placed == tensors.len() {
        return Ok(());
    }
    let places = sites(model.architecture(), &TARGETS.map(str::to_owned));
    let known: Vec<String> = places
        .iter()
        .flat_map(|site| ['A', 'B'].map(|matrix| name(site, matrix)))
        .collect();
    let stray = tensors
        .names()
        .into_iter()
        .find(|name| !known.iter().any(|known| known == name));
    Err(format!(
        "tensor `{}` has no place in this model",
        stray.unwrap_or_default()
    ))
}

//! Low-rank adapters in PEFT's format: `adapter_config.json` and `adapter_model.safetensors`, as `PeftModel.from_pretrained` reads them
//! and TRL leaves them.

use std::{collections::BTreeSet, path::Path};

use safetensors::SafeTensors;
use serde_json::json;

use crate::candle::{
    files::{float_tensor::FloatTensor, peft_config::PeftConfig, weights::read_floats},
    model::{
        Model,
        lora::{Site, TARGETS, sites},
    },
};
use crate::{
    AdapterFiles, TrainError,
    seam::output::{ADAPTER_CONFIG as CONFIG, ADAPTER_WEIGHTS as WEIGHTS},
};

/// What the model that an adapter belongs to is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseName {
    /// A folder, or the hub's id.
    pub model: String,
    /// The commit of a hub model.
    pub revision: Option<String>,
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

    /// The adapter that is trained on a model, if one is.
    pub fn of(model: &Model, base: &BaseName) -> Result<Option<Self>, TrainError> {
        let Some(adapter) = model.adapter() else {
            return Ok(None);
        };
        let config = adapter.config();
        let json = json!({
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": base.model, "revision": base.revision,
            "inference_mode": true,
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
    let places = sites(model.architecture(), &TARGETS.map(str::to_owned));
    let known: BTreeSet<String> = places
        .iter()
        .flat_map(|site| ['A', 'B'].map(|matrix| name(site, matrix)))
        .collect();
    let mut given = tensors.names();
    given.sort_unstable();
    if let Some(stray) = given.iter().find(|name| !known.contains(**name)) {
        return Err(format!("tensor `{stray}` has no place in this model"));
    }
    if given.is_empty() {
        return Err("holds no tensors".into());
    }
    for site in places {
        let names = ['A', 'B'].map(|matrix| name(&site, matrix));
        let absent = names.iter().all(|name| tensors.tensor(name).is_err());
        if absent && !config.expects(&site.module) {
            continue;
        }
        let a = read(&names[0], [config.r, site.columns])?;
        let b = read(&names[1], [site.rows.len(), config.r])?;
        model.merge(&site, &a, &b, config.scale());
    }
    let finite = |weight: &Vec<f32>| weight.iter().all(|value| value.is_finite());
    if !model.weights().iter().all(finite) {
        return Err(format!(
            "with the scale {:e} the merged weights are not finite",
            config.scale()
        ));
    }
    Ok(())
}

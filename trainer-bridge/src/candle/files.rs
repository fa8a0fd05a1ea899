//! A model folder in Hugging Face's layout: `config.json`, `model.safetensors`, `tokenizer.json`. Reads and writes it; every complaint
//! names the file and the field or tensor.

use std::{collections::HashMap, path::Path, sync::Arc};

use candle_core::{DType, Device};

use super::{
    architecture::Architecture, checkpoint::FloatTensor, model::Model, tokenizer::Tokenizer,
};
use crate::TrainError;

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const TOKENIZER: &str = "tokenizer.json";

/// The content of a model folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    /// `config.json`.
    pub config: Vec<u8>,
    /// `model.safetensors`.
    pub weights: Vec<u8>,
    /// `tokenizer.json`.
    pub tokenizer: Vec<u8>,
}

/// The model that is part of this program.
pub fn embedded() -> ModelFiles {
    ModelFiles {
        config: include_bytes!("../../models/toy/config.json").to_vec(),
        weights: include_bytes!("../../models/toy/model.safetensors").to_vec(),
        tokenizer: include_bytes!("../../models/toy/tokenizer.json").to_vec(),
    }
}

impl ModelFiles {
    /// Reads a model folder.
    pub fn read(folder: &Path) -> Result<Self, TrainError> {
        if !folder.is_dir() {
            return Err(TrainError::Setup(format!(
                "there is no model folder {}",
                folder.display()
            )));
        }
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(|error| {
                TrainError::Setup(format!("cannot read {}: {error}", path.display()))
            })
        };
        Ok(Self {
            config: read(CONFIG)?,
            weights: read(WEIGHTS)?,
            tokenizer: read(TOKENIZER)?,
        })
    }

    /// Writes the files into a folder, which is made if need be.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        for (name, content) in [
            (CONFIG, &self.config),
            (WEIGHTS, &self.weights),
            (TOKENIZER, &self.tokenizer),
        ] {
            std::fs::write(folder.join(name), content)?;
        }
        Ok(())
    }

    /// Builds the model. `origin` stands in the error messages: the folder, or the name of an embedded model.
    pub fn load(&self, origin: &str) -> Result<(Model, Tokenizer), TrainError> {
        let fault =
            |file: &str, problem: String| TrainError::Setup(format!("{origin}/{file}: {problem}"));
        let config =
            std::str::from_utf8(&self.config).map_err(|error| fault(CONFIG, error.to_string()))?;
        let architecture = Architecture::parse(config).map_err(|problem| fault(CONFIG, problem))?;
        let tokenizer = Tokenizer::parse(&self.tokenizer, architecture.eos())
            .map_err(|problem| fault(TOKENIZER, problem))?;
        if tokenizer.size() > architecture.vocab_size {
            let (tokens, rows) = (tokenizer.size(), architecture.vocab_size);
            return Err(fault(
                TOKENIZER,
                format!("has {tokens} tokens but `vocab_size` in {CONFIG} is {rows}"),
            ));
        }
        let model = decode_weights(architecture, &self.weights)
            .map_err(|problem| fault(WEIGHTS, problem))?;
        Ok((model, tokenizer))
    }
}

fn decode_weights(architecture: Architecture, bytes: &[u8]) -> Result<Model, String> {
    let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu).map_err(|error| {
        format!(
            "is truncated or no safetensors file ({})",
            first_line(&error)
        )
    })?;
    let mut parameters = Vec::new();
    for parameter in architecture.parameters() {
        let mut values = Vec::new();
        for (name, rows) in &parameter.parts {
            let tensor = tensors
                .get(name)
                .ok_or_else(|| format!("tensor `{name}` is missing"))?;
            let expected: Vec<usize> = std::iter::once(*rows).chain(parameter.columns).collect();
            if tensor.dims() != expected {
                return Err(format!(
                    "tensor `{name}` has shape {:?}, config.json asks for {expected:?}",
                    tensor.dims()
                ));
            }
            if !tensor.dtype().is_float() {
                return Err(format!(
                    "tensor `{name}` holds {:?}, not floats",
                    tensor.dtype()
                ));
            }
            let part = tensor
                .to_dtype(DType::F32)
                .and_then(|tensor| tensor.flatten_all()?.to_vec1::<f32>());
            let part = part.map_err(|error| format!("tensor `{name}`: {}", first_line(&error)))?;
            if !part.iter().all(|value| value.is_finite()) {
                return Err(format!("tensor `{name}` holds values that are not finite"));
            }
            values.extend(part);
        }
        parameters.push(values);
    }
    Ok(Model::new(Arc::new(architecture), parameters))
}

fn first_line(error: &candle_core::Error) -> String {
    error
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// `model.safetensors` of a model: its parameters taken apart into the tensors of the checkpoint, in f32.
pub fn encode_weights(model: &Model) -> Result<Vec<u8>, TrainError> {
    let mut tensors = Vec::new();
    for (parameter, values) in model
        .architecture()
        .parameters()
        .into_iter()
        .zip(model.parameters())
    {
        let mut rest = values.as_slice();
        for (name, rows) in parameter.parts {
            let (part, after) = rest.split_at(rows * parameter.columns.unwrap_or(1));
            rest = after;
            let shape: Vec<usize> = std::iter::once(rows).chain(parameter.columns).collect();
            tensors.push((name, FloatTensor::new(part, shape)));
        }
    }
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize(tensors, Some(metadata))
        .map_err(|error| TrainError::Host(format!("cannot encode the weights: {error}")))
}

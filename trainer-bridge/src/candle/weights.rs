//! Weights of a checkpoint: one safetensors file or several with an index, in f32, bf16 or f16, to and from the decoder's parameters.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::Deserialize;

use super::{architecture::Architecture, checkpoint::FloatTensor, model::Model};
use crate::TrainError;

/// The one file of a small checkpoint.
pub const WEIGHTS: &str = "model.safetensors";
/// Says which file of a large checkpoint holds which tensor.
pub const INDEX: &str = "model.safetensors.index.json";

#[derive(Deserialize)]
struct Index {
    weight_map: HashMap<String, String>,
}

/// The files of a checkpoint's weights, as its index names them.
pub fn shards(index: &[u8]) -> Result<BTreeSet<String>, String> {
    let index: Index = serde_json::from_slice(index).map_err(|error| error.to_string())?;
    let plain = |name: &String| !name.is_empty() && !name.contains(['/', '\\']);
    match index.weight_map.values().find(|name| !plain(name)) {
        Some(name) => Err(format!(
            "`weight_map` names the file {name:?}, which is no plain name"
        )),
        None => Ok(index.weight_map.into_values().collect()),
    }
}

/// Where a tensor of the checkpoint goes.
struct Place {
    parameter: usize,
    start: usize,
    shape: Vec<usize>,
    filled: bool,
}

/// Collects a decoder's weights from one file after another.
pub struct Collector {
    architecture: Arc<Architecture>,
    weights: Vec<Vec<f32>>,
    places: HashMap<String, Place>,
}

impl Collector {
    /// Nothing yet.
    pub fn new(architecture: Arc<Architecture>) -> Self {
        let (mut weights, mut places) = (Vec::new(), HashMap::new());
        for (index, parameter) in architecture.parameters().into_iter().enumerate() {
            let mut start = 0;
            for (name, rows) in parameter.parts {
                let shape: Vec<usize> = std::iter::once(rows).chain(parameter.columns).collect();
                let place = Place {
                    parameter: index,
                    start,
                    shape,
                    filled: false,
                };
                start += place.shape.iter().product::<usize>();
                places.insert(name, place);
            }
            weights.push(vec![0.0; start]);
        }
        Self {
            architecture,
            weights,
            places,
        }
    }

    /// Takes the decoder's tensors out of one file; others it may hold are passed over.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), String> {
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|error| format!("is truncated or no safetensors file ({error})"))?;
        // In one order always, so that the same file gets the same complaint.
        let mut named: Vec<(&str, TensorView<'_>)> = tensors.iter().collect();
        named.sort_unstable_by_key(|&(name, _)| name);
        for (name, tensor) in named {
            let Some(place) = self.places.get_mut(name) else {
                continue;
            };
            if tensor.shape() != place.shape {
                return Err(format!(
                    "tensor `{name}` has shape {:?}, config.json asks for {:?}",
                    tensor.shape(),
                    place.shape
                ));
            }
            let values =
                &mut self.weights[place.parameter][place.start..][..place.shape.iter().product()];
            read_floats(&tensor, values).map_err(|problem| format!("tensor `{name}` {problem}"))?;
            place.filled = true;
        }
        Ok(())
    }

    /// The model, if every tensor was found.
    pub fn finish(self) -> Result<Model, String> {
        let missing = self.places.iter().filter(|(_, place)| !place.filled);
        let first = missing.min_by_key(|(_, place)| (place.parameter, place.start));
        match first {
            Some((name, _)) => Err(format!("tensor `{name}` is missing")),
            None => Ok(Model::new(self.architecture, self.weights)),
        }
    }
}

/// Reads a tensor of floats of any width into `values`, of the same size.
pub fn read_floats(tensor: &TensorView<'_>, values: &mut [f32]) -> Result<(), String> {
    fn fill<const N: usize>(bytes: &[u8], values: &mut [f32], read: impl Fn([u8; N]) -> f32) {
        for (value, bytes) in values.iter_mut().zip(bytes.as_chunks::<N>().0) {
            *value = read(*bytes);
        }
    }
    let bytes = tensor.data();
    match tensor.dtype() {
        Dtype::F32 => fill(bytes, values, f32::from_le_bytes),
        Dtype::BF16 => fill(bytes, values, |b| bf16::from_le_bytes(b).to_f32()),
        Dtype::F16 => fill(bytes, values, |b| f16::from_le_bytes(b).to_f32()),
        other => {
            return Err(format!(
                "holds {other:?}, which is not supported (supported: F32, BF16, F16)"
            ));
        }
    }
    if values.iter().all(|value| value.is_finite()) {
        Ok(())
    } else {
        Err("holds values that are not finite".into())
    }
}

/// `model.safetensors` of a model: its parameters taken apart into the tensors of the checkpoint, in f32.
pub fn encode_weights(model: &Model) -> Result<Vec<u8>, TrainError> {
    let mut tensors = Vec::new();
    let layout = model.architecture().parameters();
    for (parameter, values) in layout.into_iter().zip(model.weights()) {
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

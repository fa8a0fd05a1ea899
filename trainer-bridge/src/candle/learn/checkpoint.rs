//! The full state of a run between two steps as one safetensors file: what is trained (all weights, or an adapter's), optimiser moments,
//! step. Continuing from it gives the same bits as never having stopped.

use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors};

use crate::candle::{files::float_tensor::FloatTensor, learn::adamw::AdamW, model::Model};
use crate::{Checkpoint, TrainError};

/// Names the layout of the file: the one key of its metadata, the step its value. (Several keys
/// would be written in random order, and equal states shall be equal bytes.)
const FORMAT: &str = "reward-search.candle.1";
/// The file's three tensors a parameter.
const KINDS: [&str; 3] = ["weight", "first_moment", "second_moment"];
/// A fourth one where rollouts come from older weights than the trained ones.
const SAMPLER: &str = "sampler_weight";

fn name(kind: &str, index: usize) -> String {
    format!("{kind}.{index:04}")
}

/// Writes the state of a run. `sampler` is the policy that samples, where it is not the trained one.
pub fn encode(
    model: &Model,
    optimizer: &AdamW,
    sampler: Option<&Model>,
) -> Result<Checkpoint, TrainError> {
    let states = [model.parameters(), &optimizer.first, &optimizer.second];
    let states = KINDS.into_iter().zip(states);
    let sampler = sampler.map(|sampler| (SAMPLER, sampler.parameters()));
    let tensors = states.chain(sampler).flat_map(|(kind, values)| {
        values
            .iter()
            .enumerate()
            .map(|(i, v)| (name(kind, i), FloatTensor::new(v, vec![v.len()])))
    });
    let metadata = HashMap::from([(FORMAT.to_owned(), optimizer.step.to_string())]);
    let bytes = safetensors::serialize(tensors, Some(metadata))
        .map_err(|error| TrainError::Host(format!("cannot encode the checkpoint: {error}")))?;
    Ok(Checkpoint::of_bytes(optimizer.step, bytes))
}

/// Puts the state of a run back into a model of the same architecture; gives the optimiser and the policy that samples, where it is not the
/// trained one.
pub fn decode(
    checkpoint: &Checkpoint,
    model: &mut Model,
) -> Result<(AdamW, Option<Model>), TrainError> {
    let fault = TrainError::Checkpoint;
    let bytes = checkpoint
        .bytes()
        .ok_or_else(|| fault("it is another trainer's".to_owned()))?;
    let (_, header) =
        SafeTensors::read_metadata(bytes).map_err(|error| fault(error.to_string()))?;
    let step = header
        .metadata()
        .as_ref()
        .and_then(|metadata| metadata.get(FORMAT));
    if step != Some(&checkpoint.step.to_string()) {
        let step = checkpoint.step;
        return Err(fault(format!(
            "it is not of format {FORMAT} and step {step}"
        )));
    }
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| fault(error.to_string()))?;
    let read = |kind: &str, index: usize, len: usize| {
        let name = name(kind, index);
        let tensor = tensors
            .tensor(&name)
            .map_err(|error| fault(error.to_string()))?;
        let (floats, rest) = tensor.data().as_chunks::<4>();
        if tensor.dtype() != Dtype::F32 || floats.len() != len || !rest.is_empty() {
            return Err(fault(format!("tensor `{name}` does not fit this model")));
        }
        Ok(floats
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect::<Vec<f32>>())
    };
    let read_all = |kind: &str| {
        let parameters = model.parameters().iter().enumerate();
        let values = parameters.map(|(index, parameter)| read(kind, index, parameter.len()));
        values.collect::<Result<Vec<_>, _>>()
    };
    let optimizer = AdamW {
        step: checkpoint.step,
        first: read_all(KINDS[1])?,
        second: read_all(KINDS[2])?,
    };
    let trained = read_all(KINDS[0])?;
    let sampling = match tensors.tensor(&name(SAMPLER, 0)) {
        Ok(_) => Some(read_all(SAMPLER)?),
        Err(_) => None,
    };
    let sampler = sampling.map(|sampling| {
        let mut sampler = model.clone();
        sampler.restore(checkpoint.step, |old| old.clone_from_slice(&sampling));
        sampler
    });
    model.restore(checkpoint.step, |old| old.clone_from_slice(&trained));
    Ok((optimizer, sampler))
}

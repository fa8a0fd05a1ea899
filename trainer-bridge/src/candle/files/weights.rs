//! Weights of a checkpoint: one safetensors file or several with an index, in f32, bf16 or f16, to and from the decoder's parameters.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::Deserialize;

use crate::TrainError;
use crate::candle::{
    files::float_tensor::FloatTensor,
    json,
    model::{Model, architecture::Architecture, layout::EMBEDDING, lora::layer_of},
};

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
    let index: Index = json::parse(index)?;
    let plain = |name: &String| !name.is_empty() && !name.contains(['/', '\\']);
    match index.weight_map.values().find(|name| !plain(name)) {
        Some(name) => Err(format!(
            "`weight_map` names the file {name:?}, which is no plain name"
        )),
        None => Ok(index.weight_map.into_values().collect()),
    }
}

/// Where a tensor of the checkpoint goes.
struct TensorSlot {
    parameter: usize,
    start: usize,
    shape: Vec<usize>,
    filled: bool,
}

impl TensorSlot {
    fn floats(&self) -> usize {
        self.shape.iter().product()
    }
}

const EMBEDDING_NAME: &str = "model.embed_tokens.weight";
const HEAD_NAME: &str = "lm_head.weight";

/// Collects a decoder's weights from one file after another. Takes memory only for tensors that a file has, in the shape it has them: a
/// `config.json` alone cannot ask for more than there is.
pub struct Collector {
    architecture: Arc<Architecture>,
    sizes: Vec<usize>,
    weights: Vec<Vec<f32>>,
    slots: HashMap<String, TensorSlot>,
    /// The output head's own copy, where the embedding serves as one.
    tied_head: Option<Vec<f32>>,
}

impl Collector {
    /// Nothing yet.
    pub fn new(architecture: Arc<Architecture>) -> Self {
        let (mut sizes, mut slots) = (Vec::new(), HashMap::new());
        for (index, parameter) in architecture.parameters().into_iter().enumerate() {
            let mut start = 0;
            for (name, rows) in parameter.parts {
                let shape: Vec<usize> = std::iter::once(rows).chain(parameter.columns).collect();
                let slot = TensorSlot {
                    parameter: index,
                    start,
                    shape,
                    filled: false,
                };
                start += slot.floats();
                slots.insert(name, slot);
            }
            sizes.push(start);
        }
        Self {
            architecture,
            weights: vec![Vec::new(); sizes.len()],
            sizes,
            slots,
            tied_head: None,
        }
    }

    /// Takes the decoder's tensors out of one file.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), String> {
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|error| format!("is truncated or no safetensors file ({error})"))?;
        // In one order always, so that the same file gets the same complaint.
        let mut named: Vec<(&str, TensorView<'_>)> = tensors.iter().collect();
        named.sort_unstable_by_key(|&(name, _)| name);
        for (name, tensor) in named {
            self.take(name, &tensor)?;
        }
        Ok(())
    }

    fn take(&mut self, name: &str, tensor: &TensorView<'_>) -> Result<(), String> {
        let tied = self.architecture.tie_word_embeddings && name == HEAD_NAME;
        let Some(slot) = self.slots.get_mut(if tied { EMBEDDING_NAME } else { name }) else {
            return self.pass_over(name);
        };
        if tensor.shape() != slot.shape {
            return Err(format!(
                "tensor `{name}` has shape {:?}, config.json asks for {:?}",
                tensor.shape(),
                slot.shape
            ));
        }
        let values = if tied {
            self.tied_head.insert(vec![0.0; slot.floats()])
        } else {
            slot.filled = true;
            let weight = &mut self.weights[slot.parameter];
            weight.resize(self.sizes[slot.parameter], 0.0);
            &mut weight[slot.start..][..slot.floats()]
        };
        read_floats(tensor, values).map_err(|problem| format!("tensor `{name}` {problem}"))
    }

    /// Refuses a tensor that has no place: a model without it would be another one. Only the angles that old files hold are no loss.
    fn pass_over(&self, name: &str) -> Result<(), String> {
        if name.ends_with(".rotary_emb.inv_freq") {
            return Ok(());
        }
        Err(format!(
            "tensor `{name}` has no place in the model that config.json describes: {}",
            self.suggestion(name)
        ))
    }

    /// What a tensor without a place tells of the checkpoint.
    fn suggestion(&self, name: &str) -> String {
        let has = |marks: &[&str]| marks.iter().any(|mark| name.contains(mark));
        let said = &self.architecture.model_type;
        let layers = self.architecture.num_hidden_layers;
        if layer_of(name).is_some_and(|layer| layer >= layers) {
            format!("the checkpoint has more layers than `num_hidden_layers`, {layers}")
        } else if has(&[".lora_", ".base_layer."]) {
            "an adapter is in it: merge it into the weights, or name its folder in `adapter`".into()
        } else if has(&[
            ".qweight", ".qzeros", ".scales", ".g_idx", "_scale", ".absmax", ".quant_",
        ]) {
            "quantised weights are not supported".into()
        } else if has(&[".experts.", ".router."]) {
            "mixtures of experts are not supported".into()
        } else if has(&[".q_norm.", ".k_norm."]) {
            format!("`model_type` is `{said}`, and of the supported ones only qwen3 has such norms")
        } else if name.ends_with(".bias") {
            format!(
                "`model_type` is `{said}`, and of the supported ones only qwen2 has biases, of q_proj, k_proj and v_proj"
            )
        } else if self.slots.contains_key(&format!("model.{name}")) {
            "the decoder was saved without its head: load it as AutoModelForCausalLM and save it again".into()
        } else {
            "the checkpoint is of another architecture".into()
        }
    }

    /// The model, if every tensor was found.
    pub fn finish(self) -> Result<Model, String> {
        let missing = self.slots.iter().filter(|(_, slot)| !slot.filled);
        let first = missing.min_by_key(|(_, slot)| (slot.parameter, slot.start));
        if let Some((name, _)) = first {
            return Err(format!("tensor `{name}` is missing"));
        }
        if self
            .tied_head
            .is_some_and(|head| head != self.weights[EMBEDDING])
        {
            return Err(format!(
                "tensor `{HEAD_NAME}` differs from `{EMBEDDING_NAME}`, so `tie_word_embeddings` in config.json must be false"
            ));
        }
        Ok(Model::new(self.architecture, self.weights))
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

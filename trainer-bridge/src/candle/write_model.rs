//! The model that a run trained, as a folder that `[trainer] model` and transformers load. Adapters have files of their own.

use std::path::Path;

use crate::candle::{
    base::{Base, CandleConfig},
    learn::checkpoint,
};
use crate::{Checkpoint, TrainError};

/// Writes the model that a checkpoint of a run with this configuration holds; `false` if the run trained an adapter and no weights.
pub fn write_model(
    config: &CandleConfig,
    checkpoint: &Checkpoint,
    folder: &Path,
) -> Result<bool, TrainError> {
    if config.lora.is_some() {
        return Ok(false);
    }
    let mut model = Base::load(config)?.model;
    checkpoint::decode(checkpoint, &mut model)?;
    config.source()?.write_with(&model, folder)?;
    Ok(true)
}

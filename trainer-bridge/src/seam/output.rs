//! What a run leaves.

use std::{fs, io, path::Path};

use super::{checkpoint::Checkpoint, metrics::StepMetrics};

/// What a run tells while it goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A step is done.
    Step(Box<StepMetrics>),
    /// The run can be continued from here.
    Saved(Saved),
}

/// What is kept of a run between two steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// The state to continue from.
    pub checkpoint: Checkpoint,
    /// The adapter as it is now, in PEFT's format, where one is trained.
    pub adapter: Option<AdapterFiles>,
}

/// How a run ended that did not fail.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// It did all its steps.
    Done(TrainOutput),
    /// It was asked to stop before that; it can go on from here.
    Stopped(Saved),
}

/// What a finished run leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOutput {
    /// One completion per evaluation prompt, in order.
    pub completions: Vec<String>,
    /// What was trained.
    pub saved: Saved,
}

/// A low-rank adapter as PEFT stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterFiles {
    /// `adapter_config.json`.
    pub config: Vec<u8>,
    /// `adapter_model.safetensors`.
    pub weights: Vec<u8>,
}

/// The names of the files of an adapter's folder.
pub(crate) const ADAPTER_CONFIG: &str = "adapter_config.json";
/// See [`ADAPTER_CONFIG`].
pub(crate) const ADAPTER_WEIGHTS: &str = "adapter_model.safetensors";

impl AdapterFiles {
    /// Writes the two files into a folder, which is made if need be.
    ///
    /// # Errors
    /// If the folder or a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join(ADAPTER_CONFIG), &self.config)?;
        fs::write(folder.join(ADAPTER_WEIGHTS), &self.weights)
    }
}

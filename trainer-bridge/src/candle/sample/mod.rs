//! Drawing completions: prompts go in, as tokens or as text, and completions come out.

pub mod complete;
pub mod cpu;
mod cpu_cache;
pub mod device;
mod device_cache;
pub mod rows;

use crate::{
    TrainError,
    candle::{
        decoder::engine::Engine,
        files::tokenizer::Tokenizer,
        model::Model,
        sample::rows::{Completion, Prompt, Settings},
    },
};

/// Draws completions from a model.
pub struct Sampler<'a> {
    /// Who computes.
    pub engine: &'a Engine,
    /// The model.
    pub model: &'a Model,
    /// Its tokenizer.
    pub tokenizer: &'a Tokenizer,
    /// How to draw.
    pub settings: Settings,
    /// The step that stands in the error messages.
    pub step: u32,
}

impl Sampler<'_> {
    /// The completions of every prompt, in order.
    pub fn sample(&self, prompts: &[Prompt<'_>]) -> Result<Vec<Vec<Completion>>, TrainError> {
        match self.engine {
            Engine::Cpu(engine) => {
                let weights = engine.weights(self.model);
                cpu::sample(&weights, self.tokenizer, prompts, self.settings)
                    .map_err(|trouble| trouble.at(self.step))
            }
            Engine::Device(engine) => device::sample(self, engine, prompts),
        }
    }
}

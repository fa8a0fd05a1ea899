//! The embedded trainer: GRPO of a Hugging Face decoder on the processor or on a device, in this process.
//!
//! Folders are floors; each uses those above it in this list. `kernels` is the processor's arithmetic on plain slices. `model` says what a
//! decoder is made of: its architecture, its weights, the adapter on them. `files` reads and writes model folders, tokenizers and adapters.
//! `decoder` computes log-probabilities and gradients, on the processor and on the tensor library's devices. `sample` draws completions.
//! `learn` has what a step learns: rollouts with rewards and advantages, the loss, the optimiser, checkpoints. On top of them stand the
//! base model that runs start from (`base`, and `base_settings` what any trainer's settings say of it), a run (`grpo`), the trainer, pretraining and the benchmark.

mod base;
mod base_settings;
pub mod benchmark;
mod decoder;
mod files;
mod grpo;
mod json;
mod kernels;
mod learn;
mod model;
mod pretrain;
mod sample;
#[cfg(test)]
mod tests;
mod threads;
mod trainer;
mod write_model;

pub use base::CandleConfig;
pub use base_settings::{BaseSettings, ChatMode, hub_id};
pub use decoder::backend::{DeviceName, FloatType};
pub use files::{
    ModelFiles,
    embedded::{EMBEDDED, Embedded},
};
pub use model::lora::LoraConfig;
pub use pretrain::{PretrainConfig, SftExample, SftProgress, pretrain, pretrain_on};
pub use trainer::CandleTrainer;

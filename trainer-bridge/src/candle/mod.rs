//! The embedded trainer: GRPO of a Hugging Face decoder on the processor or on a device, in this process.
//!
//! `base` is the model a run starts from, read by `files`; `architecture` and `layout` say what it is made of; `model`, `forward` and
//! `backward` are the decoder on the processor; `adapter` what `lora` puts on it; `kernels` its arithmetic; `sample` draws completions, whose
//! bookkeeping is in `rows`; `device` is the same on the tensor library's devices, and `engine` the seam; `draws` are the completions of a
//! batch, in the rhythm of `schedule`; `rollouts` the same with rewards and advantages; `objective` is the loss, which `learn` and `step`
//! turn into gradients; `grpo` is the run; `trained` writes what it leaves; `sft` makes a base model from nothing.

mod adapter;
mod adapter_files;
mod architecture;
mod backward;
mod base;
pub mod benchmark;
mod cache;
mod chat_template;
mod checkpoint;
mod complete;
mod device;
mod draws;
mod engine;
mod files;
mod forward;
#[cfg(test)]
mod goldens;
mod grpo;
mod json;
mod kernels;
mod layout;
mod learn;
mod lora;
mod memory;
mod model;
mod objective;
mod optim;
mod pack;
mod peft_config;
mod rollouts;
mod rope;
mod rope_config;
mod rows;
mod sample;
mod schedule;
mod sft;
#[cfg(test)]
mod small;
mod step;
mod summary;
mod tokenizer;
mod tokenizer_config;
mod trained;
#[cfg(test)]
mod trl;
mod weights;

use std::sync::Arc;

pub use adapter_files::AdapterFiles;
use base::Base;
pub use base::{CandleConfig, ChatMode};
use device::place::Places;
pub use device::place::{DeviceName, FloatType};
pub use files::ModelFiles;
pub use lora::LoraConfig;
pub use sft::{PretrainConfig, SftExample, SftProgress, pretrain};
use tokio::sync::{mpsc, oneshot};
pub use trained::write_model;

use crate::{BoxFuture, StepMetrics, TrainError, TrainJob, TrainOutput, Trainer};

/// Trains in this process, each run on threads of its own.
pub struct CandleTrainer {
    base: Arc<Base>,
    places: Places,
    threads: usize,
}

impl CandleTrainer {
    /// Opens the devices and loads the base model.
    ///
    /// # Errors
    /// `Setup`, naming the device, or the file and the field or tensor, when it cannot be used.
    pub fn new(config: &CandleConfig) -> Result<Self, TrainError> {
        let places = config.open_devices()?;
        Ok(Self {
            places,
            base: Arc::new(Base::load(config)?),
            threads: config.threads_per_trial,
        })
    }

    async fn run(
        &self,
        job: TrainJob,
        on_step: &mut (dyn FnMut(StepMetrics) + Send),
    ) -> Result<TrainOutput, TrainError> {
        let (metrics, mut steps) = mpsc::unbounded_channel();
        let (result, done) = oneshot::channel();
        let (base, threads) = (self.base.clone(), self.threads);
        let seat = self.places.take();
        // Dropping this future drops `steps`; the thread sees it after its current step and ends.
        std::thread::Builder::new()
            .name("grpo".into())
            .spawn(move || {
                let outcome = in_pool(threads, || {
                    grpo::Run::new(&job, &base, &seat.place)?.finish(&metrics)
                });
                drop(metrics);
                // Nobody waits any more when the run was dropped.
                let _ = result.send(outcome);
            })
            .map_err(|error| {
                TrainError::Host(format!("cannot start a training thread: {error}"))
            })?;
        while let Some(step) = steps.recv().await {
            on_step(step);
        }
        match done.await {
            Ok(Ok(Some(output))) => Ok(output),
            Ok(Err(error)) => Err(error),
            Ok(Ok(None)) | Err(_) => Err(TrainError::Host(
                "the training thread ended without a result".into(),
            )),
        }
    }
}

impl Trainer for CandleTrainer {
    fn base_model(&self) -> String {
        self.base.model.digest()
    }

    fn check(&self, job: &TrainJob) -> Result<(), TrainError> {
        grpo::check(job, &self.base)
    }

    fn train<'a>(
        &'a self,
        job: TrainJob,
        on_step: &'a mut (dyn FnMut(StepMetrics) + Send),
    ) -> BoxFuture<'a, Result<TrainOutput, TrainError>> {
        Box::pin(self.run(job, on_step))
    }
}

impl From<candle_core::Error> for TrainError {
    fn from(error: candle_core::Error) -> Self {
        let message = error.to_string();
        let lower = message.to_lowercase();
        // What CUDA, cuBLAS and Metal say.
        let signs = [
            "out of memory",
            "out_of_memory",
            "alloc_failed",
            "failed to create metal resource",
        ];
        if signs.iter().any(|sign| lower.contains(sign)) {
            let what = message.lines().next().unwrap_or_default();
            return Self::OutOfMemory(what.to_owned());
        }
        Self::Host(format!("the tensor library failed: {message}"))
    }
}

/// Runs `work` on a thread pool of its own, so that neither it nor the tensor library uses more threads than it may.
fn in_pool<R: Send>(
    threads: usize,
    work: impl FnOnce() -> Result<R, TrainError> + Send,
) -> Result<R, TrainError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .thread_name(|index| format!("candle-{index}"))
        .build()
        .map_err(|error| TrainError::Host(format!("cannot start {threads} threads: {error}")))?;
    pool.install(work)
}

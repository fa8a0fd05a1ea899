//! The embedded trainer as others see it: each run on threads of its own, its steps reported as they are done.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::candle::{
    base::{Base, CandleConfig},
    decoder::backend::Backends,
    grpo,
    threads::in_pool,
};
use crate::{BoxFuture, StepMetrics, TrainError, TrainJob, TrainOutput, Trainer};

/// Trains in this process, each run on threads of its own.
pub struct CandleTrainer {
    base: Arc<Base>,
    backends: Backends,
    threads: usize,
}

impl CandleTrainer {
    /// Opens the devices and loads the base model.
    ///
    /// # Errors
    /// `Setup`, naming the device, or the file and the field or tensor, when it cannot be used.
    pub fn new(config: &CandleConfig) -> Result<Self, TrainError> {
        let backends = config.open_devices()?;
        Ok(Self {
            backends,
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
        let lease = self.backends.take();
        // Dropping this future drops `steps`; the thread sees it after its current step and ends.
        std::thread::Builder::new()
            .name("grpo".into())
            .spawn(move || {
                let outcome = in_pool(threads, || {
                    grpo::Run::new(&job, &base, &lease.backend)?.finish(&metrics)
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

//! The embedded trainer as others see it: each run on threads of its own, its steps reported as they are done.

use std::{path::Path, sync::Arc};

use crate::candle::{
    base::{Base, CandleConfig},
    decoder::backend::Backends,
    grpo,
    threads::in_pool,
    write_model::write_model,
};
use crate::{
    BoxFuture, Checkpoint, Description, Run, RunId, Scoring, TrainError, TrainJob, Trainer,
};

/// Trains in this process, each run on a thread of its own, which may use more.
pub struct CandleTrainer {
    config: CandleConfig,
    base: Arc<Base>,
    backends: Backends,
    scoring: Scoring,
}

impl CandleTrainer {
    /// Opens the devices and loads the base model.
    ///
    /// # Errors
    /// `Setup`, naming the device, or the file and the field or tensor, when it cannot be used.
    pub fn new(config: &CandleConfig, scoring: Scoring) -> Result<Self, TrainError> {
        let backends = config.open_devices()?;
        Ok(Self {
            backends,
            base: Arc::new(Base::load(config)?),
            config: config.clone(),
            scoring,
        })
    }

    fn begin(&self, job: TrainJob) -> Result<Run, TrainError> {
        let (run, reporter) = Run::new(RunId::in_this_process());
        let (base, threads) = (Arc::clone(&self.base), self.config.threads_per_trial);
        let (scoring, lease) = (self.scoring.clone(), self.backends.take());
        let work = move || {
            let ended = in_pool(threads, || {
                let scorer = scoring.scorer(&job.mix, &job.judge);
                let scorer = scorer.map_err(|error| TrainError::of_scoring(error, job.done()))?;
                grpo::Run::new(&job, &scorer, &base, &lease.backend)?.finish(&reporter)
            });
            lease.backend.forget_unused();
            reporter.finish(ended);
        };
        std::thread::Builder::new()
            .name("grpo".into())
            .spawn(work)
            .map_err(|error| {
                TrainError::Host(format!("cannot start a training thread: {error}"))
            })?;
        Ok(run)
    }
}

impl Trainer for CandleTrainer {
    fn describe(&self) -> Description {
        Description {
            kind: "candle".to_owned(),
            base_model: self.base.model.digest(),
        }
    }

    fn check<'a>(&'a self, job: &'a TrainJob) -> BoxFuture<'a, Result<(), TrainError>> {
        Box::pin(async { grpo::check(job, &self.base) })
    }

    fn start(&self, job: TrainJob) -> BoxFuture<'_, Result<Run, TrainError>> {
        Box::pin(async { self.begin(job) })
    }

    fn export<'a>(
        &'a self,
        checkpoint: &'a Checkpoint,
        folder: &'a Path,
    ) -> BoxFuture<'a, Result<bool, TrainError>> {
        Box::pin(async { write_model(&self.config, checkpoint, folder) })
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

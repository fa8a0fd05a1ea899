//! The one place that runs a training: for a trial of the search, for `train`, for the plan's measurement and for the probe's pool.
//!
//! With a folder the run is saved every few steps, and a run that was cut off goes on from its last checkpoint, to the same bits.

use std::ops::ControlFlow;

use trainer_bridge::{
    BoxFuture, Ended, Event, RunId, Saved, StepMetrics, TrainError, TrainJob, TrainOutput, Trainer,
};

use super::checkpoints::{CheckpointFolder, FolderError};
use crate::store::StoreError;

/// A training to be run.
pub struct Training<'a> {
    /// Who trains.
    pub trainer: &'a dyn Trainer,
    /// What; it begins where the folder's newest checkpoint is, if there is one, else where the job says.
    pub job: TrainJob,
    /// Where checkpoints are kept, every `job.save_every` steps and at the end.
    pub folder: Option<&'a CheckpointFolder>,
    /// The run that an earlier process began of it, which may go on elsewhere.
    pub earlier: Option<RunId>,
}

/// Is told what happens in a training, and may stop it.
pub trait Watch: Send {
    /// The training goes on under this name.
    fn begun<'a>(&'a mut self, run: &'a RunId) -> BoxFuture<'a, Result<(), TrainingError>> {
        let _ = run;
        Box::pin(async { Ok(()) })
    }

    /// A step is done. Breaking stops the run.
    fn step<'a>(
        &'a mut self,
        metrics: &'a StepMetrics,
    ) -> BoxFuture<'a, Result<ControlFlow<()>, TrainingError>>;

    /// What was trained until here is kept, if there is a folder.
    ///
    /// # Errors
    /// If what else belongs to it cannot be kept.
    fn saved(&mut self, saved: &Saved) -> Result<(), TrainingError> {
        let _ = saved;
        Ok(())
    }
}

/// Watches a training that nothing is done about.
pub struct Unwatched;

impl Watch for Unwatched {
    fn step<'a>(
        &'a mut self,
        _metrics: &'a StepMetrics,
    ) -> BoxFuture<'a, Result<ControlFlow<()>, TrainingError>> {
        Box::pin(async { Ok(ControlFlow::Continue(())) })
    }
}

/// Why a training did not end well.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// The trainer.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The folder of its checkpoints.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The database that its steps are stored in.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Training<'_> {
    /// Runs it, from wherever it stands to its end or to where `watch` stops it.
    ///
    /// # Errors
    /// See [`TrainingError`]; what the folder holds can be continued from.
    pub async fn to_end(self, watch: &mut dyn Watch) -> Result<Ended, TrainingError> {
        let Self {
            trainer,
            mut job,
            folder,
            earlier,
        } = self;
        if let Some(folder) = folder {
            job.from = folder.newest()?.or(job.from);
        }
        let keep = |saved: &Saved, watch: &mut dyn Watch| -> Result<(), TrainingError> {
            if let Some(folder) = folder {
                folder.keep(&saved.checkpoint)?;
            }
            watch.saved(saved)
        };
        let found = match &earlier {
            Some(id) => trainer.attach(id, &job).await?,
            None => None,
        };
        let mut run = match found {
            Some(run) => run,
            None => trainer.start(job).await?,
        };
        watch.begun(run.id()).await?;
        while let Some(event) = run.event().await {
            match event {
                Event::Step(metrics) => {
                    if watch.step(&metrics).await?.is_break() {
                        run.stop();
                    }
                }
                Event::Saved(saved) => keep(&saved, watch)?,
            }
        }
        let ended = run.result().await?;
        let (Ended::Done(TrainOutput { saved, .. }) | Ended::Stopped(saved)) = &ended;
        keep(saved, watch)?;
        Ok(ended)
    }

    /// Runs a training that nobody stops.
    ///
    /// # Errors
    /// As [`Training::to_end`].
    pub async fn to_completion(self, watch: &mut dyn Watch) -> Result<TrainOutput, TrainingError> {
        match self.to_end(watch).await? {
            Ended::Done(output) => Ok(output),
            Ended::Stopped(saved) => {
                let step = saved.checkpoint.step;
                let why = format!("the run was stopped after step {step}, and not by us");
                Err(TrainError::Host(why).into())
            }
        }
    }
}

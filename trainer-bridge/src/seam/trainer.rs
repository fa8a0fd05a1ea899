//! The seam: one trait, and the handle of a run. Every trainer stands behind it and knows nothing of the others.

use std::{
    future::Future,
    ops::ControlFlow,
    path::Path,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    checkpoint::Checkpoint,
    error::TrainError,
    job::TrainJob,
    output::{Ended, Event},
};

/// A boxed future, as trait objects need it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A trainer of policies.
pub trait Trainer: Send + Sync {
    /// What every run starts from.
    fn describe(&self) -> Description;

    /// Refuses a job that cannot work, its settings and every prompt, before it has cost anything. `start` does it, too.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check<'a>(&'a self, job: &'a TrainJob) -> BoxFuture<'a, Result<(), TrainError>>;

    /// Begins a run: it trains from `job.from` (or the base model) until optimiser step `job.until_step`, then completes
    /// `job.eval_prompts`.
    ///
    /// # Errors
    /// If it cannot even begin. What is wrong with the job may also come out as the run's result.
    fn start(&self, job: TrainJob) -> BoxFuture<'_, Result<Run, TrainError>>;

    /// Finds a run again that an earlier process began and that goes on elsewhere, or came to its end there. A trainer whose runs end with
    /// its process has none. `job` is what would be started otherwise: the run tells what comes after the step that the job begins after.
    ///
    /// # Errors
    /// If it cannot be known whether there is such a run.
    fn attach<'a>(
        &'a self,
        id: &'a RunId,
        job: &'a TrainJob,
    ) -> BoxFuture<'a, Result<Option<Run>, TrainError>> {
        let _ = (id, job);
        Box::pin(async { Ok(None) })
    }

    /// Writes the model that a run left in a checkpoint as a folder in Hugging Face's layout. Returns whether there was one: a run that
    /// trains an adapter leaves that instead.
    ///
    /// # Errors
    /// `Setup` when the checkpoint or the base model cannot be used, `Host` when the folder cannot be written.
    fn export<'a>(
        &'a self,
        checkpoint: &'a Checkpoint,
        folder: &'a Path,
    ) -> BoxFuture<'a, Result<bool, TrainError>>;
}

/// What a trainer says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Its kind, as in a configuration.
    pub kind: String,
    /// A digest of what every run starts from: results of trainers with different ones are not comparable.
    pub base_model: String,
}

/// Names a run to its trainer, also in a later process.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl RunId {
    /// A name for a run that ends with this process.
    pub(crate) fn in_this_process() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(format!("{}-{number}", std::process::id()))
    }
}

/// A run under way. Dropping it gives the run up: one in this process ends after its current step; one elsewhere may go on, and can be
/// attached to.
#[derive(Debug)]
pub struct Run {
    id: RunId,
    events: mpsc::UnboundedReceiver<Event>,
    stop: watch::Sender<bool>,
    result: oneshot::Receiver<Result<Ended, TrainError>>,
}

/// The trainer's end of a [`Run`].
#[derive(Debug)]
pub struct Reporter {
    events: mpsc::UnboundedSender<Event>,
    stop: watch::Receiver<bool>,
    result: oneshot::Sender<Result<Ended, TrainError>>,
}

impl Run {
    /// A run and the end that its trainer reports to.
    #[must_use]
    pub fn new(id: RunId) -> (Self, Reporter) {
        let (event_sender, events) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let (result_sender, result) = oneshot::channel();
        let run = Self {
            id,
            events,
            stop,
            result,
        };
        let reporter = Reporter {
            events: event_sender,
            stop: stopped,
            result: result_sender,
        };
        (run, reporter)
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// The next thing that happens; `None` once there is nothing more but the result.
    pub async fn event(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Asks the run to end after its current step.
    pub fn stop(&self) {
        // A trainer that is gone needs no telling.
        let _ = self.stop.send(true);
    }

    /// How it ended.
    ///
    /// # Errors
    /// Why it did not finish.
    pub async fn result(self) -> Result<Ended, TrainError> {
        self.result.await.unwrap_or_else(|_| {
            let why = "the trainer ended without a result";
            Err(TrainError::Host(why.to_owned()))
        })
    }

    /// Follows the run to its end. Once `on_event` breaks, the run is asked to stop; what still happens until it does is told as well.
    ///
    /// # Errors
    /// Why it did not finish.
    pub async fn to_end(
        mut self,
        on_event: &mut (dyn FnMut(Event) -> ControlFlow<()> + Send),
    ) -> Result<Ended, TrainError> {
        while let Some(event) = self.event().await {
            if on_event(event).is_break() {
                self.stop();
            }
        }
        self.result().await
    }
}

impl Reporter {
    /// Tells what happened.
    pub fn tell(&self, event: Event) {
        // Whoever does not listen any more is noticed by `is_abandoned`.
        let _ = self.events.send(event);
    }

    /// Whether the run was asked to end.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Whether nobody waits for the run any more.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.events.is_closed()
    }

    /// Whether there is no more reason to go on.
    #[must_use]
    pub fn is_to_end(&self) -> bool {
        self.is_stopped() || self.is_abandoned()
    }

    /// Waits until the run is asked to end, or nobody waits for it any more.
    pub async fn stopped(&mut self) {
        // The other end is gone, too, when the run is dropped.
        let _ = self.stop.wait_for(|stop| *stop).await;
    }

    /// Ends the run.
    pub fn finish(self, result: Result<Ended, TrainError>) {
        let Self {
            events,
            result: receiver,
            stop: _,
        } = self;
        drop(events);
        // Nobody waits any more when the run was dropped.
        let _ = receiver.send(result);
    }
}

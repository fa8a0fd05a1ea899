//! TRL as others see it: a worker a run, each on a GPU of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tempfile::TempDir;

use super::{
    TrlConfig,
    devices::{Devices, Lease, visible},
    interpreter::Interpreter,
    lines::{PROTOCOL, Settings, Start},
    orders::{self, Exports, Place},
    package,
    process::Worker,
    session::{Patience, Session},
};
use crate::{
    BoxFuture, Checkpoint, Description, Ended, Reporter, Run, RunId, TrainError, TrainJob, Trainer,
    candle::Embedded,
};

/// Trains in workers.
pub struct TrlTrainer(Arc<Shared>);

/// What all runs use.
struct Shared {
    config: TrlConfig,
    python: PathBuf,
    program: PathBuf,
    /// The package and, if it is the embedded one, the model.
    folder: TempDir,
    model: PathBuf,
    digest: String,
    devices: Devices,
}

impl TrlTrainer {
    /// Finds and checks the interpreter, and the model.
    ///
    /// # Errors
    /// `Setup`, with what mends it.
    pub fn new(config: &TrlConfig) -> Result<Self, TrainError> {
        check(config)?;
        let python = Interpreter::find(config.python.as_deref(), config.use_vllm)?.executable;
        let host = |error: std::io::Error| {
            TrainError::Host(format!("cannot write a temporary folder: {error}"))
        };
        let folder = tempfile::Builder::new()
            .prefix("reward-search-trl-")
            .tempdir()
            .map_err(host)?;
        package::write(folder.path()).map_err(host)?;
        let model = match (&config.folder, Embedded::find(&config.model)) {
            (Some(folder), _) => folder.clone(),
            (None, Some(embedded)) => {
                let model = folder.path().join("model");
                embedded.write(&model).map_err(host)?;
                model
            }
            (None, None) => PathBuf::from(&config.model),
        };
        Ok(Self(Arc::new(Shared {
            program: orders::program()?,
            digest: orders::digest(&model)?,
            devices: Devices::of(&config.devices),
            config: config.clone(),
            python,
            folder,
            model,
        })))
    }
}

/// Refuses settings that are impossible, and an interpreter that lacks something.
///
/// # Errors
/// `Setup`.
pub fn check_config(config: &TrlConfig) -> Result<(), TrainError> {
    check(config)?;
    Interpreter::find(config.python.as_deref(), config.use_vllm).map(drop)
}

fn check(config: &TrlConfig) -> Result<(), TrainError> {
    let problems = config.problems().into_iter();
    match problems.chain(config.misplaced_cluster()).next() {
        Some(problem) => Err(TrainError::Setup(problem)),
        None => Ok(()),
    }
}

impl Shared {
    async fn run(&self, job: TrainJob, reporter: &mut Reporter) -> Result<Ended, TrainError> {
        let lease = tokio::select! {
            lease = self.devices.take() => lease,
            () = reporter.stopped() => {
                return Err(TrainError::Host("the run was given up before it began".to_owned()));
            }
        };
        let host = |error: std::io::Error| {
            TrainError::Host(format!("cannot write the run's temporary folder: {error}"))
        };
        let work = tempfile::Builder::new()
            .prefix("reward-search-run-")
            .tempdir()
            .map_err(host)?;
        let mix = job.mix.clone();
        let rates = orders::rates(&job);
        let settings = self.settings(&lease, &job.digest()).map_err(host)?;
        let job = orders::written(job, work.path()).map_err(host)?;
        if let Some(rollouts) = &settings.rollouts {
            fs::copy(&job, rollouts.with_extension("job.json")).map_err(host)?;
        }
        let start = Start {
            protocol: PROTOCOL,
            job,
            work: work.path().to_owned(),
            program: self.program.clone(),
            settings,
            learning_rates: rates,
            lease: None,
        };
        let own = env::var("CUDA_VISIBLE_DEVICES").ok();
        let visible = visible(lease.number, own.as_deref());
        let session = Session {
            worker: Worker::start(&self.python, self.folder.path(), &visible)?,
            start,
            mix: &mix,
            patience: Patience {
                silence: Duration::from_secs(self.config.silence_s),
                stop: Duration::from_secs(self.config.stop_s),
            },
        };
        session.follow(reporter).await
    }

    fn settings(&self, lease: &Lease, job: &str) -> std::io::Result<Settings<'_>> {
        let rollouts = match &self.config.rollouts {
            Some(folder) => {
                fs::create_dir_all(folder)?;
                Some(std::path::absolute(orders::rollouts_of(folder, job))?)
            }
            None => None,
        };
        let place = Place {
            model: std::path::absolute(&self.model)?,
            commit: None,
            on_gpu: lease.number.is_some(),
            number: lease.number,
            rollouts,
        };
        Ok(orders::settings(&self.config, place))
    }
}

impl Trainer for TrlTrainer {
    fn describe(&self) -> Description {
        Description {
            kind: "trl".to_owned(),
            base_model: self.0.digest.clone(),
        }
    }

    fn check<'a>(&'a self, job: &'a TrainJob) -> BoxFuture<'a, Result<(), TrainError>> {
        Box::pin(async { orders::check_job(&self.0.config, job) })
    }

    fn start(&self, job: TrainJob) -> BoxFuture<'_, Result<Run, TrainError>> {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            orders::check_job(&shared.config, &job)?;
            let (run, mut reporter) = Run::new(RunId::in_this_process());
            tokio::spawn(async move {
                let ended = shared.run(job, &mut reporter).await;
                reporter.finish(ended);
            });
            Ok(run)
        })
    }

    fn export<'a>(
        &'a self,
        checkpoint: &'a Checkpoint,
        folder: &'a Path,
    ) -> BoxFuture<'a, Result<bool, TrainError>> {
        Box::pin(async move {
            let exports = Exports {
                python: &self.0.python,
                model: &self.0.model,
                adapter: self.0.config.lora.is_some(),
            };
            orders::export(&exports, checkpoint, folder)
        })
    }
}

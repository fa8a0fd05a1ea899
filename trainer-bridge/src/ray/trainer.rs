//! Ray as others see it: a job a run.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::{
    cluster::{Cluster, JobState, Trouble},
    follow::{Job, Outfit, lease_package},
    parcel::Parcel,
    submission::{PREFIX, Packages, START_FILE, Submission},
    surroundings::Surroundings,
};
use crate::{
    BoxFuture, Checkpoint, Description, Ended, Location, Reporter, RewardMix, Run, RunId,
    TrainError, TrainJob, Trainer,
    candle::Embedded,
    worker::{
        TrlConfig,
        heed::{Heed, Luggage},
        lines::{Lease, PROTOCOL, Start},
        orders::{self, Exports, FROM_FILE, JOB_FILE, Place},
        package,
    },
};

/// What the name of every job begins with.
const NAME: &str = "reward-search";
/// Where the program is in the worker's package.
const PROGRAM: &str = "bin/reward-search";
/// Where the model that is part of this program is in a job's package.
const MODEL: &str = "model";
/// Digits of a job's digest in its name.
const DIGITS: usize = 12;

/// Trains in jobs of a cluster.
pub struct RayTrainer(Arc<Shared>);

/// What all runs use.
struct Shared {
    around: Surroundings,
    /// The model that is part of this program, if that is trained.
    embedded: Option<TempDir>,
    digest: String,
    /// The worker's package, which all jobs share; packed when it is first needed.
    worker: OnceCell<Parcel>,
    greeted: OnceCell<()>,
}

/// Refuses settings that are impossible. Nobody is asked.
///
/// # Errors
/// `Setup`.
pub fn check_config(config: &TrlConfig) -> Result<(), TrainError> {
    match config.problems_on_a_cluster().into_iter().next() {
        Some(problem) => Err(TrainError::Setup(problem)),
        None => Cluster::of(&config.cluster.clone().unwrap_or_default()).map(drop),
    }
}

impl RayTrainer {
    /// Checks the settings, and finds the model as far as it is here.
    ///
    /// # Errors
    /// `Setup`, with what mends it.
    pub fn new(config: &TrlConfig) -> Result<Self, TrainError> {
        let mut config = config.clone();
        let settings = config.cluster.get_or_insert_default().clone();
        check_config(&config)?;
        let (embedded, digest) = if let Some(embedded) = Embedded::find(&config.model) {
            let folder = temporary("reward-search-ray-").map_err(no_temporary)?;
            embedded.write(folder.path()).map_err(no_temporary)?;
            let digest = orders::digest(folder.path())?;
            (Some(folder), digest)
        } else {
            let here = config.hub_id().is_none() && Path::new(&config.model).is_dir();
            let digest = match here {
                true => orders::digest(Path::new(&config.model))?,
                false => by_name(&config),
            };
            (None, digest)
        };
        Ok(Self(Arc::new(Shared {
            around: Surroundings::of(config, Cluster::of(&settings)?),
            embedded,
            digest,
            worker: OnceCell::new(),
            greeted: OnceCell::new(),
        })))
    }
}

/// What stands for a model that only the nodes have: its name.
fn by_name(config: &TrlConfig) -> String {
    let revision = config.revision.as_deref().unwrap_or_default();
    let digest = Sha256::digest(format!("{}@{revision}", config.model));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn temporary(prefix: &str) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(prefix).tempdir()
}

fn no_temporary(error: io::Error) -> TrainError {
    TrainError::Host(format!("cannot write a temporary folder: {error}"))
}

/// A name for a job: what it does, after which step it begins, and what no other has.
fn new_id(job: &TrainJob) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let own = format!(
        "{}/{}/{}",
        std::process::id(),
        now.unwrap_or_default().as_nanos(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    let own: String = Sha256::digest(own)
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{NAME}-{}-{}-{own}", &job.digest()[..DIGITS], job.done())
}

/// The step after which a job of this name begins; `None` if the name is none of this program's.
fn begins_after(id: &str) -> Option<u32> {
    let parts = id.strip_prefix(NAME)?.strip_prefix('-')?;
    parts.split('-').nth(1)?.parse().ok()
}

impl Shared {
    /// Asks the cluster once whether it answers and takes the token.
    async fn greet(&self) -> Result<(), TrainError> {
        let greet = || -> BoxFuture<'_, _> { Box::pin(self.around.cluster.greet()) };
        let greeting = self
            .greeted
            .get_or_try_init(|| self.around.patiently("greet it", greet));
        greeting.await.map(drop)
    }

    /// A run's own folder in the one that is shared: by its name on the nodes, and here.
    fn folders(&self, id: &str) -> Option<(PathBuf, PathBuf)> {
        let settings = self.around.settings();
        let there = settings.shared?;
        let here = settings.shared_here.unwrap_or_else(|| there.clone());
        Some((there.join(id), here.join(id)))
    }

    fn job<'a>(&'a self, id: &'a str, mix: &'a RewardMix, wants: String) -> Job<'a> {
        let lease_file = self.folders(id).map(|(_, here)| here.join("lease"));
        Job {
            around: &self.around,
            id,
            mix,
            lease_file,
            wants,
        }
    }

    /// Submits a job and follows it.
    async fn run(
        &self,
        id: &str,
        job: TrainJob,
        reporter: &mut Reporter,
    ) -> Result<Ended, TrainError> {
        let mix = job.mix.clone();
        let outfit = self.outfit(id, job).await?;
        let wants = outfit.submission.wants();
        let followed = self.job(id, &mix, wants);
        let submitted = tokio::select! {
            submitted = followed.submit(&outfit) => submitted,
            () = reporter.stopped() => Err(TrainError::Host("the run was given up before it began".to_owned())),
        };
        drop(outfit);
        let ended = match submitted {
            Ok(()) => followed.follow(self.heed(id, 0), reporter).await,
            Err(error) => Err(error),
        };
        self.tidy(id, reporter);
        ended
    }

    /// Whoever takes the run over needs its folder.
    fn tidy(&self, id: &str, reporter: &Reporter) {
        if let Some((_, here)) = self.folders(id)
            && !reporter.is_abandoned()
        {
            // What is left is the cluster's to remove.
            let _ = fs::remove_dir_all(here);
        }
    }

    fn heed(&self, id: &str, after: u32) -> Heed {
        Heed {
            after,
            luggage: Luggage::from_elsewhere(self.folders(id)),
            ..Heed::default()
        }
    }

    /// Packs what a job needs.
    async fn outfit(&self, id: &str, job: TrainJob) -> Result<Outfit, TrainError> {
        let worker = self.worker.get_or_try_init(|| async {
            let program = self.around.settings().program.is_none();
            let packed = tokio::task::spawn_blocking(move || pack_worker(program));
            packed.await.expect("packing does not panic")
        });
        let worker = worker.await?;
        let parcel = self
            .pack(id, job)
            .map_err(|error| TrainError::Host(format!("cannot pack the job {id}: {error}")))?;
        let packages = Packages::of(worker, &parcel);
        Ok(Outfit {
            submission: Submission::of(id, &self.around.config, &packages),
            parcels: [worker.clone(), parcel],
        })
    }

    /// Packs a job: what to do, the rewards in it, and what it goes on from, unless there is a shared folder for that.
    fn pack(&self, id: &str, mut job: TrainJob) -> io::Result<Parcel> {
        let config = &self.around.config;
        let settings = self.around.settings();
        let folder = temporary("reward-search-job-")?;
        let model = match &self.embedded {
            Some(embedded) => {
                copy_files(embedded.path(), &folder.path().join(MODEL))?;
                PathBuf::from(MODEL)
            }
            None => PathBuf::from(&config.model),
        };
        let rollouts = config.rollouts.as_deref();
        let place = Place {
            model,
            commit: config.hub_id().and(config.revision.as_deref()),
            on_gpu: config.on_gpu(),
            number: None,
            rollouts: rollouts.map(|folder| orders::rollouts_of(folder, &job.digest())),
        };
        let rates = orders::rates(&job);
        let shared = self.folders(id);
        if let Some((there, here)) = &shared {
            fs::create_dir_all(here)?;
            if let Some(from) = &mut job.from
                && let Some(bytes) = from.bytes()
            {
                fs::write(here.join(FROM_FILE), bytes)?;
                from.at = Location::Folder(there.join(FROM_FILE));
            }
        }
        orders::written(job, folder.path())?;
        // What the job says of the checkpoint is where that is in its package.
        relative_from(&folder.path().join(JOB_FILE), folder.path())?;
        let start = Start {
            protocol: PROTOCOL,
            job: JOB_FILE.into(),
            work: shared
                .as_ref()
                .map_or_else(PathBuf::new, |(there, _)| there.clone()),
            program: settings.program.unwrap_or_default(),
            settings: orders::settings(config, place),
            learning_rates: rates,
            lease: Some(Lease {
                key: format!("gcs://{}", lease_package(id)),
                file: shared.map(|(there, _)| there.join("lease")),
                seconds: settings.lease_s,
            }),
        };
        fs::write(folder.path().join(START_FILE), serde_json::to_vec(&start)?)?;
        Parcel::of(folder.path(), &[])
    }

    /// Looks for a job that an earlier process began, and whether following it is of use.
    async fn find(&self, id: &str, job: &TrainJob) -> Result<bool, TrainError> {
        let cluster = &self.around.cluster;
        let Some(after) = begins_after(id) else {
            return Ok(false);
        };
        let look = || -> BoxFuture<'_, _> { Box::pin(cluster.standing(id)) };
        let standing = self.around.patiently("look for a job", look).await?;
        let Some(standing) = standing else {
            return Ok(false);
        };
        if after > job.done() {
            // What is known of the run ends before this job begins: nothing comes of it.
            let _ = cluster.stop(id).await;
            return Ok(false);
        }
        if !standing.status.is_over() {
            return Ok(true);
        }
        let read = || -> BoxFuture<'_, _> {
            Box::pin(async {
                match cluster.log(id).await {
                    Err(Trouble::Refused(_)) => Ok(String::new()),
                    other => other,
                }
            })
        };
        let log = self.around.patiently("read a log", read).await?;
        Ok(standing.status != JobState::Stopped && tells_an_end(&log))
    }
}

/// Whether a log has a result: what a run came to, or why it never will.
fn tells_an_end(log: &str) -> bool {
    let events = log.lines().filter_map(|line| line.strip_prefix(PREFIX));
    let mut ends = events.filter(|event| {
        [r#"{"t":"done""#, r#"{"t":"error""#]
            .iter()
            .any(|end| event.starts_with(end))
    });
    ends.next().is_some()
}

/// Packs the worker, and this program with it.
fn pack_worker(with_program: bool) -> Result<Parcel, TrainError> {
    let pack = || -> io::Result<Parcel> {
        let folder = temporary("reward-search-worker-")?;
        package::write(folder.path())?;
        if with_program {
            let path = orders::program().map_err(io::Error::other)?;
            let inside = folder.path().join(PROGRAM);
            fs::create_dir_all(folder.path().join("bin"))?;
            fs::copy(path, inside)?;
        }
        Parcel::of(folder.path(), &[PROGRAM])
    };
    if with_program && env::consts::OS != "linux" {
        return Err(TrainError::Setup(format!(
            "this program is one for {}, and the nodes of a cluster need one for Linux: put it there and name it in `trainer.cluster.program`",
            env::consts::OS
        )));
    }
    pack().map_err(|error| TrainError::Host(format!("cannot pack the worker: {error}")))
}

fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Makes the path of the checkpoint in a job's file relative to the folder that both are in.
fn relative_from(job: &Path, folder: &Path) -> io::Result<()> {
    let mut value: serde_json::Value = serde_json::from_slice(&fs::read(job)?)?;
    let Some(at) = value.pointer_mut("/from/at/folder") else {
        return Ok(());
    };
    let inside = at.as_str().and_then(|at| {
        let inside = Path::new(at).strip_prefix(folder).ok()?;
        Some(inside.to_string_lossy().into_owned())
    });
    if let Some(inside) = inside {
        *at = inside.into();
        fs::write(job, serde_json::to_vec(&value)?)?;
    }
    Ok(())
}

impl Trainer for RayTrainer {
    fn describe(&self) -> Description {
        Description {
            kind: "ray".to_owned(),
            base_model: self.0.digest.clone(),
        }
    }

    fn check<'a>(&'a self, job: &'a TrainJob) -> BoxFuture<'a, Result<(), TrainError>> {
        Box::pin(async {
            orders::check_job(&self.0.around.config, job)?;
            self.0.greet().await
        })
    }

    fn start(&self, job: TrainJob) -> BoxFuture<'_, Result<Run, TrainError>> {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            orders::check_job(&shared.around.config, &job)?;
            let id = new_id(&job);
            let (run, mut reporter) = Run::new(RunId(id.clone()));
            tokio::spawn(async move {
                let ended = shared.run(&id, job, &mut reporter).await;
                reporter.finish(ended);
            });
            Ok(run)
        })
    }

    fn attach<'a>(
        &'a self,
        id: &'a RunId,
        job: &'a TrainJob,
    ) -> BoxFuture<'a, Result<Option<Run>, TrainError>> {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            if !shared.find(&id.0, job).await? {
                return Ok(None);
            }
            let (run, mut reporter) = Run::new(id.clone());
            let (id, mix, after) = (id.0.clone(), job.mix.clone(), job.done());
            tokio::spawn(async move {
                let wants = "what it asked for".to_owned();
                let heed = shared.heed(&id, after);
                let followed = shared.job(&id, &mix, wants);
                let ended = followed.follow(heed, &mut reporter).await;
                shared.tidy(&id, &reporter);
                reporter.finish(ended);
            });
            Ok(Some(run))
        })
    }

    fn export<'a>(
        &'a self,
        checkpoint: &'a Checkpoint,
        folder: &'a Path,
    ) -> BoxFuture<'a, Result<bool, TrainError>> {
        Box::pin(async move {
            let config = &self.0.around.config;
            let embedded = self.0.embedded.as_ref().map(TempDir::path);
            let exports = Exports {
                python: Path::new("python3"),
                // The model's own tokenizer is copied where it is here.
                model: embedded.unwrap_or(Path::new(&config.model)),
                adapter: config.lora.is_some(),
            };
            orders::export(&exports, checkpoint, folder)
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_says_after_which_step_the_job_begins() {
        assert_eq!(
            begins_after("reward-search-0123456789ab-25-00ff00ff"),
            Some(25)
        );
        assert_eq!(begins_after("raysubmit_x"), None);
        assert_eq!(begins_after("reward-search"), None);
    }

    #[test]
    fn only_what_a_worker_says_itself_is_an_end() {
        assert!(tells_an_end("x\n@ev {\"t\":\"done\",\"step\":3}\n"));
        assert!(tells_an_end("@ev {\"t\":\"error\",\"kind\":\"reward\"}\n"));
        assert!(!tells_an_end(
            "done\n@ev {\"t\":\"step\"}\n{\"t\":\"done\"}\n"
        ));
    }

    #[test]
    fn a_checkpoint_is_named_by_its_place_in_the_package() {
        let folder = tempfile::tempdir().unwrap();
        let job = folder.path().join(JOB_FILE);
        let at = folder.path().join(FROM_FILE);
        let text = serde_json::json!({"from": {"step": 2, "at": {"folder": at}}});
        fs::write(&job, text.to_string()).unwrap();
        relative_from(&job, folder.path()).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&fs::read(&job).unwrap()).unwrap();
        assert_eq!(read["from"]["at"]["folder"], FROM_FILE);
    }
}

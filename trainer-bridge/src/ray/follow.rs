//! A job from its submission to its result. Out of reach is not failed: a cluster that does not answer is asked again until patience ends.

use std::{
    convert::Infallible,
    fmt,
    path::PathBuf,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{
    cluster::{JobState, Standing, Trouble},
    log::{End, Log},
    parcel::Parcel,
    submission::{PREFIX, Submission},
    surroundings::Surroundings,
};
use crate::{
    BoxFuture, Ended, Reporter, RewardMix, TrainError,
    worker::{ClusterConfig, TrlConfig, heed::Heed, interpreter},
};

/// Looks at a log after a job's end, before the last one, that do not show one: its last lines may be on their way.
const LAST_LOOKS: u32 = 2;
/// Renewals of a lease in the time that it lasts.
const RENEWALS: u64 = 3;
/// Lines of a log that are quoted where a job gives no other reason.
const WORDS: usize = 3;

/// A job that is followed.
pub struct Job<'a> {
    /// What all runs know.
    pub around: &'a Surroundings,
    /// Its name on the cluster.
    pub id: &'a str,
    /// What it trains on.
    pub mix: &'a RewardMix,
    /// Where its lease lies, where there is a shared folder.
    pub lease_file: Option<PathBuf>,
    /// What it asked for, for messages.
    pub wants: String,
}

/// What a job is given before it is submitted.
pub struct Outfit {
    /// What is uploaded.
    pub parcels: [Parcel; 2],
    /// What is asked for.
    pub submission: Submission,
}

/// How a job that is followed stands.
struct Watch<'a> {
    heed: Heed,
    log: Log<'a>,
    /// Other lines of the log, the last ones.
    words: Vec<String>,
    stopping: Option<Instant>,
    killing: bool,
    unreachable: Option<Instant>,
    begun: Instant,
    heard: Instant,
    looks: u32,
}

/// The package name under which a job's lease lies in the cluster's store.
pub fn lease_package(id: &str) -> String {
    format!("_ray_pkg_lease_{id}.zip")
}

impl Job<'_> {
    /// Uploads what the job needs and submits it, unless it is there already.
    ///
    /// # Errors
    /// See [`Surroundings::patiently`].
    pub async fn submit(&self, outfit: &Outfit) -> Result<(), TrainError> {
        let cluster = &self.around.cluster;
        for parcel in &outfit.parcels {
            let upload = || -> BoxFuture<'_, Result<(), Trouble>> {
                Box::pin(async {
                    match cluster.has(&parcel.name).await? {
                        true => Ok(()),
                        // What breaks off is not kept; the next try finds nothing there.
                        false => cluster.put(&parcel.name, parcel.bytes.clone()).await,
                    }
                })
            };
            self.around.patiently("upload a package", upload).await?;
        }
        let renew =
            || -> BoxFuture<'_, Result<(), Trouble>> { Box::pin(self.renew("0".to_owned())) };
        self.around.patiently("renew a lease", renew).await?;
        // An answer may get lost on its way: a job that is there is not submitted again.
        let submit = || -> BoxFuture<'_, Result<(), Trouble>> {
            Box::pin(async {
                match cluster.standing(self.id).await? {
                    Some(_) => Ok(()),
                    None => cluster.submit(&outfit.submission).await,
                }
            })
        };
        self.around.patiently("submit a job", submit).await
    }

    /// Changes the job's lease.
    async fn renew(&self, value: String) -> Result<(), Trouble> {
        match &self.lease_file {
            Some(file) => tokio::fs::write(file, value).await.map_err(|error| {
                Trouble::Unreachable(format!("cannot write {}: {error}", file.display()))
            }),
            None => {
                let package = lease_package(self.id);
                self.around.cluster.put(&package, value.into_bytes()).await
            }
        }
    }

    /// Changes the job's lease again and again, whatever else takes long. Once `stops` is true its value asks the worker to stop.
    async fn keep(&self, lease_s: u64, mut stops: watch::Receiver<bool>) -> Infallible {
        let due = Duration::from_millis(lease_s * 1000 / RENEWALS);
        let mut renewals = 0;
        loop {
            renewals += 1;
            let asks = if *stops.borrow_and_update() {
                "stop "
            } else {
                ""
            };
            if let Err(trouble) = self.renew(format!("{asks}{}", stamp(renewals))).await {
                // Whoever looks at the job meets the same trouble, and does something about it.
                tracing::debug!("the lease of {} was not renewed: {trouble:?}", self.id);
            }
            let _ = tokio::time::timeout(due, stops.changed()).await;
        }
    }

    /// Follows the job to its end.
    ///
    /// # Errors
    /// Why it did not finish.
    pub async fn follow(&self, heed: Heed, reporter: &mut Reporter) -> Result<Ended, TrainError> {
        let (stop, stops) = watch::channel(false);
        let lease_s = self.around.settings().lease_s;
        let result = tokio::select! {
            result = self.look_on(heed, reporter, &stop) => result,
            never = self.keep(lease_s, stops) => match never {},
        };
        if reporter.is_abandoned() {
            // Another process may take it over before its lease is up.
            return result;
        }
        // Whatever still runs is of no use to anybody. A value that is asked for is forgotten by the cluster after some minutes.
        if result.is_err() {
            let _ = self.around.cluster.stop(self.id).await;
        }
        match &self.lease_file {
            Some(file) => drop(tokio::fs::remove_file(file).await),
            None => drop(self.around.cluster.has(&lease_package(self.id)).await),
        }
        result
    }

    /// Looks at the job until it is over, or patience is.
    async fn look_on(
        &self,
        heed: Heed,
        reporter: &mut Reporter,
        stop: &watch::Sender<bool>,
    ) -> Result<Ended, TrainError> {
        let now = Instant::now();
        let settings = self.around.settings();
        let poll = Duration::from_millis(settings.poll_ms);
        let mut watch = Watch {
            heed,
            log: Log::of(&self.around.cluster, self.id, poll),
            words: Vec::new(),
            stopping: None,
            killing: false,
            unreachable: None,
            begun: now,
            heard: now,
            looks: 0,
        };
        loop {
            if reporter.is_abandoned() {
                let why = "nobody waits for the run any more".to_owned();
                return Err(TrainError::Host(why));
            }
            if reporter.is_stopped() && watch.stopping.is_none() {
                watch.stopping = Some(Instant::now());
                stop.send_replace(true);
            }
            match self.look(&mut watch, &settings, reporter).await {
                Ok(None) => watch.unreachable = None,
                Ok(Some(result)) => return result,
                Err(Trouble::Denied(why)) => return Err(TrainError::Setup(why)),
                Err(Trouble::Unreachable(why) | Trouble::Refused(why)) => {
                    let since = *watch.unreachable.get_or_insert_with(Instant::now);
                    if since.elapsed().as_secs() >= settings.unreachable_s {
                        return Err(self.around.out_of_reach(&why));
                    }
                }
            }
            if let Some(end) = self.listen(poll, &mut watch, reporter).await {
                return end;
            }
        }
    }

    /// Hears what the job says until it is time for the next look at it, or for its end.
    async fn listen(
        &self,
        poll: Duration,
        watch: &mut Watch<'_>,
        reporter: &mut Reporter,
    ) -> Option<Result<Ended, TrainError>> {
        let until = tokio::time::Instant::now() + poll;
        loop {
            let lines = tokio::select! {
                lines = watch.log.next() => lines,
                () = reporter.stopped(), if watch.stopping.is_none() => return None,
                () = tokio::time::sleep_until(until) => return None,
            };
            if let Some(end) = self.hear(&lines, watch, reporter) {
                return Some(end);
            }
        }
    }

    /// One look at the job: the run's end, if that is what it shows.
    async fn look(
        &self,
        watch: &mut Watch<'_>,
        settings: &ClusterConfig,
        reporter: &Reporter,
    ) -> Result<Option<Result<Ended, TrainError>>, Trouble> {
        let Some(standing) = self.around.cluster.standing(self.id).await? else {
            return Ok(Some(Err(TrainError::Host(format!(
                "the cluster at {} knows no job {} any more: it was restarted",
                self.around.cluster.address(),
                self.id
            )))));
        };
        if standing.status == JobState::Pending {
            return Ok(self.waits(watch, settings));
        }
        if standing.status == JobState::Running {
            *self.around.last_running() = Some(Instant::now());
        }
        let end = match standing.status.is_over() {
            false => End::NotYet,
            true if watch.looks < LAST_LOOKS => End::Over,
            true => End::LastLook,
        };
        let lines = watch.log.look(end).await?;
        if let Some(end) = self.hear(&lines, watch, reporter) {
            return Ok(Some(end));
        }
        match end {
            End::NotYet => {}
            End::Over => {
                watch.looks += 1;
                return Ok(None);
            }
            End::LastLook => return Ok(Some(self.conclude(&standing, watch))),
        }
        self.is_patient(watch).await
    }

    /// Takes what is new in the log; returns the run's end if that was in it.
    fn hear(
        &self,
        lines: &[String],
        watch: &mut Watch<'_>,
        reporter: &Reporter,
    ) -> Option<Result<Ended, TrainError>> {
        for line in lines {
            let Some(event) = line.strip_prefix(PREFIX) else {
                if !line.trim().is_empty() {
                    watch.words.push(line.trim().to_owned());
                }
                continue;
            };
            watch.heard = Instant::now();
            let greeted = watch.heed.greeted;
            match watch.heed.line(event.as_bytes(), self.mix, reporter) {
                Ok(Some(end)) => return Some(end),
                Ok(None) => {}
                Err(what) => {
                    return Some(Err(TrainError::Host(format!(
                        "the worker wrote what is no line of its protocol, and was stopped: {what}"
                    ))));
                }
            }
            if !greeted
                && watch.heed.greeted
                && let Some(why) = self.lacks(&watch.heed)
            {
                return Some(Err(TrainError::Setup(why)));
            }
        }
        let excess = watch.words.len().saturating_sub(WORDS);
        watch.words.drain(..excess);
        None
    }

    /// What the nodes' Python lacks.
    fn lacks(&self, heed: &Heed) -> Option<String> {
        let version = |name: &str| heed.versions.get(name).map(String::as_str);
        let use_vllm = self.around.config.use_vllm;
        let (complaints, pins) = interpreter::wrong(&version, use_vllm)?;
        Some(format!(
            "the Python of the cluster's nodes cannot run the worker: {complaints}; mend it with `pip install {pins}` in their image, name \
             another one in `trainer.python`, or have Ray install them: `runtime_env = {{ pip = [...] }}` in [trainer.cluster]"
        ))
    }

    /// A job that waits for its turn.
    fn waits(
        &self,
        watch: &Watch<'_>,
        settings: &ClusterConfig,
    ) -> Option<Result<Ended, TrainError>> {
        if watch.stopping.is_some() {
            let why = "the job was given up before it began".to_owned();
            return Some(Err(TrainError::Host(why)));
        }
        let last = *self.around.last_running();
        let since = last.map_or(watch.begun, |last| last.max(watch.begun));
        (since.elapsed().as_secs() >= settings.queue_s).then(|| {
            Err(TrainError::Setup(format!(
                "the job {} waited {} seconds for its turn and was given up: either no node of the cluster has {} free for long, or none has it at \
                 all (`ray status` says which); lower what a job takes in [trainer.cluster], raise `queue_s`, or add nodes",
                self.id, settings.queue_s, self.wants
            )))
        })
    }

    /// Whether there is a reason to wait on, of a job that runs.
    async fn is_patient(
        &self,
        watch: &mut Watch<'_>,
    ) -> Result<Option<Result<Ended, TrainError>>, Trouble> {
        let TrlConfig {
            silence_s, stop_s, ..
        } = &self.around.config;
        if let Some(since) = watch.stopping {
            let waited = since.elapsed().as_secs();
            if waited >= *stop_s && !watch.killing {
                // It did not hear: Ray ends its processes.
                watch.killing = true;
                self.around.cluster.stop(self.id).await?;
            }
            let ends = waited >= stop_s.saturating_mul(3);
            return Ok(ends.then(|| self.was_stopped(watch)));
        }
        Ok((watch.heard.elapsed().as_secs() >= *silence_s).then(|| {
            Err(TrainError::Host(format!(
                "the worker told of nothing for {silence_s} seconds after step {} ({}) and was stopped: it hangs, or `trainer.silence_s` is shorter \
                 than a step takes",
                watch.heed.step, watch.heed.phase
            )))
        }))
    }

    fn was_stopped(&self, watch: &mut Watch<'_>) -> Result<Ended, TrainError> {
        match watch.heed.saved.take() {
            Some(saved) => Ok(Ended::Stopped(saved)),
            None => Err(TrainError::Host(format!(
                "the job {} was stopped before it had saved anything",
                self.id
            ))),
        }
    }

    /// What the end of a job without a result means.
    fn conclude(&self, standing: &Standing, watch: &mut Watch<'_>) -> Result<Ended, TrainError> {
        let id = self.id;
        let step = watch.heed.step;
        let words = watch.words.join(" | ");
        let message = standing.message.as_deref().unwrap_or("Ray gives no reason");
        let message: String = message.lines().next().unwrap_or_default().to_owned();
        let host = |why: fmt::Arguments<'_>| Err(TrainError::Host(why.to_string()));
        match (standing.status, standing.driver_exit_code) {
            (JobState::Stopped, _) if watch.stopping.is_some() => self.was_stopped(watch),
            (JobState::Stopped, _) => host(format_args!(
                "the job {id} was stopped on the cluster after step {step}, and not by us"
            )),
            (JobState::Succeeded, _) => host(format_args!(
                "the job {id} ended after step {step} without a result: {words}"
            )),
            (_, Some(137 | -9)) => host(format_args!(
                "the job {id} was killed after step {step}: by somebody, by the system when memory ran out, or by its own lease when it did \
                 not hear of this search for {} seconds",
                self.around.settings().lease_s
            )),
            (_, Some(code)) if !watch.heed.greeted => Err(TrainError::Setup(format!(
                "the worker cannot start on the cluster (exit code {code}): {words}"
            ))),
            (_, Some(code)) => host(format_args!(
                "the job {id} ended with exit code {code} after step {step}, without a result: {words}"
            )),
            (_, None) if standing.error_type.is_some() => host(format_args!(
                "the cluster could not prepare the job {id}: {message}"
            )),
            (_, None) => host(format_args!(
                "the cluster lost the job {id} after step {step}: {message}"
            )),
        }
    }
}

/// A value that no earlier renewal had, of this process or another.
fn stamp(renewals: u64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_nanos();
    format!("{}-{now}-{renewals}", std::process::id())
}

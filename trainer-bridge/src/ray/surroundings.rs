//! What all runs of a trainer know, and their patience with a cluster that does not answer.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::cluster::{Cluster, Trouble};
use crate::{
    BoxFuture, TrainError,
    worker::{ClusterConfig, TrlConfig},
};

/// What all runs of a trainer know.
pub struct Surroundings {
    /// The settings.
    pub config: TrlConfig,
    /// The cluster.
    pub cluster: Cluster,
    running: Mutex<Option<Instant>>,
}

impl Surroundings {
    /// Of settings, and the cluster that they name.
    pub fn of(config: TrlConfig, cluster: Cluster) -> Self {
        Self {
            config,
            cluster,
            running: Mutex::new(None),
        }
    }

    /// The cluster's settings.
    pub fn settings(&self) -> ClusterConfig {
        self.config.cluster.clone().unwrap_or_default()
    }

    /// Asks until there is an answer, or patience ends.
    ///
    /// # Errors
    /// `Host` if the cluster stays out of reach, `Setup` if it takes no token.
    pub async fn patiently<'f, T>(
        &self,
        what: &str,
        ask: impl Fn() -> BoxFuture<'f, Result<T, Trouble>> + Send + Sync,
    ) -> Result<T, TrainError> {
        let settings = self.settings();
        let since = Instant::now();
        let mut pause = Duration::from_millis(settings.poll_ms);
        loop {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Unreachable(why)) => {
                    if since.elapsed().as_secs() >= settings.unreachable_s {
                        return Err(self.out_of_reach(&why));
                    }
                    tracing::warn!(
                        "{} cannot be reached to {what} ({why}); trying again",
                        self.cluster.address()
                    );
                }
                Err(Trouble::Denied(why)) => return Err(TrainError::Setup(why)),
                Err(Trouble::Refused(why)) => {
                    return Err(TrainError::Host(format!(
                        "the cluster at {} would not {what}: {why}",
                        self.cluster.address()
                    )));
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(15));
        }
    }

    /// When a job of this trainer was last seen to run.
    pub fn last_running(&self) -> MutexGuard<'_, Option<Instant>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is said when patience ends.
    pub fn out_of_reach(&self, why: &str) -> TrainError {
        TrainError::Host(format!(
            "the cluster at {} could not be reached for {} seconds ({why}); is it up, and does a tunnel to it stand? \
             `trainer.cluster.unreachable_s` is how long it is waited for",
            self.cluster.address(),
            self.settings().unreachable_s
        ))
    }
}

//! Trials that follow each other as they end: no machine waits until the slowest of a round is done. What follows depends on the order in which
//! trials end, which is stored; a search that takes over an earlier one lets its trials end in the same order, and comes to the same.

use std::{cmp::Reverse, collections::HashSet};

use futures_util::{StreamExt as _, stream::FuturesUnordered};

use super::{
    SearchError,
    context::Context,
    ladder::next,
    runner::{Arms, TrialRunner},
};
use crate::domain::trial::Trial;

/// A trial that waits.
struct Waiting {
    trial: Trial,
    /// The steps it will do.
    steps: u32,
    /// Its place in the order of endings in the search that is taken over.
    ending: Option<u32>,
}

impl TrialRunner {
    /// Runs these trials and all that follow from them, those of the highest rung first.
    pub(super) async fn run_as_they_come(
        &self,
        trials: Vec<Trial>,
        arms: &Arms,
    ) -> Result<(), SearchError> {
        let Context { config, events, .. } = &*self.context;
        let mut known: HashSet<_> = trials.iter().map(|trial| trial.id).collect();
        let mut waiting = self.queue(trials, arms).await?;
        // Nothing is waited for here but the trials: one that is not driven on may hold what the others need.
        let mut running = FuturesUnordered::new();
        loop {
            // The last begins next: what ended first in the earlier search, and alone; else what is on the highest rung.
            waiting.sort_by_key(|w| (w.ending.map(Reverse), w.trial.stage, Reverse(w.trial.id)));
            let width = match waiting.last().and_then(|next| next.ending) {
                Some(_) => 1,
                None => config.search.concurrency(),
            };
            while running.len() < width
                && let Some(next) = waiting.pop()
            {
                running.push(self.run_and_follow(next.trial, arms));
            }
            let Some(ended) = running.next().await else {
                return Ok(());
            };
            let mut planned = ended?;
            planned.retain(|planned| known.insert(planned.trial.id));
            events.batch_grows(planned.iter().map(|planned| planned.steps).sum());
            waiting.append(&mut planned);
        }
    }

    /// Runs a trial to its end and plans what follows.
    async fn run_and_follow(&self, trial: Trial, arms: &Arms) -> Result<Vec<Waiting>, SearchError> {
        let Context {
            config, store, id, ..
        } = &*self.context;
        self.run_to_its_end(trial, arms).await?;
        let follow = next(&store.outcomes().await?, &config.screen.ladder());
        if follow.is_empty() {
            return Ok(Vec::new());
        }
        store.plan_trials(*id, &follow).await?;
        let mut planned = store.waiting_trials(*id).await?;
        planned.retain(|trial| {
            let mut follow = follow.iter();
            follow.any(|new| (new.arm, new.stage) == (trial.arm, trial.stage))
        });
        self.queue(planned, arms).await
    }

    /// What is to be known of trials before they begin.
    async fn queue(&self, trials: Vec<Trial>, arms: &Arms) -> Result<Vec<Waiting>, SearchError> {
        let had = self.steps_before(&trials).await?;
        let mut queue = Vec::new();
        for trial in trials {
            queue.push(Waiting {
                steps: trial.steps - had(&trial),
                ending: self.earlier_ending(&trial, arms).await?,
                trial,
            });
        }
        Ok(queue)
    }

    /// Where a trial ended in the search that is taken over.
    async fn earlier_ending(&self, trial: &Trial, arms: &Arms) -> Result<Option<u32>, SearchError> {
        let Some(earlier) = &self.earlier else {
            return Ok(None);
        };
        let (_, mix) = self.mix(trial.arm, arms).await?;
        let (problems, jobs) = (self.context.problems(trial.stage), self.context.jobs());
        let job = jobs.job(mix, &problems, trial.seed, trial.steps);
        let base_model = self.trainer.describe().base_model;
        Ok(earlier.ending(&base_model, &jobs.digest(&job)).await?)
    }
}

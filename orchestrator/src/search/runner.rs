//! Running trials: a few at a time, each trained, judged and stored as it ends; steps are stored as they happen.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Instant,
};

use evaluator::{Problem, Split};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use sandbox::{CompileError, RewardFn};
use tokio::sync::mpsc;
use trainer_bridge::{
    Aggregation, RewardMember, RewardMix, StepMetrics, TrainError, TrainOutput, Trainer,
};

use crate::{
    config::Config,
    data::task::Task,
    domain::{
        candidate::{Candidate, CandidateId},
        figures::{Figures, bootstrap_of},
        trial::{Arm, Stage, Trial, UNTOUCHED},
    },
    judge::Verifier,
    reward::workshop::Workshop,
    search::{
        SearchError,
        events::{Events, TrialEvents},
        job::job,
    },
    store::{Ensemble, SearchId, Store},
};

/// Attempts at a trial that trouble of the host may cost; a candidate's own trouble is never retried.
const ATTEMPTS: u32 = 3;

/// What it takes to run trials.
pub struct Screen {
    /// The whole configuration.
    pub config: Config,
    /// The memory.
    pub store: Store,
    /// The search the trials belong to.
    pub search: SearchId,
    /// Problems.
    pub task: Task,
    /// Who judges answers.
    pub verifier: Verifier,
    /// Who trains.
    pub trainer: Arc<dyn Trainer>,
    /// Loads stored rewards.
    pub workshop: Workshop,
    /// What a person sees.
    pub progress: Arc<dyn Events>,
    /// Rewards loaded so far.
    pub loaded: Mutex<HashMap<CandidateId, RewardFn>>,
}

/// Named mixes and candidates as they are at the start of a batch of trials.
struct Arms {
    candidates: HashMap<CandidateId, Candidate>,
    ensembles: Vec<Ensemble>,
}

impl Screen {
    /// Runs every waiting trial, at most `max_concurrent_trials` at a time.
    ///
    /// # Errors
    /// If the database, the set-up or the host fails for good. A trial whose reward fails is no error.
    pub async fn run_waiting(&self) -> Result<(), SearchError> {
        let trials = self.store.waiting_trials(self.search).await?;
        if trials.is_empty() {
            return Ok(());
        }
        let candidates = self.store.candidates(self.search).await?;
        let arms = Arms {
            candidates: candidates.into_iter().map(|c| (c.id, c)).collect(),
            ensembles: self.store.ensembles(self.search).await?,
        };
        self.progress
            .batch(trials.iter().map(|trial| trial.steps).sum());
        stream::iter(trials)
            .map(|trial| self.run_to_its_end(trial, &arms))
            .buffer_unordered(self.config.search.concurrency())
            .try_collect::<()>()
            .await?;
        self.progress.batch_done();
        let tally = self.verifier.tally();
        if tally.involves_a_model() {
            self.progress.line(&format!("  verdicts so far: {tally}"));
        }
        Ok(())
    }

    async fn run_to_its_end(&self, trial: Trial, arms: &Arms) -> Result<(), SearchError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            self.store.start_trial(trial.id).await?;
            match self.run_once(&trial, arms).await {
                Err(SearchError::Train(TrainError::Host(trouble))) if attempt < ATTEMPTS => {
                    tracing::warn!(trial = trial.id.0, attempt, "{trouble}; trying again");
                    self.store.requeue(self.search, Some(trial.id)).await?;
                }
                end => return end,
            }
        }
    }

    async fn run_once(&self, trial: &Trial, arms: &Arms) -> Result<(), SearchError> {
        let started = Instant::now();
        let (name, rewards) = match self.mix(trial.arm, arms).await {
            Ok(mix) => mix,
            Err(CompileError::Host(error)) => return Err(error.into()),
            Err(CompileError::Rejected(why)) => {
                let why = format!("the stored module no longer loads: {why}");
                self.store
                    .fail_trial(trial.id, &why, started.elapsed().as_secs_f64())
                    .await?;
                return Ok(());
            }
        };
        let bar = self.progress.trial(&name, trial);
        let problems = self.problems(trial.stage);
        match self.train(trial, rewards, &problems, &*bar).await {
            Ok(output) => {
                let evaluated = self
                    .verifier
                    .evaluate(&problems, &output.completions)
                    .await?;
                let bootstrap = bootstrap_of(self.config.search.seed);
                let figures = Figures::of(&evaluated.evaluation, &bootstrap);
                let seconds = started.elapsed().as_secs_f64();
                self.store
                    .complete_trial(
                        trial.id,
                        split_of(trial.stage),
                        &evaluated,
                        &figures,
                        &output.completions,
                        seconds,
                    )
                    .await?;
                bar.complete(&figures, seconds);
                Ok(())
            }
            Err(SearchError::Train(
                error @ (TrainError::Reward { .. }
                | TrainError::NonFinite { .. }
                | TrainError::Diverged { .. }),
            )) => {
                let why = error.to_string();
                self.store
                    .fail_trial(trial.id, &why, started.elapsed().as_secs_f64())
                    .await?;
                bar.failed(&why);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn train(
        &self,
        trial: &Trial,
        rewards: RewardMix,
        problems: &[Problem],
        bar: &dyn TrialEvents,
    ) -> Result<TrainOutput, SearchError> {
        let job = job(
            &self.config,
            &self.task,
            rewards,
            problems,
            trial.seed,
            trial.steps,
        );
        let (steps, mut done) = mpsc::unbounded_channel::<StepMetrics>();
        let mut on_step = move |metrics| {
            // A closed channel means that nobody waits for this trial any more.
            let _ = steps.send(metrics);
        };
        let mut training = self.trainer.train(job, &mut on_step);
        let output = loop {
            tokio::select! {
                biased;
                Some(metrics) = done.recv() => self.note_step(trial, &metrics, bar).await?,
                output = &mut training => break output,
            }
        };
        drop(training);
        while let Ok(metrics) = done.try_recv() {
            self.note_step(trial, &metrics, bar).await?;
        }
        Ok(output?)
    }

    async fn note_step(
        &self,
        trial: &Trial,
        metrics: &StepMetrics,
        bar: &dyn TrialEvents,
    ) -> Result<(), SearchError> {
        bar.step(metrics);
        Ok(self.store.record_step(trial.id, metrics).await?)
    }

    /// The held-out problems of a stage: candidates are selected on Dev, finalists confirmed on Test.
    #[must_use]
    pub fn problems(&self, stage: Stage) -> Vec<Problem> {
        let split = split_of(stage);
        let n = match stage {
            Stage::Screen { .. } => self.config.screen.problems,
            Stage::Confirm { .. } => self.config.confirm.problems,
        };
        self.task.held_out(split, n, self.config.search.seed)
    }

    async fn mix(&self, arm: Arm, arms: &Arms) -> Result<(String, RewardMix), CompileError> {
        let search = &self.config.search;
        let (name, members, aggregation) = match arm {
            Arm::Untouched => (UNTOUCHED.to_owned(), Vec::new(), Aggregation::default()),
            Arm::Candidate(id) => {
                let name = arms
                    .candidates
                    .get(&id)
                    .map(|c| c.name.clone())
                    .unwrap_or_default();
                (name, vec![(id, 1.0)], Aggregation::default())
            }
            Arm::Ensemble(id) => {
                let ensemble = arms.ensembles.iter().find(|e| e.id == id);
                let ensemble = ensemble.expect("a trial's ensemble is stored before the trial");
                (
                    ensemble.name.clone(),
                    ensemble.members.clone(),
                    ensemble.aggregation,
                )
            }
        };
        let base = arms.candidates.values().filter(|c| {
            search.with_base_rewards
                && c.round == 0
                && arm != Arm::Untouched
                && !members.iter().any(|m| m.0 == c.id)
        });
        let mut base: Vec<(CandidateId, f64)> = base.map(|c| (c.id, 1.0)).collect();
        base.sort_by_key(|member| member.0);
        let mut rewards = Vec::new();
        for (id, weight) in base.into_iter().chain(members) {
            let candidate = arms
                .candidates
                .get(&id)
                .expect("a member is a stored candidate");
            rewards.push(RewardMember {
                name: candidate.name.clone(),
                reward: self.reward(candidate).await?,
                weight,
            });
        }
        let mix = RewardMix {
            members: rewards,
            aggregation,
            verifier: self.verifier.for_training(self.task.question_finder()),
        };
        Ok((name, mix))
    }

    /// The callable of an accepted candidate, loaded once.
    ///
    /// # Errors
    /// If the stored bytes no longer load.
    pub async fn reward(&self, candidate: &Candidate) -> Result<RewardFn, CompileError> {
        let known = self
            .loaded
            .lock()
            .expect("no holder panics")
            .get(&candidate.id)
            .cloned();
        if let Some(reward) = known {
            return Ok(reward);
        }
        let wasm = candidate
            .status
            .wasm()
            .expect("only accepted candidates get trials");
        let reward = self.workshop.load(wasm).await?;
        self.loaded
            .lock()
            .expect("no holder panics")
            .insert(candidate.id, reward.clone());
        Ok(reward)
    }
}

/// Candidates are ranked on Dev; Test is read by confirmation alone.
#[must_use]
pub fn split_of(stage: Stage) -> Split {
    match stage {
        Stage::Screen { .. } => Split::Dev,
        Stage::Confirm { .. } => Split::Test,
    }
}

//! Running trials: a few at a time, each trained, judged and stored as it ends; steps are stored as they happen. A trial that was cut off
//! goes on from its last checkpoint.

use std::{collections::HashMap, ops::ControlFlow, sync::Arc, time::Instant};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use sandbox::{Bench, CompileError, Module};
use trainer_bridge::{
    Aggregation, BoxFuture, RewardMember, RewardMix, RunId, StepMetrics, TrainError, TrainJob,
    TrainOutput, Trainer,
};

use crate::{
    config::Promotion,
    domain::{
        candidate::{CandidateEntry, CandidateId, Origin},
        figures::{Figures, bootstrap_of},
        trial::{Arm, BASE_ONLY, Failure, Stage, Trial, TrialId, UNTOUCHED},
    },
    judge::Judge,
    reward::maker::blocking,
    search::{
        SearchError,
        checkpoints::TrialFolders,
        context::Context,
        events::TrialEvents,
        ladder::still_needed,
        takeover::Earlier,
        training::{Training, TrainingError, Watch},
    },
    store::{Attempt, Ensemble, Judged, Store},
};

/// Attempts at a trial that trouble of the host may cost; a candidate's own trouble is never retried.
const ATTEMPTS: u32 = 3;

/// What it takes to run trials.
pub struct TrialRunner {
    /// What the whole search works with.
    pub context: Arc<Context>,
    /// Who trains.
    pub trainer: Arc<dyn Trainer>,
    /// Who judges what the trained policy answers.
    pub judge: Judge,
    /// Where stored rewards are loaded, by the trainer too.
    pub bench: Bench,
    /// Where trials keep their checkpoints.
    pub folders: TrialFolders,
    /// The search whose finished trials are taken over where they are what this one asks for.
    pub earlier: Option<Earlier>,
}

/// Named mixes and candidates as they are at the start of a batch of trials.
pub(super) struct Arms {
    candidates: HashMap<CandidateId, CandidateEntry>,
    ensembles: Vec<Ensemble>,
}

impl TrialRunner {
    /// Runs every waiting trial, at most `max_concurrent_trials` at a time.
    ///
    /// # Errors
    /// If the database, the set-up or the host fails for good. A trial whose reward fails is no error.
    pub async fn run_waiting(&self) -> Result<(), SearchError> {
        let Context {
            config,
            store,
            id,
            events,
            ..
        } = &*self.context;
        let trials = store.waiting_trials(*id).await?;
        // What a trial leaves that ended while the process was killed.
        self.tidy().await?;
        if trials.is_empty() {
            return self.audit().await;
        }
        let candidates = store.candidate_entries(*id).await?;
        let arms = Arms {
            candidates: candidates.into_iter().map(|c| (c.id, c)).collect(),
            ensembles: store.ensembles(*id).await?,
        };
        let had = self.steps_before(&trials).await?;
        events.batch(trials.iter().map(|t| t.steps - had(t)).sum());
        match config.screen.promotion {
            Promotion::Round => {
                stream::iter(trials)
                    .map(|trial| self.run_to_its_end(trial, &arms))
                    .buffer_unordered(config.search.concurrency())
                    .try_collect::<()>()
                    .await?;
            }
            Promotion::Async => self.run_as_they_come(trials, &arms).await?,
        }
        events.batch_done();
        self.audit().await?;
        if let Some(tally) = self.judge.tally() {
            events.line(&format!("  verdicts so far: {tally}"));
        }
        self.tidy().await
    }

    /// Removes the checkpoints that nothing will go on from.
    async fn tidy(&self) -> Result<(), SearchError> {
        let Context {
            config, store, id, ..
        } = &*self.context;
        let finished = store.last_finished_round(*id).await?;
        let snapshot = store.snapshot_of(&[]).await?;
        let needed = still_needed(&snapshot, &config.screen.ladder(), finished);
        Ok(self.folders.keep_only(&needed)?)
    }

    /// The steps that trials have had when they begin.
    pub(super) async fn steps_before(
        &self,
        trials: &[Trial],
    ) -> Result<impl Fn(&Trial) -> u32 + use<>, SearchError> {
        let Context { store, id, .. } = &*self.context;
        let goes_on = trials.iter().any(|trial| trial.from.is_some());
        let all = match goes_on {
            true => store.trials(*id).await?,
            false => Vec::new(),
        };
        let steps: HashMap<TrialId, u32> = all.iter().map(|t| (t.id, t.steps)).collect();
        Ok(move |trial: &Trial| {
            trial
                .from
                .and_then(|from| steps.get(&from).copied())
                .unwrap_or(0)
        })
    }

    pub(super) async fn run_to_its_end(
        &self,
        trial: Trial,
        arms: &Arms,
    ) -> Result<(), SearchError> {
        let mut attempt = 0;
        let mut kept = self.folders.of(trial.id).step()?;
        loop {
            attempt += 1;
            match self.run_once(&trial, arms, attempt).await {
                Err(SearchError::Train(TrainError::Host(trouble))) if attempt < ATTEMPTS => {
                    tracing::warn!(trial = trial.id.0, attempt, "{trouble}; trying again");
                    // Where machines are taken away again and again, getting on is what counts.
                    let keeps = self.folders.of(trial.id).step()?;
                    if keeps > kept {
                        (attempt, kept) = (1, keeps);
                    }
                }
                Err(SearchError::Train(error @ TrainError::Checkpoint(_)))
                    if attempt < ATTEMPTS =>
                {
                    tracing::warn!(trial = trial.id.0, attempt, "{error}; beginning anew");
                    self.folders.of(trial.id).remove()?;
                }
                end => return end,
            }
        }
    }

    /// Trains, judges and stores a trial, or stores why that cannot be.
    async fn run_once(&self, trial: &Trial, arms: &Arms, attempt: u32) -> Result<(), SearchError> {
        let Context { config, store, .. } = &*self.context;
        let started = Instant::now();
        let seconds = || started.elapsed().as_secs_f64();
        let (name, mix) = self.mix(trial.arm, arms).await?;
        let bar = self.context.events.trial(&name, trial);
        let problems = self.context.problems(trial.stage);
        let job = self.context.jobs();
        let job = job.job(mix, &problems, trial.seed, trial.steps);
        if self.take_over(trial, &job, &*bar).await? {
            return Ok(());
        }
        // What an earlier process began may still go on; what this one began has ended.
        let may_go_on = attempt == 1;
        match self.train(trial, job, &*bar, may_go_on).await {
            Ok(output) => {
                let judged = self.judged(trial, &problems, &output.completions);
                let evaluated = match judged.await? {
                    Ok(evaluated) => evaluated,
                    Err(why) => {
                        store.prune_trial(trial.id, &why, seconds()).await?;
                        bar.failed(&why);
                        return Ok(self.folders.of(trial.id).remove()?);
                    }
                };
                let bootstrap = bootstrap_of(config.search.seed);
                let figures = Figures::of(&evaluated.evaluation, &bootstrap);
                let judged = Judged {
                    split: config.search.protocol.split(trial.stage),
                    evaluated: &evaluated,
                    figures: &figures,
                    completions: &output.completions,
                    seconds: seconds(),
                };
                store.complete_trial(trial.id, judged).await?;
                bar.complete(&figures, seconds());
            }
            Err(SearchError::Train(error)) => {
                let Some(failure) = Failure::of(&error) else {
                    return Err(error.into());
                };
                store.fail_trial(trial.id, &failure, seconds()).await?;
                bar.failed(&failure.to_string());
            }
            Err(error) => return Err(error),
        }
        let ladder = config.screen.ladder();
        match trial.stage {
            // It is open yet who goes on to the next rung, from here.
            Stage::Screen { rung } if ladder.goes_on_after(rung) => Ok(()),
            _ => Ok(self.folders.of(trial.id).remove()?),
        }
    }

    /// Takes over what the same job has come to in the search that this one was begun from; false if it has not.
    async fn take_over(
        &self,
        trial: &Trial,
        job: &TrainJob,
        bar: &dyn TrialEvents,
    ) -> Result<bool, SearchError> {
        let Context { config, store, .. } = &*self.context;
        let Some(earlier) = &self.earlier else {
            return Ok(false);
        };
        let (digest, split) = (
            self.context.jobs().digest(job),
            config.search.protocol.split(trial.stage),
        );
        let base_model = self.trainer.describe().base_model;
        let Some(taken) = earlier.finished(&base_model, &digest, split).await? else {
            return Ok(false);
        };
        let attempt = Attempt {
            after: 0,
            done: 0,
            job: Some(&digest),
        };
        store.begin_trial(trial.id, attempt).await?;
        for metrics in &taken.curve {
            store.record_step(trial.id, metrics).await?;
        }
        let bootstrap = bootstrap_of(config.search.seed);
        let figures = Figures::of(&taken.evaluated.evaluation, &bootstrap);
        let judged = Judged {
            split,
            evaluated: &taken.evaluated,
            figures: &figures,
            completions: &taken.completions,
            seconds: taken.seconds,
        };
        store.complete_trial(trial.id, judged).await?;
        bar.complete(&figures, 0.0);
        Ok(true)
    }

    async fn train(
        &self,
        trial: &Trial,
        mut job: TrainJob,
        bar: &dyn TrialEvents,
        may_go_on: bool,
    ) -> Result<TrainOutput, SearchError> {
        let Context { config, store, .. } = &*self.context;
        let folder = self.folders.of(trial.id);
        let digest = self.context.jobs().digest(&job);
        folder.claim(&digest)?;
        // Where the checkpoint of the rung below is gone, all of the training is done again: it comes to the same.
        job.from = match trial.from {
            Some(below) => self.folders.of(below).newest()?,
            None => None,
        };
        let (after, own) = (job.done(), folder.step()?);
        let earlier = match may_go_on {
            true => store.run_of(trial.id, &digest).await?.map(RunId),
            false => None,
        };
        let attempt = Attempt {
            after,
            done: own.unwrap_or(after),
            job: Some(&digest),
        };
        // A step is stored before the checkpoint after it is kept; where it got lost all the same, the trial begins anew.
        let begun = store.begin_trial(trial.id, attempt).await?;
        if own.is_some_and(|own| begun < own) {
            folder.remove()?;
            folder.claim(&digest)?;
        }
        self.load(&job.mix).await?;
        job.save_every = Some(config.search.save_every());
        let training = Training {
            trainer: &*self.trainer,
            job,
            folder: Some(&folder),
            earlier,
        };
        let mut watch = Stored { store, trial, bar };
        Ok(training.to_completion(&mut watch).await?)
    }

    /// Loads the rewards of a mix, so that what is wrong with one is known before the trainer is asked, and the trainer finds them loaded.
    async fn load(&self, mix: &RewardMix) -> Result<(), SearchError> {
        for member in &mix.members {
            let (module, limits) = (member.module.clone(), mix.limits.clone());
            let loaded = blocking(&self.bench, move |bench| bench.load(&module, &limits)).await;
            loaded.map_err(|error| match error {
                CompileError::Host(error) => SearchError::from(error),
                CompileError::Rejected(why) => TrainError::Unloadable {
                    member: member.name.clone(),
                    why,
                }
                .into(),
            })?;
        }
        Ok(())
    }

    /// The name of an arm, and what it trains on.
    pub(super) async fn mix(
        &self,
        arm: Arm,
        arms: &Arms,
    ) -> Result<(String, RewardMix), SearchError> {
        let Context { config, store, .. } = &*self.context;
        let (name, members, aggregation) = arms.parts(arm);
        let base = match arm {
            Arm::Candidate(_) | Arm::Ensemble(_) if config.search.with_base_rewards => arms.base(),
            _ => Vec::new(),
        };
        let base = base
            .into_iter()
            .filter(|(id, _)| members.iter().all(|m| m.0 != *id));
        let mut mixed = Vec::new();
        for (id, weight) in base.chain(members.iter().copied()) {
            let wasm = store.wasm(id).await?;
            mixed.push(RewardMember {
                name: arms.candidate(id).name.clone(),
                module: Module::from_bytes(wasm.expect("only accepted candidates get trials")),
                weight,
            });
        }
        let mix = RewardMix {
            members: mixed,
            aggregation,
            limits: config.limits.clone(),
        };
        Ok((name, mix))
    }
}

impl Arms {
    fn candidate(&self, id: CandidateId) -> &CandidateEntry {
        let candidate = self.candidates.get(&id);
        candidate.expect("what a trial trains on is stored before the trial")
    }

    /// The base rewards, in order.
    fn base(&self) -> Vec<(CandidateId, f64)> {
        let base = self
            .candidates
            .values()
            .filter(|c| c.origin == Origin::Base);
        let mut base: Vec<(CandidateId, f64)> = base.map(|c| (c.id, 1.0)).collect();
        base.sort_by_key(|member| member.0);
        base
    }

    /// The name of an arm, its members with their weights, and how these become one advantage.
    fn parts(&self, arm: Arm) -> (String, Vec<(CandidateId, f64)>, Aggregation) {
        match arm {
            Arm::Untouched => (UNTOUCHED.to_owned(), Vec::new(), Aggregation::default()),
            // A plain sum, as in the reference paper.
            Arm::BaseOnly => (BASE_ONLY.to_owned(), self.base(), Aggregation::default()),
            Arm::Candidate(id) => {
                let name = self.candidate(id).name.clone();
                (name, vec![(id, 1.0)], Aggregation::default())
            }
            Arm::Ensemble(id) => {
                let ensemble = self.ensembles.iter().find(|e| e.id == id);
                let ensemble = ensemble.expect("a trial's ensemble is stored before the trial");
                let members = ensemble.members.clone();
                (ensemble.name.clone(), members, ensemble.aggregation)
            }
        }
    }
}

/// Stores the steps of a trial, and shows them.
struct Stored<'a> {
    store: &'a Store,
    trial: &'a Trial,
    bar: &'a dyn TrialEvents,
}

impl Watch for Stored<'_> {
    fn begun<'a>(&'a mut self, run: &'a RunId) -> BoxFuture<'a, Result<(), TrainingError>> {
        Box::pin(async { Ok(self.store.record_run(self.trial.id, &run.0).await?) })
    }

    fn step<'a>(
        &'a mut self,
        metrics: &'a StepMetrics,
    ) -> BoxFuture<'a, Result<ControlFlow<()>, TrainingError>> {
        Box::pin(async {
            self.bar.step(metrics);
            self.store.record_step(self.trial.id, metrics).await?;
            Ok(ControlFlow::Continue(()))
        })
    }
}

//! From a draft to a reward that can be trained on: compile, load, probe. A bad draft is data; only the host's trouble is an error.

use std::sync::Arc;

use sandbox::{
    Bench, CompileError, HostError, Limits, Module, ProbeReport, Rejection, RewardFn, Sample,
    Source, Verdict,
};
use tokio::task::{JoinError, spawn_blocking};
use trainer_bridge::{JudgeError, JudgeRollouts, Rollout};

use super::base;
use crate::data::task::{ProbeCompletion, Task};

/// Makes rewards of drafts. Clones share the bench and the samples.
#[derive(Clone)]
pub struct RewardMaker {
    bench: Bench,
    limits: Limits,
    samples: ProbeSamples,
}

/// Completions that every reward is probed with, and what a judge says of them.
#[derive(Clone)]
pub struct ProbeSamples {
    judged: Arc<[(ProbeCompletion, Verdict)]>,
}

/// A reward that passed.
#[derive(Clone)]
pub struct Made {
    /// The bytes that run, are stored and are exported.
    pub module: Module,
    /// The callable.
    pub reward: RewardFn,
    /// What the probe saw.
    pub report: ProbeReport,
}

impl ProbeSamples {
    /// Completions made up for problems of a task.
    ///
    /// # Errors
    /// If the judge cannot say.
    pub fn of(task: &Task, seed: u64, judge: &dyn JudgeRollouts) -> Result<Self, JudgeError> {
        let samples = task.probe_completions(seed);
        let rollouts: Vec<Rollout<'_>> = samples.iter().map(rollout_of).collect();
        let verdicts = judge.judge(&rollouts)?;
        Ok(Self {
            judged: samples.into_iter().zip(verdicts).collect(),
        })
    }
}

fn rollout_of(sample: &ProbeCompletion) -> Rollout<'_> {
    Rollout {
        row: &sample.row,
        prompt: &sample.prompt,
        question: &sample.prompt,
        answer: &sample.answer,
        completion: &sample.completion,
    }
}

impl RewardMaker {
    /// Sets up nothing yet: the compiler is looked for when there is something to compile.
    ///
    /// # Errors
    /// If the limits cannot be kept.
    pub fn new(bench: Bench, limits: Limits, samples: ProbeSamples) -> Result<Self, HostError> {
        limits.validate()?;
        Ok(Self {
            bench,
            limits,
            samples,
        })
    }

    /// Where it loads what it made.
    #[must_use]
    pub fn bench(&self) -> &Bench {
        &self.bench
    }

    /// Compiles, loads and probes on a blocking thread.
    ///
    /// # Errors
    /// Only for trouble of the host; a bad source is the inner `Err`.
    pub async fn make(&self, source: Source) -> Result<Result<Made, Rejection>, HostError> {
        let (limits, samples) = (self.limits.clone(), self.samples.clone());
        let work = move |bench: &Bench| {
            let module = match base::compiled(&source) {
                Some(module) => module,
                None => bench.compile(&source)?,
            };
            let reward = bench.load(&module, &limits)?;
            let judged = samples.judged.iter();
            let samples: Vec<Sample<'_>> = judged
                .map(|(sample, verdict)| rollout_of(sample).sample(verdict))
                .collect();
            let report = sandbox::probe(&reward, &samples)?;
            Ok(Made {
                module,
                reward,
                report,
            })
        };
        match blocking(&self.bench, work).await {
            Ok(made) => Ok(Ok(made)),
            Err(CompileError::Rejected(rejection)) => Ok(Err(rejection)),
            Err(CompileError::Host(error)) => Err(error),
        }
    }
}

/// Works at a bench on a blocking thread.
///
/// # Errors
/// As the work. Whatever a candidate did to our own code is the candidate's matter: it ends no search.
pub async fn blocking<T: Send + 'static>(
    bench: &Bench,
    work: impl FnOnce(&Bench) -> Result<T, CompileError> + Send + 'static,
) -> Result<T, CompileError> {
    let bench = bench.clone();
    let done = spawn_blocking(move || work(&bench)).await;
    done.unwrap_or_else(|panic| Err(broke_down(&panic).into()))
}

fn broke_down(panic: &JoinError) -> Rejection {
    tracing::error!("a candidate broke what examines it, please report it: {panic}");
    Rejection::Malformed {
        message: "checking it broke down".to_owned(),
    }
}

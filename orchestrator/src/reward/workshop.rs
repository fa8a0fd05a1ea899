//! From a draft to a reward that can be trained on: compile, load, probe. A bad draft is data; only the host's trouble is an error.

use std::sync::Arc;

use sandbox::{
    CompileError, Compiler, CompilerConfig, HostError, Limits, Module, ProbeReport, Rejection,
    RewardFn, Sample, Sandbox, Source, Verdict,
};

use crate::data::task::{ProbeCompletion, Task};

/// The compiler, the sandbox and the samples every reward is probed with.
#[derive(Clone)]
pub struct Workshop {
    tools: Arc<Tools>,
}

struct Tools {
    compiler: Compiler,
    sandbox: Sandbox,
    samples: Vec<(ProbeCompletion, Verdict)>,
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

impl Workshop {
    /// Sets up compiler and sandbox; builds the guest SDK on first use. `guest` is told of a build of the Python guest.
    ///
    /// # Errors
    /// If the host lacks what it takes, with what to do about it.
    pub fn new(
        limits: Limits,
        task: &Task,
        seed: u64,
        guest: sandbox::Progress,
    ) -> Result<Self, HostError> {
        let verifier = task.rule();
        let samples = task
            .probe_completions(seed)
            .into_iter()
            .map(|sample| {
                let (correct, extracted) = verifier(&sample.completion, &sample.answer);
                (sample, Verdict { correct, extracted })
            })
            .collect();
        let tools = Tools {
            compiler: Compiler::new(CompilerConfig::default())?,
            sandbox: Sandbox::with_progress(limits, guest)?,
            samples,
        };
        Ok(Self {
            tools: Arc::new(tools),
        })
    }

    /// Compiles, loads and probes on a blocking thread.
    ///
    /// # Errors
    /// Only for trouble of the host; a bad source is the inner `Err`.
    pub async fn make(&self, source: Source) -> Result<Result<Made, Rejection>, HostError> {
        let tools = Arc::clone(&self.tools);
        let made = tokio::task::spawn_blocking(move || tools.make(&source)).await;
        match made {
            Ok(Ok(made)) => Ok(Ok(made)),
            Ok(Err(CompileError::Rejected(rejection))) => Ok(Err(rejection)),
            Ok(Err(CompileError::Host(error))) => Err(error),
            Err(panic) => Ok(Err(broke_down(&panic))),
        }
    }

    /// Loads bytes that were made before, on a blocking thread.
    ///
    /// # Errors
    /// As [`CompileError`]: bytes from a database that no longer load are the candidate's matter, all else the host's.
    pub async fn load(&self, wasm: &[u8]) -> Result<RewardFn, CompileError> {
        let (tools, module) = (Arc::clone(&self.tools), Module::from_bytes(wasm));
        let loaded = tokio::task::spawn_blocking(move || tools.sandbox.load(&module)).await;
        loaded.unwrap_or_else(|panic| Err(broke_down(&panic).into()))
    }
}

/// Whatever a source did to our own code, it is the candidate's matter and ends no search.
fn broke_down(panic: &tokio::task::JoinError) -> Rejection {
    tracing::error!("a candidate broke the workshop, please report it: {panic}");
    Rejection::Malformed {
        message: "checking it broke down".to_owned(),
    }
}

impl Tools {
    fn make(&self, source: &Source) -> Result<Made, CompileError> {
        let module = self.compiler.compile(source)?;
        let reward = self.sandbox.load(&module)?;
        let samples: Vec<Sample<'_>> = self
            .samples
            .iter()
            .map(|(sample, verdict)| Sample {
                prompt: &sample.prompt,
                completion: &sample.completion,
                answer: &sample.answer,
                verdict,
            })
            .collect();
        let report = sandbox::probe(&reward, &samples)?;
        Ok(Made {
            module,
            reward,
            report,
        })
    }
}

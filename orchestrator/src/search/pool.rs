//! The pool of a search: what the untouched policy writes to training questions, sampled once and kept in the database.

use std::sync::Arc;

use sandbox::{CompileError, Module};
use trainer_bridge::{
    JudgeError, LoadedReward, SamplingConfig, TrainError, TrainExample, TrainJob,
};

use crate::{
    domain::{
        candidate::Candidate,
        pool::{Group, Pool},
        seed::derive_seed,
    },
    reward::{maker::blocking, probe::ProbeSet},
    search::{
        SearchError,
        context::Context,
        runner::TrialRunner,
        training::{Training, Unwatched},
    },
};

/// Training questions of the pool; each gets as many completions as a group of the trainer has.
const QUESTIONS: usize = 32;

/// The probe set of a search: its pool, and the base rewards as they are stored.
///
/// # Errors
/// If the policy cannot be sampled, a stored base reward no longer runs, or the database fails.
pub async fn probe_set(runner: &TrialRunner) -> Result<Arc<ProbeSet>, SearchError> {
    let Context {
        config, store, id, ..
    } = &*runner.context;
    let pool = match store.pool(*id).await? {
        Some(pool) => pool,
        None => {
            let pool = sample(runner).await?;
            store.keep_pool(*id, &pool).await?;
            pool
        }
    };
    let base = base_rewards(runner).await?;
    let judge = config.judge().unasked().open();
    let judge = judge.map_err(JudgeError::from).map_err(TrainError::from)?;
    let judge = judge.of_rollouts();
    let made = tokio::task::spawn_blocking(move || ProbeSet::new(pool, Vec::new(), judge, base));
    let made = made.await.expect("measuring base rewards does not panic");
    made.map(Arc::new).map_err(|fault| {
        let why =
            format!("the base rewards cannot score the untouched policy's completions: {fault}");
        TrainError::Setup(why).into()
    })
}

/// Completions without any training: training questions take the place of held-out ones.
async fn sample(runner: &TrialRunner) -> Result<Pool, SearchError> {
    let Context { config, task, .. } = &*runner.context;
    let grpo = &config.grpo;
    let seed = derive_seed(config.search.seed, "pool");
    let examples = task.train_examples(QUESTIONS, seed);
    let size = grpo.num_generations;
    let completions = drawn(runner, &examples, seed, grpo.max_completion_length).await?;
    let counted = match config.evaluation.max_completion_length {
        shorter if shorter < grpo.max_completion_length => {
            let cut = drawn(runner, &examples, seed, shorter).await?;
            // A trainer may draw anew: then it is not known where these very completions would have been cut off.
            let mut pairs = cut.iter().zip(&completions);
            let is_cut = pairs.all(|(cut, whole)| whole.starts_with(cut.trim_end()));
            if is_cut { cut } else { Vec::new() }
        }
        _ => Vec::new(),
    };
    let mut counted = counted.chunks(size);
    let group = |(example, completions): (&TrainExample, &[String])| Group {
        prompt: example.prompt.clone(),
        answer: example.answer.clone(),
        row: example.row.clone(),
        completions: completions.to_vec(),
        counted: counted.next().unwrap_or_default().to_vec(),
    };
    Ok(Pool {
        groups: examples
            .iter()
            .zip(completions.chunks(size))
            .map(group)
            .collect(),
    })
}

/// A group of completions for each example, as training draws them, of so many tokens at most.
async fn drawn(
    runner: &TrialRunner,
    examples: &[TrainExample],
    seed: u64,
    max_completion_length: usize,
) -> Result<Vec<String>, SearchError> {
    let grpo = &runner.context.config.grpo;
    let size = grpo.num_generations;
    let prompts = examples
        .iter()
        .flat_map(|example| std::iter::repeat_n(example.prompt.clone(), size));
    let job = TrainJob {
        evaluation: SamplingConfig {
            temperature: grpo.temperature,
            top_k: grpo.top_k,
            top_p: grpo.top_p,
            min_p: grpo.min_p,
            max_completion_length,
        },
        eval_prompts: prompts.collect(),
        ..runner.context.jobs().unjudged(Vec::new(), &[], seed, 0)
    };
    let training = Training {
        trainer: &*runner.trainer,
        job,
        folder: None,
        earlier: None,
    };
    let completions = training.to_completion(&mut Unwatched).await?.completions;
    if completions.len() == examples.len() * size {
        return Ok(completions);
    }
    let why = format!(
        "the trainer returned {} completions for {} prompts",
        completions.len(),
        examples.len() * size
    );
    Err(TrainError::Setup(why).into())
}

pub(super) async fn base_rewards(runner: &TrialRunner) -> Result<Vec<LoadedReward>, SearchError> {
    let Context { store, id, .. } = &*runner.context;
    let mut base = Vec::new();
    for candidate in store.base_rewards(*id).await? {
        base.push(loaded(runner, &candidate).await?);
    }
    Ok(base)
}

async fn loaded(runner: &TrialRunner, candidate: &Candidate) -> Result<LoadedReward, SearchError> {
    let wasm = runner.context.store.wasm(candidate.id).await?;
    let module = Module::from_bytes(wasm.expect("base rewards are accepted"));
    let limits = runner.context.config.limits.clone();
    let reward = blocking(&runner.bench, move |bench| bench.load(&module, &limits)).await;
    match reward {
        Ok(reward) => Ok(LoadedReward {
            name: candidate.draft.name.clone(),
            weight: 1.0,
            reward,
        }),
        Err(CompileError::Host(error)) => Err(error.into()),
        Err(CompileError::Rejected(why)) => {
            let why = format!(
                "the stored base reward {} no longer loads: {why}",
                candidate.draft.name
            );
            Err(TrainError::Setup(why).into())
        }
    }
}

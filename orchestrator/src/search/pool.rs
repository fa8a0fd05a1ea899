//! The pool of a search: what the untouched policy writes to training questions, sampled once and kept in the database.

use std::sync::Arc;

use sandbox::CompileError;
use trainer_bridge::{SamplingConfig, TrainError, TrainJob};

use crate::domain::pool::{Group, Pool};
use crate::reward::probe::Yardstick;
use crate::{
    domain::{candidate::Candidate, seed::derive_seed},
    reward::panel::Member,
    search::{
        SearchError,
        job::{job, unjudged},
        runner::Screen,
    },
};

/// Training questions of the pool; each gets as many completions as a group of the trainer has.
const QUESTIONS: usize = 32;

/// The yardstick of a search: its pool, and the base rewards as they are stored.
///
/// # Errors
/// If the policy cannot be sampled, a stored base reward no longer runs, or the database fails.
pub async fn yardstick(screen: &Screen) -> Result<Arc<Yardstick>, SearchError> {
    let pool = match screen.store.pool(screen.search).await? {
        Some(pool) => pool,
        None => {
            let pool = sample(screen).await?;
            screen.store.keep_pool(screen.search, &pool).await?;
            pool
        }
    };
    let base = base_rewards(screen).await?;
    let verifier = screen.task.rule();
    let made =
        tokio::task::spawn_blocking(move || Yardstick::new(pool, Vec::new(), &verifier, &base));
    let made = made.await.expect("the yardstick does not panic");
    made.map(Arc::new).map_err(|fault| {
        let why =
            format!("the base rewards cannot score the untouched policy's completions: {fault}");
        TrainError::Setup(why).into()
    })
}

/// Completions without any training: training questions take the place of held-out ones.
async fn sample(screen: &Screen) -> Result<Pool, SearchError> {
    let grpo = &screen.config.grpo;
    let seed = derive_seed(screen.config.search.seed, "pool");
    let examples = screen.task.train_examples(QUESTIONS, seed);
    let size = grpo.num_generations;
    let prompts: Vec<String> = examples
        .iter()
        .flat_map(|example| std::iter::repeat_n(example.prompt.clone(), size))
        .collect();
    let rewards = unjudged(&screen.task, Vec::new());
    let job = TrainJob {
        evaluation: SamplingConfig {
            temperature: grpo.temperature,
            top_k: grpo.top_k,
            top_p: grpo.top_p,
            min_p: grpo.min_p,
            max_completion_length: grpo.max_completion_length,
        },
        eval_prompts: prompts.into(),
        ..job(&screen.config, &screen.task, rewards, &[], seed, 0)
    };
    let completions = screen.trainer.train(job, &mut |_| {}).await?.completions;
    if completions.len() != examples.len() * size {
        let why = format!(
            "the trainer returned {} completions for {} prompts",
            completions.len(),
            examples.len() * size
        );
        return Err(TrainError::Setup(why).into());
    }
    let group = |(example, completions): (&trainer_bridge::TrainExample, &[String])| Group {
        prompt: example.prompt.clone(),
        answer: example.answer.clone(),
        completions: completions.to_vec(),
    };
    Ok(Pool {
        groups: examples
            .iter()
            .zip(completions.chunks(size))
            .map(group)
            .collect(),
    })
}

async fn base_rewards(screen: &Screen) -> Result<Vec<Member>, SearchError> {
    let candidates = screen.store.candidates(screen.search).await?;
    let mut base = Vec::new();
    for candidate in candidates.iter().filter(|c| c.round == 0) {
        base.push(member(screen, candidate).await?);
    }
    Ok(base)
}

async fn member(screen: &Screen, candidate: &Candidate) -> Result<Member, SearchError> {
    match screen.reward(candidate).await {
        Ok(reward) => Ok(Member {
            name: candidate.name.clone(),
            weight: 1.0,
            reward,
            limits: screen.config.limits.clone(),
        }),
        Err(CompileError::Host(error)) => Err(error.into()),
        Err(CompileError::Rejected(why)) => {
            let why = format!(
                "the stored base reward {} no longer loads: {why}",
                candidate.name
            );
            Err(TrainError::Setup(why).into())
        }
    }
}

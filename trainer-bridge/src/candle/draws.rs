//! The completions of a batch of rollouts. What a policy draws of which nothing is trained yet is the same for every run of the same seed
//! and settings, whatever its rewards: it is drawn once and shared.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest, Sha256};

use super::{
    complete::{Request, complete},
    engine::Engine,
    kernels::choose::Truncation,
    model::Model,
    rows::{Completion, Seed, Settings},
    schedule::Schedule,
    tokenizer::Tokenizer,
};
use crate::{TrainError, TrainJob};

/// What a draw is for; keeps training's noise and the evaluation's apart.
#[derive(Clone, Copy)]
pub enum Purpose {
    /// Rollouts.
    Train = 1,
    /// Completions of held-out prompts.
    Evaluate = 2,
}

/// The seed of one completion: of the run, the purpose, the step and the completion's place. It does not depend on the rewards, so every
/// candidate meets the same prompts and the same noise (common random numbers).
pub fn seed(run: u64, purpose: Purpose, step: u32, place: usize) -> Seed {
    let mut seed = [0; 32];
    for (bytes, part) in
        seed.chunks_exact_mut(8)
            .zip([run, purpose as u64, u64::from(step), place as u64])
    {
        bytes.copy_from_slice(&part.to_le_bytes());
    }
    seed
}

/// What was drawn for a prompt.
#[derive(Clone)]
pub struct Drawn {
    /// Index of the training example.
    pub example: usize,
    /// Token ids of its prompt.
    pub prompt: Vec<u32>,
    /// `num_generations` completions, each with its text.
    pub completions: Vec<(Completion, String)>,
}

/// The drawing of the batch that a step begins with.
#[derive(Clone, Copy)]
pub struct Draw<'a> {
    /// The run.
    pub job: &'a TrainJob,
    /// Its rhythm.
    pub schedule: Schedule,
    /// The step.
    pub start: u32,
}

impl Draw<'_> {
    /// The training examples whose prompts are completed, by index.
    fn examples(&self) -> impl Iterator<Item = usize> {
        let (prompts, all) = (self.job.grpo.prompts_per_step, self.job.examples.len());
        let first = self.schedule.parts_before(self.start) * prompts;
        (first..first + self.schedule.parts() * prompts).map(move |i| i % all)
    }

    /// Samples from a policy, prompt after prompt.
    pub fn completions(
        &self,
        engine: &Engine,
        sampler: &Model,
        tokenizer: &Tokenizer,
    ) -> Result<Vec<Drawn>, TrainError> {
        let grpo = &self.job.grpo;
        let request = |(index, example): (usize, usize)| {
            let places = index * grpo.num_generations..(index + 1) * grpo.num_generations;
            Request {
                prompt: &self.job.examples[example].prompt,
                seeds: places
                    .map(|place| seed(self.job.seed, Purpose::Train, self.start, place))
                    .collect(),
            }
        };
        let requests = self.examples().enumerate().map(request).collect();
        let settings = Settings {
            temperature: grpo.temperature,
            truncation: Truncation::new(grpo.top_k, grpo.top_p, grpo.min_p),
            max_length: grpo.max_completion_length,
        };
        let completed = complete(engine, sampler, tokenizer, requests, settings, self.start)?;
        let drawn = self.examples().zip(completed);
        Ok(drawn
            .map(|(example, completed)| Drawn {
                example,
                prompt: completed.prompt,
                completions: completed.completions,
            })
            .collect())
    }

    /// Of everything that decides what an untrained policy draws, the policy itself apart.
    pub fn digest(&self) -> DrawDigest {
        let grpo = &self.job.grpo;
        let mut digest = Sha256::new();
        let mut add = |number: u64| digest.update(number.to_le_bytes());
        add(self.job.seed);
        add(u64::from(self.start));
        for size in [grpo.num_generations, grpo.max_completion_length, grpo.top_k] {
            add(size as u64);
        }
        for number in [grpo.temperature, grpo.top_p, grpo.min_p] {
            add(number.to_bits());
        }
        for example in self.examples() {
            let prompt = &self.job.examples[example].prompt;
            digest.update((example as u64).to_le_bytes());
            digest.update((prompt.len() as u64).to_le_bytes());
            digest.update(prompt);
        }
        digest.finalize().into()
    }
}

/// Two drawings with equal digests, by the same untrained policy, draw the same.
pub type DrawDigest = [u8; 32];

/// Tokens that are kept for further runs, about 12 bytes each; beyond them the oldest batches go.
const MOST_TOKENS: usize = 1 << 23;

/// What untrained policies of one base model have drawn, each batch once.
#[derive(Default)]
pub struct SharedDraws {
    /// The newest last.
    batches: Mutex<VecDeque<(DrawDigest, Arc<Slot>)>>,
}

/// Locked while its batch is drawn, so that runs side by side wait for it instead of drawing the same.
type Slot = Mutex<Option<Arc<[Drawn]>>>;

impl SharedDraws {
    /// The batch of a digest, drawn unless another run did it before.
    ///
    /// # Errors
    /// If the drawing fails, which the next run of the same digest will try again.
    pub fn get_or(
        &self,
        digest: DrawDigest,
        draw: impl FnOnce() -> Result<Vec<Drawn>, TrainError>,
    ) -> Result<Arc<[Drawn]>, TrainError> {
        let slot = self.slot(digest);
        let mut batch = held(&slot);
        if let Some(drawn) = &*batch {
            return Ok(drawn.clone());
        }
        let drawn: Arc<[Drawn]> = draw()?.into();
        *batch = Some(drawn.clone());
        drop(batch);
        self.forget_the_oldest();
        Ok(drawn)
    }

    fn slot(&self, digest: DrawDigest) -> Arc<Slot> {
        let mut batches = held(&self.batches);
        if let Some((_, slot)) = batches.iter().find(|(known, _)| *known == digest) {
            return slot.clone();
        }
        let slot = Arc::<Slot>::default();
        batches.push_back((digest, slot.clone()));
        slot
    }

    fn forget_the_oldest(&self) {
        let mut batches = held(&self.batches);
        // One that is being drawn is held by its run, and counts nothing here.
        let tokens = |slot: &Slot| {
            slot.try_lock().map_or(0, |batch| {
                let completions = batch.iter().flat_map(|drawn| &drawn[..]);
                completions
                    .flat_map(|drawn| &drawn.completions)
                    .map(|(completion, _)| completion.tokens.len())
                    .sum()
            })
        };
        let mut all: usize = batches.iter().map(|(_, slot)| tokens(slot)).sum();
        while all > MOST_TOKENS
            && let Some((_, slot)) = batches.pop_front()
        {
            all -= tokens(&slot);
        }
    }
}

/// A lock whose value is whole at any time, even after a panic of its holder.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn batch(tokens: usize) -> Vec<Drawn> {
        let completion = Completion {
            tokens: vec![0; tokens],
            ..Completion::default()
        };
        vec![Drawn {
            example: 0,
            prompt: vec![1],
            completions: vec![(completion, String::new())],
        }]
    }

    fn draws(shared: &SharedDraws, digest: u8, tokens: usize) -> bool {
        let mut drew = false;
        let drawn = shared.get_or([digest; 32], || {
            drew = true;
            Ok(batch(tokens))
        });
        assert_eq!(drawn.unwrap()[0].completions[0].0.tokens.len(), tokens);
        drew
    }

    #[test]
    fn a_batch_is_drawn_once() {
        let shared = SharedDraws::default();
        assert!(draws(&shared, 1, 5) && !draws(&shared, 1, 5));
        assert!(draws(&shared, 2, 6) && !draws(&shared, 1, 5));
    }

    #[test]
    fn runs_side_by_side_wait_for_the_one_that_draws() {
        let shared = SharedDraws::default();
        let drew = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| draws(&shared, 1, 5)))
                .collect();
            let drew = runs.into_iter().map(|run| run.join().unwrap());
            drew.filter(|drew| *drew).count()
        });
        assert_eq!(drew, 1);
    }

    #[test]
    fn a_failed_drawing_is_tried_again() {
        let shared = SharedDraws::default();
        let failed = shared.get_or([1; 32], || Err(TrainError::Host("x".into())));
        assert!(failed.is_err());
        assert!(draws(&shared, 1, 5));
    }

    #[test]
    fn the_oldest_batches_are_forgotten() {
        let shared = SharedDraws::default();
        for digest in 1..=3 {
            assert!(draws(&shared, digest, MOST_TOKENS / 2));
        }
        assert!(!draws(&shared, 3, MOST_TOKENS / 2) && !draws(&shared, 2, MOST_TOKENS / 2));
        assert!(draws(&shared, 1, MOST_TOKENS / 2));
    }
}

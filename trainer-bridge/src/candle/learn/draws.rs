//! The completions of a batch of rollouts. What a policy draws of which nothing is trained yet is the same for every run of the same seed
//! and settings, whatever its rewards: it is drawn once and shared.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest, Sha256};

use crate::candle::{
    decoder::engine::Engine,
    files::tokenizer::Tokenizer,
    kernels::choose::Truncation,
    learn::schedule::Schedule,
    model::Model,
    sample::{
        Sampler,
        complete::Request,
        rows::{Completion, Seed, Settings},
    },
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
pub struct DrawnGroup {
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
        policy: &Model,
        tokenizer: &Tokenizer,
    ) -> Result<Vec<DrawnGroup>, TrainError> {
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
        let sampler = Sampler {
            engine,
            model: policy,
            tokenizer,
            settings,
            step: self.start,
        };
        let completed = sampler.complete(requests)?;
        let drawn = self.examples().zip(completed);
        Ok(drawn
            .map(|(example, completed)| DrawnGroup {
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

/// Tokens that are kept for further runs, about 12 bytes each and their text. What comes when they are full is not kept: runs go through
/// their batches in one order, and making room for the next would throw out what the next run begins with.
const MOST_TOKENS: usize = 1 << 23;

/// What untrained policies of one base model have drawn, each batch once.
#[derive(Default)]
pub struct SharedDraws(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    batches: HashMap<DrawDigest, Arc<Slot>>,
    tokens: usize,
}

/// Locked while its batch is drawn, so that runs side by side wait for it instead of drawing the same.
type Slot = Mutex<Option<Arc<[DrawnGroup]>>>;

impl SharedDraws {
    /// The batch of a digest, drawn unless another run did it before.
    ///
    /// # Errors
    /// If the drawing fails, which the next run of the same digest will try again.
    pub fn get_or(
        &self,
        digest: DrawDigest,
        draw: impl FnOnce() -> Result<Vec<DrawnGroup>, TrainError>,
    ) -> Result<Arc<[DrawnGroup]>, TrainError> {
        let slot = locked(&self.0).batches.entry(digest).or_default().clone();
        let mut batch = locked(&slot);
        if let Some(drawn) = &*batch {
            return Ok(drawn.clone());
        }
        let drawn: Arc<[DrawnGroup]> = draw()?.into();
        if self.has_room_for(&drawn) {
            *batch = Some(drawn.clone());
        }
        Ok(drawn)
    }

    /// Takes the room if there is enough.
    fn has_room_for(&self, drawn: &[DrawnGroup]) -> bool {
        let completions = drawn.iter().flat_map(|drawn| &drawn.completions);
        let tokens: usize = completions
            .map(|(completion, _)| completion.tokens.len())
            .sum();
        let mut kept = locked(&self.0);
        let fits = kept.tokens + tokens <= MOST_TOKENS;
        if fits {
            kept.tokens += tokens;
        }
        fits
    }
}

/// A lock whose value is whole at any time, even after a panic of its holder.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use sandbox::{Limits, Module, Verdict};

    use crate::candle::{CandleConfig, base::Base, decoder::backend::Backend, grpo::Run};
    use crate::{
        Aggregation, GrpoConfig, JudgeSpec, MemberScores, RewardMember, RewardMix, Rollout,
        Run as SeamRun, RunId, SamplingConfig, Score, ScoreError, Scored, TrainExample,
    };

    /// Finds everything wrong and worth nothing.
    struct Nothing;

    impl Score for Nothing {
        fn score(&self, rollouts: &[Rollout<'_>]) -> Result<Scored, ScoreError> {
            let wrong = Verdict {
                correct: false,
                extracted: None,
            };
            let nothing = MemberScores {
                name: "nothing".into(),
                weight: 1.0,
                scores: sandbox::Scores {
                    total: vec![0.0; rollouts.len()],
                    components: Vec::new(),
                    printed: String::new(),
                },
            };
            let verdicts = vec![wrong; rollouts.len()];
            Scored::of(verdicts, vec![nothing], Aggregation::default())
        }
    }

    fn batch(tokens: usize) -> Vec<DrawnGroup> {
        let completion = Completion {
            tokens: vec![0; tokens],
            ..Completion::default()
        };
        vec![DrawnGroup {
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
    fn what_comes_when_the_room_is_full_is_not_kept() {
        let shared = SharedDraws::default();
        for digest in 1..=3 {
            assert!(draws(&shared, digest, MOST_TOKENS / 2));
        }
        assert!(!draws(&shared, 1, MOST_TOKENS / 2) && !draws(&shared, 2, MOST_TOKENS / 2));
        assert!(draws(&shared, 3, MOST_TOKENS / 2));
    }

    #[test]
    fn whatever_changes_a_draw_changes_its_digest_and_nothing_else_does() {
        let digest = |change: &dyn Fn(&mut TrainJob)| {
            let mut job = job();
            change(&mut job);
            let schedule = Schedule::new(&job.grpo);
            let start = 1;
            Draw {
                job: &job,
                schedule,
                start,
            }
            .digest()
        };
        let plain = digest(&|_| {});
        let changes: [&dyn Fn(&mut TrainJob); 9] = [
            &|job| job.seed += 1,
            &|job| job.grpo.prompts_per_step += 1,
            &|job| job.grpo.num_generations += 1,
            &|job| job.grpo.max_completion_length += 1,
            &|job| job.grpo.temperature = 0.5,
            &|job| job.grpo.top_k = 5,
            &|job| job.grpo.top_p = 0.5,
            &|job| job.grpo.min_p = 0.5,
            &|job| job.examples = [example("1 + 2 = ?", "3"), example("5", "5")].into(),
        ];
        for (i, change) in changes.iter().enumerate() {
            assert_ne!(digest(change), plain, "change {i}");
        }
        let idle: [&dyn Fn(&mut TrainJob); 3] = [
            &|job| job.grpo.beta = 0.5,
            &|job| job.until_step += 1,
            &|job| job.examples = [example("1 + 1 = ?", "two"), example("5", "5")].into(),
        ];
        for (i, change) in idle.iter().enumerate() {
            assert_eq!(digest(change), plain, "idle change {i}");
        }
    }

    #[test]
    fn runs_of_one_seed_share_their_first_batch_and_no_other() {
        let base = Base::load(&CandleConfig::default()).unwrap();
        for (seed, until_step, kept) in [(3, 2, 1), (3, 3, 1), (4, 1, 2)] {
            let (_run, reporter) = SeamRun::new(RunId::in_this_process());
            let mut job = job();
            (job.seed, job.until_step) = (seed, until_step);
            // What it is does not matter: everything is worth nothing.
            job.mix.members = vec![RewardMember {
                name: "nothing".into(),
                module: Module::from_bytes([]),
                weight: 1.0,
            }];
            let run = Run::new(&job, &Nothing, &base, &Backend::cpu()).unwrap();
            run.finish(&reporter).unwrap();
            assert_eq!(locked(&base.draws.0).batches.len(), kept);
        }
    }

    fn example(prompt: &str, answer: &str) -> TrainExample {
        TrainExample {
            prompt: prompt.into(),
            question: prompt.into(),
            answer: answer.into(),
            row: String::new(),
        }
    }

    fn job() -> TrainJob {
        TrainJob {
            mix: RewardMix {
                members: Vec::new(),
                aggregation: Aggregation::default(),
                limits: Limits::default(),
            },
            judge: JudgeSpec(serde_json::Value::Null),
            grpo: GrpoConfig {
                prompts_per_step: 2,
                ..GrpoConfig::default()
            },
            evaluation: SamplingConfig::default(),
            examples: [example("1 + 1 = ?", "2"), example("5", "5")].into(),
            eval_prompts: Vec::new(),
            seed: 3,
            from: None,
            until_step: 1,
            save_every: None,
        }
    }
}

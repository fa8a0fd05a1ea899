//! The supervised corpus: problems of the training split, each solved in a style drawn from a mix.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{manner::Manner, template::Instance};
use crate::{answer::Answer, dataset::problem::Split};

/// One supervised example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The question.
    pub prompt: String,
    /// A solution in some manner.
    pub completion: String,
}

/// The endless corpus of a manner and a seed.
#[derive(Debug, Clone)]
pub struct Corpus {
    manner: Manner,
    rng: ChaCha8Rng,
}

impl Corpus {
    /// Starts the corpus from its seed.
    pub fn new(manner: impl Into<Manner>, seed: u64) -> Self {
        Self {
            manner: manner.into(),
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// Continues in another manner, as pretraining does when its last stage begins.
    pub fn set_manner(&mut self, manner: impl Into<Manner>) {
        self.manner = manner.into();
    }
}

impl Iterator for Corpus {
    type Item = Example;

    fn next(&mut self) -> Option<Example> {
        let instance = Instance::draw(Split::Train, &mut self.rng);
        Some(Example {
            prompt: instance.question(),
            completion: self.manner.write(&instance, &mut self.rng),
        })
    }
}

/// A training problem solved several times over.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The question.
    pub question: String,
    /// Its answer.
    pub answer: Answer,
    /// Solutions.
    pub completions: Vec<String>,
}

/// `n` training problems with `size` solutions each, right and wrong: what a policy that answers in this manner might write.
pub fn groups(manner: impl Into<Manner>, n: usize, size: usize, seed: u64) -> Vec<Group> {
    let manner = manner.into();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut group = || {
        let instance = Instance::draw(Split::Train, &mut rng);
        let solve = |_| manner.write(&instance, &mut rng);
        let completions = (0..size).map(solve).collect();
        Group {
            question: instance.question(),
            answer: Answer::new(&instance.working().result().to_string()),
            completions,
        }
    };
    (0..n).map(|_| group()).collect()
}

/// The first `n` examples of [`Corpus`].
pub fn corpus(manner: impl Into<Manner>, n: usize, seed: u64) -> Vec<Example> {
    Corpus::new(manner, seed).take(n).collect()
}

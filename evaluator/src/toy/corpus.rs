//! The supervised corpus: problems of the training split, each solved in a style drawn from a mix.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{
    style::{self, Style, StyleMix},
    template::Instance,
};
use crate::{answer::Answer, dataset::problem::Split};

/// One supervised example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The question.
    pub prompt: String,
    /// A solution in [`Example::style`].
    pub completion: String,
    /// How the solution was written.
    pub style: Style,
}

/// The endless corpus of a mix and a seed.
#[derive(Debug, Clone)]
pub struct Corpus {
    mix: StyleMix,
    rng: ChaCha8Rng,
}

impl Corpus {
    /// Starts the corpus from its seed.
    pub fn new(mix: StyleMix, seed: u64) -> Self {
        Self {
            mix,
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// Continues with another mix, as pretraining does when its last stage begins.
    pub fn set_mix(&mut self, mix: StyleMix) {
        self.mix = mix;
    }
}

impl Iterator for Corpus {
    type Item = Example;

    fn next(&mut self) -> Option<Example> {
        let instance = Instance::draw(Split::Train, &mut self.rng);
        let style = self.mix.draw(&mut self.rng);
        Some(Example {
            prompt: instance.question(),
            completion: style::write(style, &instance, &mut self.rng),
            style,
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
    /// Solutions, each in a style drawn from the mix.
    pub completions: Vec<String>,
}

/// `n` training problems with `size` solutions each, right and wrong: what a policy that follows the mix might write.
pub fn groups(mix: &StyleMix, n: usize, size: usize, seed: u64) -> Vec<Group> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut group = || {
        let instance = Instance::draw(Split::Train, &mut rng);
        let solve = |_| style::write(mix.draw(&mut rng), &instance, &mut rng);
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
pub fn corpus(mix: &StyleMix, n: usize, seed: u64) -> Vec<Example> {
    Corpus::new(*mix, seed).take(n).collect()
}

//! Means over training seeds that answered the same questions, and their differences, with intervals.
//!
//! Counts do not suffice here: seeds and questions are resampled one by one.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::{
    evaluation::{Evaluation, f1_of_accuracy},
    outcome::Outcome,
    statistics::interval::bootstrap::BootstrapConfig,
    statistics::interval::estimate::Estimate,
    statistics::paired::Unpaired,
};

/// Mean F1 of several training seeds on the same questions, with a two-level bootstrap interval.
///
/// Each resample draws seeds with replacement and, independently, questions with replacement; all
/// drawn seeds answer the same drawn questions, for questions and seeds are crossed: the pigeonhole
/// bootstrap (Owen, *Annals of Applied Statistics* 1, 2007). The interval speaks of new seeds and new
/// questions. Two errors pull against each other: what is neither the seed's nor the question's own is
/// counted with both, which makes the variance too large, as Owen shows; and the spread between S seeds
/// enters with a factor (S - 1) / S, which with very few seeds makes the interval too narrow. A single
/// seed says nothing about seeds.
///
/// # Errors
/// When there is no evaluation, or they differ in length.
pub fn pooled_f1(seeds: &[Evaluation], config: &BootstrapConfig) -> Result<Estimate, PoolError> {
    let pool = Pool::new(seeds)?;
    let mut rng = config.rng();
    Ok(config.resample(pool.mean_f1(), || {
        let questions = pool.draw_questions(&mut rng);
        let seeds = pool.draw_seeds(&mut rng);
        pool.mean_f1_of(&seeds, &questions)
    }))
}

/// Mean F1 of the seeds of `a` minus that of the seeds of `b`, on the same questions, with a two-level
/// bootstrap interval. The seeds are paired by their places: what a seed decides for both sides, such as the order of
/// the examples, is drawn once for both, and so is each question.
///
/// # Errors
/// As [`pooled_f1`], or when `a` and `b` differ in the number of questions or of seeds.
pub fn pooled_difference(
    a: &[Evaluation],
    b: &[Evaluation],
    config: &BootstrapConfig,
) -> Result<Estimate, PoolError> {
    let (a, b) = (Pool::new(a)?, Pool::new(b)?);
    a.check_questions(b.questions)?;
    let (left, right) = (a.seeds.len(), b.seeds.len());
    if left != right {
        return Err(PoolError::UnpairedSeeds { left, right });
    }
    let mut rng = config.rng();
    Ok(config.resample(a.mean_f1() - b.mean_f1(), || {
        let questions = a.draw_questions(&mut rng);
        let seeds = a.draw_seeds(&mut rng);
        a.mean_f1_of(&seeds, &questions) - b.mean_f1_of(&seeds, &questions)
    }))
}

/// Why evaluations cannot be pooled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// There is none.
    #[error("pooling needs at least one evaluation")]
    Empty,
    /// Two have different numbers of questions.
    #[error(transparent)]
    Unpaired(#[from] Unpaired),
    /// The two sides of a difference have different numbers of seeds.
    #[error("means over {left} and {right} seeds cannot be paired: both sides need the same seeds")]
    UnpairedSeeds {
        /// Seeds of the first side.
        left: usize,
        /// Seeds of the second side.
        right: usize,
    },
}

/// Which questions each seed got right.
struct Pool {
    seeds: Vec<Vec<bool>>,
    questions: usize,
}

impl Pool {
    fn new(evaluations: &[Evaluation]) -> Result<Self, PoolError> {
        let first = evaluations.first().ok_or(PoolError::Empty)?;
        let pool = Self {
            questions: first.outcomes().len(),
            seeds: evaluations
                .iter()
                .map(|e| {
                    e.outcomes()
                        .iter()
                        .map(|o| *o == Outcome::Correct)
                        .collect()
                })
                .collect(),
        };
        for seed in &pool.seeds {
            pool.check_questions(seed.len())?;
        }
        Ok(pool)
    }

    fn check_questions(&self, right: usize) -> Result<(), Unpaired> {
        let left = self.questions;
        if left == right {
            Ok(())
        } else {
            Err(Unpaired { left, right })
        }
    }

    fn mean_f1(&self) -> f64 {
        let all: Vec<usize> = (0..self.questions).collect();
        self.seeds.iter().map(|seed| f1(seed, &all)).sum::<f64>() / self.seeds.len() as f64
    }

    fn draw_questions(&self, rng: &mut ChaCha8Rng) -> Vec<usize> {
        (0..self.questions)
            .map(|_| rng.random_range(0..self.questions))
            .collect()
    }

    /// How often each seed is drawn.
    fn draw_seeds(&self, rng: &mut ChaCha8Rng) -> Vec<u32> {
        let mut times_drawn = vec![0u32; self.seeds.len()];
        for _ in 0..self.seeds.len() {
            times_drawn[rng.random_range(0..self.seeds.len())] += 1;
        }
        times_drawn
    }

    fn mean_f1_of(&self, times_drawn: &[u32], questions: &[usize]) -> f64 {
        let total: f64 = std::iter::zip(&self.seeds, times_drawn)
            .filter(|(_, times)| **times > 0)
            .map(|(seed, times)| f64::from(*times) * f1(seed, questions))
            .sum();
        total / self.seeds.len() as f64
    }
}

/// F1 of one seed on the given questions.
fn f1(correct: &[bool], questions: &[usize]) -> f64 {
    let right = questions.iter().filter(|&&q| correct[q]).count();
    f1_of_accuracy(right as f64 / questions.len() as f64)
}

//! Bootstrap intervals for F1, accuracy, paired differences and means over training seeds.
//!
//! F1 and accuracy depend on the data through counts alone (see [`crate::Evaluation`]), and the counts
//! of a resample follow a binomial or multinomial law exactly. Drawing the counts from that law is the
//! ordinary nonparametric bootstrap, only a hundred times faster. Where counts do not suffice (several
//! training seeds answering the same questions) questions and seeds are resampled one by one.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::{
    binomial,
    estimate::Estimate,
    evaluation::{Evaluation, Outcome, f1_of_accuracy},
    interval::bca_interval,
    paired::{Agreement, Unpaired},
};

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BootstrapConfig {
    /// Number of resamples; none counts as one.
    pub resamples: u32,
    /// Nominal coverage, between 0 and 1.
    pub level: f64,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for BootstrapConfig {
    fn default() -> Self {
        Self {
            resamples: 10_000,
            level: 0.95,
            seed: 0,
        }
    }
}

impl BootstrapConfig {
    fn rng(&self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.seed)
    }

    fn resample(&self, point: f64, mut figure: impl FnMut() -> f64) -> Estimate {
        let resampled = (0..self.resamples.max(1)).map(|_| figure()).collect();
        Estimate::percentile(point, resampled, self.level)
    }
}

impl Evaluation {
    /// Accuracy with its percentile bootstrap interval.
    pub fn accuracy_estimate(&self, config: &BootstrapConfig) -> Estimate {
        self.estimate(config, |accuracy| accuracy)
    }

    /// F1 with its percentile bootstrap interval, the image of accuracy's.
    pub fn f1_estimate(&self, config: &BootstrapConfig) -> Estimate {
        self.estimate(config, f1_of_accuracy)
    }

    /// Accuracy with its bias-corrected and accelerated interval (Efron, *Journal of the American Statistical
    /// Association* 82, 1987) from the same resamples; `None` when all outcomes are alike, where it does not exist.
    pub fn accuracy_bca_estimate(&self, config: &BootstrapConfig) -> Option<Estimate> {
        let counts = self.counts();
        let (n, right, accuracy) = (counts.total(), counts.correct, self.accuracy());
        if right == 0 || right == n {
            return None;
        }
        let mut rng = config.rng();
        let resampled = self.resampled_accuracies(config, &mut rng);
        // Without one question accuracy takes one of two values.
        let without = |right: u64| right as f64 / (n - 1) as f64;
        let jackknife: Vec<f64> = (0..n)
            .map(|question| without(right - u64::from(question < right)))
            .collect();
        let interval = bca_interval(accuracy, &resampled, &jackknife, config.level)?;
        let percentile = Estimate::percentile(accuracy, resampled, config.level);
        Some(Estimate {
            interval,
            ..percentile
        })
    }

    fn estimate(&self, config: &BootstrapConfig, figure: impl Fn(f64) -> f64) -> Estimate {
        let mut rng = config.rng();
        let mut resampled = self.resampled_accuracies(config, &mut rng);
        resampled
            .iter_mut()
            .for_each(|value| *value = figure(*value));
        Estimate::percentile(figure(self.accuracy()), resampled, config.level)
    }

    /// Accuracies of resamples, drawn by their law.
    fn resampled_accuracies(&self, config: &BootstrapConfig, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let n = self.counts().total();
        let right = binomial::Sampler::new(n, self.accuracy());
        (0..config.resamples.max(1))
            .map(|_| right.draw(rng) as f64 / n as f64)
            .collect()
    }
}

/// How much better the first of two evaluations is than the second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedDifference {
    /// Accuracy of the first minus accuracy of the second.
    pub accuracy: Estimate,
    /// F1 of the first minus F1 of the second.
    pub f1: Estimate,
}

/// `a` minus `b` on the same questions, with percentile bootstrap intervals that resample questions.
pub fn paired_difference(
    a: &Evaluation,
    b: &Evaluation,
    config: &BootstrapConfig,
) -> Result<PairedDifference, Unpaired> {
    let table = Agreement::between(a, b)?;
    let mut rng = config.rng();
    let tables: Vec<Agreement> = (0..config.resamples.max(1))
        .map(|_| resample(&table, &mut rng))
        .collect();
    let estimate = |figure: fn(f64) -> f64| {
        let difference = |table: &Agreement| {
            let n = table.total() as f64;
            let a = (table.both + table.only_a) as f64 / n;
            let b = (table.both + table.only_b) as f64 / n;
            figure(a) - figure(b)
        };
        let resampled = tables.iter().map(difference).collect();
        Estimate::percentile(difference(&table), resampled, config.level)
    };
    Ok(PairedDifference {
        accuracy: estimate(|accuracy| accuracy),
        f1: estimate(f1_of_accuracy),
    })
}

/// Draws a table from the multinomial law of `table`, as a chain of conditional binomials.
fn resample(table: &Agreement, rng: &mut ChaCha8Rng) -> Agreement {
    let mut questions = table.total();
    let mut weight = table.total();
    let mut next = |cell: u64| {
        let drawn = binomial::draw(questions, cell as f64 / weight.max(1) as f64, rng);
        questions -= drawn;
        weight -= cell;
        drawn
    };
    Agreement {
        both: next(table.both),
        only_a: next(table.only_a),
        only_b: next(table.only_b),
        neither: next(table.neither),
    }
}

/// Mean F1 of several training seeds on the same questions, with a two-level bootstrap interval.
///
/// Each resample draws seeds with replacement and, independently, questions with replacement; all
/// drawn seeds answer the same drawn questions, for questions and seeds are crossed (Davison and
/// Hinkley, *Bootstrap Methods and their Application*, 1997, section 3.8). The interval speaks of new
/// seeds and new questions. With very few seeds it is too narrow: the spread between S seeds enters
/// with a factor (S - 1) / S, and a single seed says nothing about seeds.
///
/// # Errors
/// When there is no evaluation, or they differ in length.
pub fn pooled_f1(seeds: &[Evaluation], config: &BootstrapConfig) -> Result<Estimate, PoolError> {
    let pool = Pool::new(seeds)?;
    let mut rng = config.rng();
    Ok(config.resample(pool.mean_f1(), || {
        let questions = pool.draw_questions(&mut rng);
        pool.resampled_mean_f1(&questions, &mut rng)
    }))
}

/// Mean F1 of the seeds of `a` minus that of the seeds of `b`, on the same questions, with a two-level
/// bootstrap interval: questions are drawn once for both, seeds on each side of its own.
///
/// # Errors
/// As [`pooled_f1`], or when `a` and `b` differ in the number of questions.
pub fn pooled_difference(
    a: &[Evaluation],
    b: &[Evaluation],
    config: &BootstrapConfig,
) -> Result<Estimate, PoolError> {
    let (a, b) = (Pool::new(a)?, Pool::new(b)?);
    a.check_questions(b.questions)?;
    let mut rng = config.rng();
    Ok(config.resample(a.mean_f1() - b.mean_f1(), || {
        let questions = a.draw_questions(&mut rng);
        a.resampled_mean_f1(&questions, &mut rng) - b.resampled_mean_f1(&questions, &mut rng)
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

    fn resampled_mean_f1(&self, questions: &[usize], rng: &mut ChaCha8Rng) -> f64 {
        let mut times_drawn = vec![0u32; self.seeds.len()];
        for _ in 0..self.seeds.len() {
            times_drawn[rng.random_range(0..self.seeds.len())] += 1;
        }
        let total: f64 = std::iter::zip(&self.seeds, times_drawn)
            .filter(|(_, times)| *times > 0)
            .map(|(seed, times)| f64::from(times) * f1(seed, questions))
            .sum();
        total / self.seeds.len() as f64
    }
}

/// F1 of one seed on the given questions.
fn f1(correct: &[bool], questions: &[usize]) -> f64 {
    let right = questions.iter().filter(|&&q| correct[q]).count();
    f1_of_accuracy(right as f64 / questions.len() as f64)
}

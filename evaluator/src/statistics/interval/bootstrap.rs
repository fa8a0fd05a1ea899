//! Bootstrap intervals for F1, accuracy and paired differences; those over training seeds are in [`crate::pooling`].
//!
//! F1 and accuracy depend on the data through counts alone (see [`crate::Evaluation`]), and the counts
//! of a resample follow a binomial or multinomial law exactly. Drawing the counts from that law is the
//! ordinary nonparametric bootstrap, only a hundred times faster. Where counts do not suffice (several
//! training seeds answering the same questions) questions and seeds are resampled one by one.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::{
    evaluation::{Evaluation, f1_of_accuracy},
    statistics::interval::IntervalMethod,
    statistics::interval::estimate::{ConfidenceInterval, Estimate},
    statistics::law::binomial,
    statistics::paired::{Agreement, Unpaired},
};

/// With fewer questions than this of one kind, a resample holds hardly more kinds of outcomes than the data: where
/// all are right there is no other resample. The interval is then made otherwise.
const FEW: u64 = 5;

/// More resamples change no digit that is printed.
const MOST_RESAMPLES: u32 = 10_000_000;

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct BootstrapConfig {
    /// Number of resamples, 1 to 10 million; none counts as one.
    pub resamples: u32,
    /// Nominal coverage, between 0 and 1, neither of them.
    pub level: f64,
    /// Seed of the draws.
    pub seed: u64,
}

/// As a configuration file has it, before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    resamples: u32,
    level: f64,
    seed: u64,
}

impl Default for Written {
    fn default() -> Self {
        let BootstrapConfig {
            resamples,
            level,
            seed,
        } = BootstrapConfig::default();
        Self {
            resamples,
            level,
            seed,
        }
    }
}

impl TryFrom<Written> for BootstrapConfig {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written {
            resamples,
            level,
            seed,
        } = written;
        if !(1..=MOST_RESAMPLES).contains(&resamples) {
            return Err(format!(
                "`resamples` is {resamples}: expected 1 to {MOST_RESAMPLES}"
            ));
        }
        if !(level > 0.0 && level < 1.0) {
            return Err(format!(
                "`level` is {level}: expected a share between 0 and 1, such as 0.95"
            ));
        }
        Ok(Self {
            resamples,
            level,
            seed,
        })
    }
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
    pub(crate) fn rng(&self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.seed)
    }

    pub(crate) fn resample(&self, point: f64, mut figure: impl FnMut() -> f64) -> Estimate {
        let resampled = (0..self.resamples.max(1)).map(|_| figure()).collect();
        Estimate::percentile(point, resampled, self.level)
    }
}

impl Evaluation {
    /// Accuracy with its percentile bootstrap interval; where fewer than five questions are right, or fewer than
    /// five are not, with Wilson's ([`IntervalMethod::Wilson`]).
    pub fn accuracy_estimate(&self, config: &BootstrapConfig) -> Estimate {
        self.estimate(config, |accuracy| accuracy)
    }

    /// F1 with the interval that is the image of accuracy's.
    pub fn f1_estimate(&self, config: &BootstrapConfig) -> Estimate {
        self.estimate(config, f1_of_accuracy)
    }

    fn estimate(&self, config: &BootstrapConfig, figure: impl Fn(f64) -> f64) -> Estimate {
        let mut rng = config.rng();
        let mut resampled = self.resampled_accuracies(config, &mut rng);
        resampled
            .iter_mut()
            .for_each(|value| *value = figure(*value));
        let estimate = Estimate::percentile(figure(self.accuracy()), resampled, config.level);
        let right = self.counts().correct;
        let rarer = right.min(self.counts().total() - right);
        match self.accuracy_interval(IntervalMethod::Wilson, config.level) {
            Some(wilson) if rarer < FEW => Estimate {
                interval: ConfidenceInterval {
                    lower: figure(wilson.lower),
                    upper: figure(wilson.upper),
                    level: config.level,
                },
                ..estimate
            },
            _ => estimate,
        }
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
///
/// Where fewer than five questions tell the two apart, half a question is added to each cell of the table that is
/// drawn from, as Agresti and Min do (*Statistics in Medicine* 24, 2005); without that the interval would have no width
/// where the two agree on every question.
pub fn paired_difference(
    a: &Evaluation,
    b: &Evaluation,
    config: &BootstrapConfig,
) -> Result<PairedDifference, Unpaired> {
    let table = Agreement::between(a, b)?;
    let mut rng = config.rng();
    let added = if table.discordant() < FEW { 0.5 } else { 0.0 };
    let tables: Vec<Agreement> = (0..config.resamples.max(1))
        .map(|_| resample(&table, added, &mut rng))
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

/// Draws a table from the multinomial law of `table`, with `added` to each cell, as a chain of conditional binomials.
fn resample(table: &Agreement, added: f64, rng: &mut ChaCha8Rng) -> Agreement {
    let mut questions = table.total();
    let mut weight = table.total() as f64 + 4.0 * added;
    let mut next = |cell: u64| {
        let cell = cell as f64 + added;
        let share = if weight > 0.0 { cell / weight } else { 0.0 };
        let drawn = binomial::draw(questions, share, rng);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn few_of_a_kind_are_still_uncertain() {
        let config = BootstrapConfig::default();
        let all = Evaluation::from_bytes(&b"c".repeat(20)).unwrap();
        let estimate = all.accuracy_estimate(&config);
        // 1 / (1 + z^2 / 20) with z = 1.959964.
        assert!((estimate.interval.lower - 0.838_874_8).abs() < 1e-6);
        assert_eq!((estimate.point, estimate.interval.upper), (1.0, 1.0));
        let same = paired_difference(&all, &all, &config).unwrap();
        assert!(same.accuracy.interval.lower < -0.05 && same.accuracy.interval.upper > 0.05);
        assert_eq!(same.accuracy.point, 0.0);
    }

    #[test]
    fn what_cannot_be_resampled_is_refused() {
        let read = |json: &str| serde_json::from_str::<BootstrapConfig>(json);
        assert_eq!(read("{}").unwrap(), BootstrapConfig::default());
        for json in [
            r#"{"level": 1.0}"#,
            r#"{"level": 0.0}"#,
            r#"{"level": -0.5}"#,
            r#"{"resamples": 0}"#,
            r#"{"resamples": 4000000000}"#,
            r#"{"repeats": 5}"#,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}

//! Intervals for a proportion without resampling: Wilson, and the limits of bootstrap intervals as the
//! number of resamples grows.
//!
//! Accuracy is a proportion and F1 an increasing function of it, so an interval for the one is, end by end,
//! an interval for the other.

pub(crate) mod bootstrap;
pub(crate) mod estimate;
pub(crate) mod pooling;

use serde::{Deserialize, Serialize};

use crate::{
    evaluation::Evaluation, statistics::interval::estimate::ConfidenceInterval,
    statistics::law::binomial, statistics::law::normal,
};

/// How an interval for a proportion is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// Inverts the score test (Wilson, *Journal of the American Statistical Association* 22, 1927). Covers
    /// well even for few questions and proportions near 0 or 1; the one to prefer there.
    Wilson,
    /// The percentile bootstrap with infinitely many resamples: quantiles of the binomial law of the
    /// observed proportion.
    Percentile,
}

impl Evaluation {
    /// An interval for accuracy; `None` for a level that is no share. Its ends, as F1, are those of an interval for F1.
    pub fn accuracy_interval(
        &self,
        method: IntervalMethod,
        level: f64,
    ) -> Option<ConfidenceInterval> {
        let counts = self.counts();
        proportion_interval(counts.correct, counts.total(), method, level)
    }
}

/// An interval for a proportion of which `successes` of `trials` were seen; `None` without trials, with more
/// successes than trials, or for a level that is no share.
pub fn proportion_interval(
    successes: u64,
    trials: u64,
    method: IntervalMethod,
    level: f64,
) -> Option<ConfidenceInterval> {
    if trials == 0 || successes > trials || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let tail = (1.0 - level) / 2.0;
    let (lower, upper) = match method {
        IntervalMethod::Wilson => wilson(successes, trials, level),
        IntervalMethod::Percentile => quantiles(successes, trials, tail, 1.0 - tail),
    };
    Some(ConfidenceInterval {
        lower,
        upper,
        level,
    })
}

fn wilson(successes: u64, trials: u64, level: f64) -> (f64, f64) {
    let (n, z) = (trials as f64, normal::two_sided(level));
    let p = successes as f64 / n;
    let centre = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    // At the edges the bound is exact; rounding must not push it out.
    let lower = if successes == 0 {
        0.0
    } else {
        (centre - spread) / scale
    };
    let upper = if successes == trials {
        1.0
    } else {
        (centre + spread) / scale
    };
    (lower, upper)
}

/// Two quantiles of the proportion in resamples.
fn quantiles(successes: u64, trials: u64, low: f64, high: f64) -> (f64, f64) {
    let at =
        |p| binomial::quantile(trials, successes as f64 / trials as f64, p) as f64 / trials as f64;
    (at(low), at(high))
}

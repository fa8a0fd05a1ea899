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
    evaluation::{Evaluation, f1_of_accuracy},
    statistics::interval::estimate::{ConfidenceInterval, quantile},
    statistics::law::binomial,
    statistics::law::normal,
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
    /// The bias-corrected and accelerated bootstrap (Efron, *Journal of the American Statistical
    /// Association* 82, 1987) with infinitely many resamples. Does not exist when all outcomes are alike.
    Bca,
}

impl Evaluation {
    /// An interval for accuracy; `None` where the method has none.
    pub fn accuracy_interval(
        &self,
        method: IntervalMethod,
        level: f64,
    ) -> Option<ConfidenceInterval> {
        let counts = self.counts();
        proportion_interval(counts.correct, counts.total(), method, level)
    }

    /// The image of [`Evaluation::accuracy_interval`].
    pub fn f1_interval(&self, method: IntervalMethod, level: f64) -> Option<ConfidenceInterval> {
        self.accuracy_interval(method, level)
            .map(|interval| ConfidenceInterval {
                lower: f1_of_accuracy(interval.lower),
                upper: f1_of_accuracy(interval.upper),
                level,
            })
    }
}

/// An interval for a proportion of which `successes` of `trials` were seen; `None` without trials, with more
/// successes than trials, for a level that is no share, or where the method has none.
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
        IntervalMethod::Bca => {
            let (low, high) = bca_tails(successes, trials, level)?;
            quantiles(successes, trials, low, high)
        }
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

/// The two tail probabilities of the BCa interval for a proportion. Half of the ties with the estimate
/// count as below it, as in scipy.
fn bca_tails(successes: u64, trials: u64, level: f64) -> Option<(f64, f64)> {
    if successes == 0 || successes == trials {
        return None;
    }
    let (n, p) = (trials as f64, successes as f64 / trials as f64);
    let at = binomial::probability(trials, successes, p);
    let below = binomial::cumulative(trials, successes, p) - at / 2.0;
    // The skewness of the jackknife values of a mean of zeros and ones, over six.
    let acceleration = (1.0 - 2.0 * p) / (6.0 * (n * p * (1.0 - p)).sqrt());
    bca_levels(normal::quantile(below), acceleration, level)
}

/// Equation 6.8 of Efron (1987); `None` where the correction is so strong that a tail would flip to the other side.
fn bca_levels(bias: f64, acceleration: f64, level: f64) -> Option<(f64, f64)> {
    let moved = |z: f64| {
        let shifted = bias + z;
        let scale = 1.0 - acceleration * shifted;
        (scale > 0.0).then(|| normal::cumulative(bias + shifted / scale))
    };
    let z = normal::two_sided(level);
    Some((moved(-z)?, moved(z)?))
}

/// The BCa interval of any statistic, from its resampled values and its jackknife values (the statistic
/// without each observation in turn).
///
/// `None` when either is empty, when all resamples fall on one side of `point`, where the bias correction is
/// infinite, or when the acceleration is too strong to have an interval.
pub fn bca_interval(
    point: f64,
    resampled: &[f64],
    jackknife: &[f64],
    level: f64,
) -> Option<ConfidenceInterval> {
    let below = resampled.iter().filter(|value| **value < point).count() as f64;
    let equal = resampled.iter().filter(|value| **value == point).count() as f64;
    let share = (below + equal / 2.0) / resampled.len() as f64;
    if jackknife.is_empty() || !(share > 0.0 && share < 1.0) {
        return None;
    }
    let mean = jackknife.iter().sum::<f64>() / jackknife.len() as f64;
    let moment = |power| {
        jackknife
            .iter()
            .map(|value| (mean - value).powi(power))
            .sum::<f64>()
    };
    let spread = moment(2).powf(1.5);
    let acceleration = if spread > 0.0 {
        moment(3) / (6.0 * spread)
    } else {
        0.0
    };
    let (low, high) = bca_levels(normal::quantile(share), acceleration, level)?;
    let mut sorted = resampled.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Some(ConfidenceInterval {
        lower: quantile(&sorted, low),
        upper: quantile(&sorted, high),
        level,
    })
}

//! A figure with its uncertainty.

use serde::{Deserialize, Serialize};

/// An interval that covers the true value in a share `level` of repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConfidenceInterval {
    /// The lower bound.
    pub lower: f64,
    /// The upper bound.
    pub upper: f64,
    /// The nominal coverage, such as .95.
    pub level: f64,
}

impl ConfidenceInterval {
    /// Whether `value` lies in the closed interval.
    pub fn contains(&self, value: f64) -> bool {
        (self.lower..=self.upper).contains(&value)
    }
}

/// A figure, its standard error and its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The figure computed from the data itself.
    pub point: f64,
    /// The standard deviation of the figure under resampling.
    pub standard_error: f64,
    /// The interval.
    pub interval: ConfidenceInterval,
}

impl Estimate {
    /// The percentile bootstrap: the central `level` of the resampled figures.
    ///
    /// Efron and Tibshirani, *An Introduction to the Bootstrap* (1993), section 13.3. Quantiles are
    /// interpolated linearly between order statistics (type 7 of Hyndman and Fan 1996, the default of
    /// NumPy and R).
    pub(crate) fn percentile(point: f64, mut resampled: Vec<f64>, level: f64) -> Self {
        resampled.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - level) / 2.0;
        Self {
            point,
            standard_error: standard_deviation(&resampled),
            interval: ConfidenceInterval {
                lower: quantile(&resampled, tail),
                upper: quantile(&resampled, 1.0 - tail),
                level,
            },
        }
    }
}

/// The `p`-quantile of a sorted, non-empty sample; `p` outside 0 to 1 gives the nearest extreme.
pub(crate) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let last = sorted.len() - 1;
    let rank = p.clamp(0.0, 1.0) * last as f64;
    let below = rank.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (rank - below as f64) * (sorted[above] - sorted[below])
}

/// With the divisor n - 1; of a single value, zero.
fn standard_deviation(sample: &[f64]) -> f64 {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let squares: f64 = sample.iter().map(|x| (x - mean).powi(2)).sum();
    (squares / (n - 1.0).max(1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.quantile([1, 2, 4, 8], [0, .1, .5, .9, 1])`, NumPy 2.4.
    #[test]
    fn quantiles_equal_numpy() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        for (p, expected) in [(0.0, 1.0), (0.1, 1.3), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)] {
            assert!((quantile(&sorted, p) - expected).abs() < 1e-12);
        }
    }
}

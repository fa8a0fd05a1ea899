//! Several completions a question: pass@k, and accuracy with clustered errors.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    statistics::interval::bootstrap::BootstrapConfig, statistics::interval::estimate::Estimate,
};

/// How one question went: completions judged, and how many of them were right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// Completions judged.
    pub completions: u64,
    /// Completions that were right.
    pub correct: u64,
}

/// The chance that at least one of `k` completions drawn without replacement is right.
///
/// The unbiased estimator of Chen et al., *Evaluating Large Language Models Trained on Code* (2021),
/// section 2.1: `1 - C(n - c, k) / C(n, k)`, computed as a product so that nothing overflows. `None` when
/// there are fewer than `k` completions, or more right ones than completions.
pub fn pass_at_k(attempts: Attempts, k: u64) -> Option<f64> {
    let Attempts {
        completions: n,
        correct,
    } = attempts;
    let wrong = n.checked_sub(correct)?;
    if k > n {
        return None;
    }
    if k > wrong {
        return Some(1.0);
    }
    let all_wrong: f64 = (wrong + 1..=n).map(|i| 1.0 - k as f64 / i as f64).product();
    Some(1.0 - all_wrong)
}

/// Mean pass@k over questions, with a percentile interval that resamples questions.
///
/// `None` without questions or when a question has fewer than `k` completions.
pub fn pass_at_k_estimate(
    questions: &[Attempts],
    k: u64,
    config: &BootstrapConfig,
) -> Option<Estimate> {
    let scores: Option<Vec<f64>> = questions
        .iter()
        .map(|question| pass_at_k(*question, k))
        .collect();
    cluster_mean(
        &scores?
            .into_iter()
            .map(|score| (score, 1.0))
            .collect::<Vec<_>>(),
        config,
    )
}

/// The share of right completions, with a percentile interval that resamples whole questions.
///
/// Completions of one question succeed and fail together, so counting each as an observation of its own
/// makes intervals too narrow (Miller, *Adding Error Bars to Evals*, 2024, section 2.2); the question is the
/// unit that is drawn. `None` without completions, or where more are right than there are.
pub fn clustered_accuracy(questions: &[Attempts], config: &BootstrapConfig) -> Option<Estimate> {
    if questions.iter().any(|q| q.correct > q.completions) {
        return None;
    }
    let clusters: Vec<(f64, f64)> = questions
        .iter()
        .map(|q| (q.correct as f64, q.completions as f64))
        .filter(|c| c.1 > 0.0)
        .collect();
    cluster_mean(&clusters, config)
}

/// The ratio of summed totals to summed weights over clusters, with its cluster bootstrap.
fn cluster_mean(clusters: &[(f64, f64)], config: &BootstrapConfig) -> Option<Estimate> {
    if clusters.is_empty() {
        return None;
    }
    let ratio = |sum: (f64, f64)| sum.0 / sum.1;
    let add = |a: (f64, f64), b: &(f64, f64)| (a.0 + b.0, a.1 + b.1);
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    let resampled = (0..config.resamples.max(1)).map(|_| {
        let drawn = (0..clusters.len()).map(|_| &clusters[rng.random_range(0..clusters.len())]);
        ratio(drawn.fold((0.0, 0.0), add))
    });
    let resampled = resampled.collect();
    let point = ratio(clusters.iter().fold((0.0, 0.0), add));
    Some(Estimate::percentile(point, resampled, config.level))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn attempts(completions: u64, correct: u64) -> Attempts {
        Attempts {
            completions,
            correct,
        }
    }

    /// `1 - scipy.special.comb(n - c, k) / scipy.special.comb(n, k)`, SciPy 1.17.1.
    #[test]
    fn pass_at_k_equals_the_formula() {
        for (n, c, k, expected) in [
            (10, 3, 1, 0.3),
            (10, 3, 5, 11.0 / 12.0),
            (5, 1, 2, 0.4),
            (4, 4, 2, 1.0),
        ] {
            assert!((pass_at_k(attempts(n, c), k).unwrap() - expected).abs() < 1e-12);
        }
        assert_eq!(pass_at_k(attempts(10, 0), 3), Some(0.0));
        assert_eq!(pass_at_k(attempts(2, 1), 3), None);
        assert_eq!(pass_at_k(attempts(2, 3), 1), None);
    }

    #[test]
    fn completions_of_a_question_are_no_independent_observations() {
        let config = BootstrapConfig {
            resamples: 2000,
            ..BootstrapConfig::default()
        };
        // Each question is always or never solved: sixteen completions say no more than one.
        let many: Vec<_> = (0..100)
            .map(|i| attempts(16, if i % 2 == 0 { 16 } else { 0 }))
            .collect();
        let one: Vec<_> = (0..100)
            .map(|i| attempts(1, u64::from(i % 2 == 0)))
            .collect();
        let (many, one) = (
            clustered_accuracy(&many, &config),
            clustered_accuracy(&one, &config),
        );
        assert_eq!(many.unwrap(), one.unwrap());
        assert_eq!(clustered_accuracy(&[attempts(2, 3)], &config), None);
    }
}

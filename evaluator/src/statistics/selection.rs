//! The best of several candidates looks better than it is.
//!
//! Whoever reports the figure on which a winner was chosen reports its luck too. A split that was used for
//! selection gives an upward biased figure for the winner, always; the honest figure comes from a split that
//! was not. Where only the one exists, the bias can be estimated: choose the winner on a bootstrap resample of
//! the questions and measure it on the questions that were not drawn.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::{
    evaluation::{Evaluation, f1_of_accuracy},
    outcome::Outcome,
    statistics::interval::bootstrap::BootstrapConfig,
    statistics::interval::estimate::Estimate,
    statistics::paired::Unpaired,
};

/// The winner among candidates on one split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// Index of the candidate with the highest F1; the first of equals.
    pub winner: usize,
    /// Its F1 on the split it was chosen on: biased upward by the choice.
    pub selected_f1: f64,
    /// F1 of choosing the best of these candidates, corrected for the choice.
    pub corrected_f1: Estimate,
}

/// Why there is no winner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// There is no candidate.
    #[error("selection needs at least one candidate")]
    Empty,
    /// A single question cannot be divided into drawn and not drawn.
    #[error("correcting a selection needs at least two questions")]
    TooFewQuestions,
    /// Candidates answered different questions.
    #[error(transparent)]
    Unpaired(#[from] Unpaired),
}

/// Chooses the candidate with the highest F1 and corrects its figure for having been chosen.
///
/// The bootstrap bias-corrected estimate of Tsamardinos, Greasidou and Borboudakis (*Machine Learning* 107,
/// 2018): the mean, over resamples of questions, of the winner's F1 on the questions left out. Its percentile
/// interval is the interval; it is conservative, because the questions left out are only about a third of all.
pub fn select_best(
    candidates: &[Evaluation],
    config: &BootstrapConfig,
) -> Result<Selection, SelectionError> {
    let first = candidates.first().ok_or(SelectionError::Empty)?;
    let questions = first.outcomes().len();
    for candidate in candidates {
        let right = candidate.outcomes().len();
        if right != questions {
            return Err(Unpaired {
                left: questions,
                right,
            }
            .into());
        }
    }
    if questions < 2 {
        return Err(SelectionError::TooFewQuestions);
    }
    let mask = |outcome: &Outcome| match outcome {
        Outcome::Correct => u32::MAX,
        _ => 0,
    };
    let correct: Vec<Vec<u32>> = candidates
        .iter()
        .map(|candidate| candidate.outcomes().iter().map(mask).collect())
        .collect();
    let everything = vec![1; questions];
    let winner = best(&correct, &everything);

    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    let mut corrected = Vec::with_capacity(config.resamples as usize);
    while corrected.len() < config.resamples.max(1) as usize {
        let mut drawn = vec![0u32; questions];
        for _ in 0..questions {
            drawn[rng.random_range(0..questions)] += 1;
        }
        let left_out: Vec<u32> = drawn.iter().map(|times| u32::from(*times == 0)).collect();
        // With few questions a resample may leave none out; it says nothing.
        if left_out.contains(&1) {
            corrected.push(f1(&correct[best(&correct, &drawn)], &left_out));
        }
    }
    let mean = corrected.iter().sum::<f64>() / corrected.len() as f64;
    Ok(Selection {
        winner,
        selected_f1: candidates[winner].f1(),
        corrected_f1: Estimate::percentile(mean, corrected, config.level),
    })
}

/// The candidate with the most right answers, questions weighted; the first of equals.
fn best(correct: &[Vec<u32>], weights: &[u32]) -> usize {
    let scores: Vec<u32> = correct
        .iter()
        .map(|candidate| right(candidate, weights))
        .collect();
    let highest = scores.iter().max();
    scores
        .iter()
        .position(|score| Some(score) == highest)
        .unwrap_or(0)
}

/// The weights of the right answers, which `correct` masks, added up: thousands of resamples times a hundred candidates come by here, so it must be
/// what a processor does to many at once.
fn right(correct: &[u32], weights: &[u32]) -> u32 {
    std::iter::zip(correct, weights)
        .map(|(mask, weight)| weight & mask)
        .fold(0, u32::wrapping_add)
}

fn f1(correct: &[u32], weights: &[u32]) -> f64 {
    f1_of_accuracy(f64::from(right(correct, weights)) / f64::from(weights.iter().sum::<u32>()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn luck_is_taken_back() {
        // Forty candidates that guess: each is right on half of the questions by chance.
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let candidates: Vec<Evaluation> = (0..40)
            .map(|_| {
                let outcome = |right| {
                    if right {
                        Outcome::Correct
                    } else {
                        Outcome::Wrong
                    }
                };
                Evaluation::new((0..200).map(|_| outcome(rng.random_bool(0.5))).collect()).unwrap()
            })
            .collect();
        let config = BootstrapConfig {
            resamples: 2000,
            ..BootstrapConfig::default()
        };
        let selection = select_best(&candidates, &config).unwrap();
        let truth = f1_of_accuracy(0.5);
        assert!(selection.selected_f1 > truth + 0.04, "{selection:?}");
        assert!(
            (selection.corrected_f1.point - truth).abs() < 0.03,
            "{selection:?}"
        );
        assert!(selection.corrected_f1.interval.contains(truth));
    }

    #[test]
    fn a_clear_winner_needs_no_correction() {
        let good = Evaluation::from_bytes(&b"cccw".repeat(100)).unwrap();
        let bad = Evaluation::from_bytes(&b"cwww".repeat(100)).unwrap();
        let selection = select_best(&[bad, good.clone()], &BootstrapConfig::default()).unwrap();
        assert_eq!(selection.winner, 1);
        assert!((selection.corrected_f1.point - good.f1()).abs() < 0.002);
    }
}

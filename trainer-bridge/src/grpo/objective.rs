//! The policy-gradient objective as a function of the completion tokens' log-probabilities: its value and its derivative by each of
//! them. Plain formulas on slices; what computes the log-probabilities is not its business.

use super::config::{GrpoConfig, ImportanceSamplingLevel, LossType};

/// Log-ratios beyond this are taken for divergence: a token that the policy finds e^20 times as likely as the policy that sampled it, or
/// that the reference policy finds e^20 times as likely as the policy does.
const LARGEST_LOG_RATIO: f64 = 20.0;

/// A log-ratio left the range in which an update can mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Diverged {
    /// Of the policy to the one that sampled.
    ImportanceRatio,
    /// Of the reference policy to the policy.
    Kl,
}

/// The objective's settings.
#[derive(Debug, Clone, Copy)]
pub struct Objective {
    /// Weight of the KL term.
    beta: f64,
    /// Whether the KL term is multiplied by the importance ratio.
    corrects_kl: bool,
    /// Bounds of the importance ratio.
    clip: (f64, f64),
    level: ImportanceSamplingLevel,
}

/// What the objective knows of a completion beside its log-probabilities. All slices have one value a token.
#[derive(Debug, Clone, Copy)]
pub struct Term<'a> {
    /// Its advantage.
    pub advantage: f64,
    /// What each of its tokens counts; see [`token_share`].
    pub share: f64,
    /// Log-probabilities under the policy that sampled it; absent if that is the policy itself: then every ratio is 1.
    pub old: Option<&'a [f32]>,
    /// Log-probabilities under the reference policy; absent without a KL term.
    pub reference: Option<&'a [f32]>,
}

/// Sums over tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LossSums {
    /// The loss: sum of share times a token's loss.
    pub loss: f64,
    /// The KL estimates as they stand in the loss.
    pub kl: f64,
    /// Ratios (of tokens, or of completions at sequence level) that are clipped from below.
    pub clipped_low: usize,
    /// Ratios that are clipped from above.
    pub clipped_high: usize,
}

impl std::ops::AddAssign for LossSums {
    fn add_assign(&mut self, other: Self) {
        self.loss += other.loss;
        self.kl += other.kl;
        self.clipped_low += other.clipped_low;
        self.clipped_high += other.clipped_high;
    }
}

impl Objective {
    /// The objective a configuration asks for.
    pub fn new(grpo: &GrpoConfig) -> Self {
        let high = grpo.epsilon_high.unwrap_or(grpo.epsilon);
        Self {
            beta: grpo.beta,
            corrects_kl: grpo.use_bias_correction_kl,
            clip: (1.0 - grpo.epsilon, 1.0 + high),
            level: grpo.importance_sampling_level,
        }
    }

    /// Adds up one completion's loss and writes its derivative by each log-probability.
    ///
    /// With A the advantage, r the importance ratio exp(log pi - log pi_old) of the token, or at sequence level
    /// exp(mean over the completion of (log pi - log pi_old)) for all of its tokens (GSPO, arXiv 2507.18071):
    ///
    /// loss = sum over tokens of share * ( -min(r A, clip(r, 1 - epsilon, 1 + epsilon_high) A) + beta kl )
    ///
    /// (PPO's clipped objective, arXiv 1707.06347; two bounds: DAPO, arXiv 2503.14476), where kl is the estimator k3 of
    /// <http://joschu.net/blog/kl-approx.html>, exp(d) - d - 1 with d = log pi_ref - log pi, times r if the gradient shall be unbiased off
    /// policy (arXiv 2512.02556).
    pub fn completion(
        &self,
        term: &Term<'_>,
        log_probs: &[f32],
        derivative: &mut [f32],
    ) -> Result<LossSums, Diverged> {
        let ratios = self.ratios(term.old, log_probs)?;
        let mut sums = LossSums::default();
        for &ratio in &ratios {
            sums.clipped_low += usize::from(term.advantage < 0.0 && ratio < self.clip.0);
            sums.clipped_high += usize::from(term.advantage > 0.0 && ratio > self.clip.1);
        }
        // Derivative by the logarithm of a ratio that all tokens share, spread over them.
        let mut shared = 0.0;
        for (token, (&log_prob, derivative)) in log_probs.iter().zip(&mut *derivative).enumerate() {
            let distance = |r: &[f32]| f64::from(r[token]) - f64::from(log_prob);
            let kl = term
                .reference
                .map_or(Ok(Kl::default()), |r| k3(distance(r)))?;
            let ratio = ratios[token.min(ratios.len() - 1)];
            let loss = self.token(ratio, term.advantage, kl);
            sums.loss += term.share * loss.value;
            sums.kl += loss.kl;
            *derivative = (term.share * loss.by_log_prob) as f32;
            match self.level {
                ImportanceSamplingLevel::Token => {
                    *derivative += (term.share * loss.by_log_ratio) as f32;
                }
                ImportanceSamplingLevel::Sequence => {
                    shared += term.share * loss.by_log_ratio / log_probs.len() as f64;
                }
            }
        }
        derivative.iter_mut().for_each(|d| *d += shared as f32);
        Ok(sums)
    }

    /// A token's loss, as the formula above has it, before its share.
    fn token(&self, ratio: f64, advantage: f64, kl: Kl) -> TokenLoss {
        let plain = ratio * advantage;
        let clipped = ratio.clamp(self.clip.0, self.clip.1) * advantage;
        let slope = if plain <= clipped { plain } else { 0.0 };
        let weight = if self.corrects_kl { ratio } else { 1.0 };
        let kl_by_log_ratio = if self.corrects_kl {
            weight * kl.value
        } else {
            0.0
        };
        TokenLoss {
            value: self.beta * weight * kl.value - plain.min(clipped),
            kl: weight * kl.value,
            by_log_prob: self.beta * weight * kl.derivative,
            by_log_ratio: self.beta * kl_by_log_ratio - slope,
        }
    }

    /// The importance ratios: one a token, or a single one at sequence level.
    fn ratios(&self, old: Option<&[f32]>, log_probs: &[f32]) -> Result<Vec<f64>, Diverged> {
        let logs: Vec<f64> = match old {
            None => vec![0.0; log_probs.len()],
            Some(old) => {
                let pairs = log_probs.iter().zip(old);
                pairs
                    .map(|(&new, &old)| f64::from(new) - f64::from(old))
                    .collect()
            }
        };
        let logs = match self.level {
            ImportanceSamplingLevel::Token => logs,
            ImportanceSamplingLevel::Sequence => {
                vec![logs.iter().sum::<f64>() / logs.len().max(1) as f64]
            }
        };
        if logs.iter().any(|&log| log > LARGEST_LOG_RATIO) {
            return Err(Diverged::ImportanceRatio);
        }
        Ok(logs.into_iter().map(f64::exp).collect())
    }
}

/// A token's loss and its derivatives.
struct TokenLoss {
    value: f64,
    /// The KL estimate as it stands in `value`, before beta.
    kl: f64,
    /// By the token's log-probability, the ratio held still.
    by_log_prob: f64,
    /// By the logarithm of the ratio.
    by_log_ratio: f64,
}

/// The estimate k3 and its derivative by the policy's log-probability.
#[derive(Clone, Copy, Default)]
struct Kl {
    value: f64,
    derivative: f64,
}

/// `distance` is log pi_ref - log pi.
fn k3(distance: f64) -> Result<Kl, Diverged> {
    if distance > LARGEST_LOG_RATIO {
        return Err(Diverged::Kl);
    }
    let ratio = distance.exp();
    Ok(Kl {
        value: ratio - distance - 1.0,
        derivative: 1.0 - ratio,
    })
}

/// The lengths of a step's completions, as the losses normalise by them. What a filter left out does not count; what is masked counts as a
/// completion without tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lengths {
    /// Completions.
    pub completions: usize,
    /// Their tokens.
    pub tokens: usize,
    /// Tokens a step, on average over the steps that share a batch of rollouts.
    pub tokens_per_step: f64,
    /// The length limit.
    pub limit: usize,
}

/// What each token of a completion of `length` tokens counts in the loss:
///
/// - `Grpo`: mean over the completion, then over completions, 1 / (N length) (arXiv 2402.03300);
/// - `Bnpo`: mean over all tokens of the step, 1 / sum of lengths;
/// - `Dapo`: the same with the sum averaged over the steps that share a batch of rollouts, as in TRL (arXiv 2503.14476);
/// - `DrGrpo`: 1 / (N limit), a constant, so that long completions are not favoured (arXiv 2503.20783).
pub fn token_share(loss_type: LossType, length: usize, lengths: Lengths) -> f64 {
    let count = match loss_type {
        LossType::Grpo => (lengths.completions * length) as f64,
        LossType::Bnpo => lengths.tokens as f64,
        LossType::Dapo => lengths.tokens_per_step,
        LossType::DrGrpo => (lengths.completions * lengths.limit) as f64,
    };
    1.0 / count.max(1.0)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn shares_follow_the_formulas() {
        // Three completions of 2, 4 and 10 tokens, the last one masked.
        let lengths = Lengths {
            completions: 3,
            tokens: 6,
            tokens_per_step: 8.0,
            limit: 10,
        };
        let shares = |loss_type| [2, 4].map(|length| token_share(loss_type, length, lengths));
        assert_eq!(shares(LossType::Grpo), [1.0 / 6.0, 1.0 / 12.0]);
        assert_eq!(shares(LossType::Bnpo), [1.0 / 6.0; 2]);
        assert_eq!(shares(LossType::Dapo), [1.0 / 8.0; 2]);
        assert_eq!(shares(LossType::DrGrpo), [1.0 / 30.0; 2]);
    }

    #[test]
    fn on_policy_the_gradient_is_minus_advantage_times_share() {
        let term = Term {
            advantage: -0.5,
            share: 0.25,
            old: None,
            reference: None,
        };
        for level in [
            ImportanceSamplingLevel::Token,
            ImportanceSamplingLevel::Sequence,
        ] {
            let objective = Objective::new(&GrpoConfig {
                importance_sampling_level: level,
                ..GrpoConfig::default()
            });
            let mut derivative = [9.0; 3];
            let sums = objective.completion(&term, &[-0.1, -2.0, -0.7], &mut derivative);
            let expected = LossSums {
                loss: 0.375,
                ..LossSums::default()
            };
            assert_eq!(sums, Ok(expected));
            assert!(derivative.iter().all(|d| (d - 0.125).abs() < 1e-7));
        }
    }

    /// Off policy, with a KL term: the derivative is the slope of the value, whichever side of the bounds a ratio is on.
    #[test]
    fn the_derivative_is_that_of_the_value() {
        let old = [-0.9, -1.0, -2.0, -0.5];
        let reference = [-1.0, -0.7, -2.5, -0.4];
        let log_probs = [-0.4_f32, -1.1, -2.6, -0.55];
        for level in [
            ImportanceSamplingLevel::Token,
            ImportanceSamplingLevel::Sequence,
        ] {
            for (advantage, corrects) in [(1.3, true), (1.3, false), (-0.8, true), (-0.8, false)] {
                let objective = Objective::new(&GrpoConfig {
                    beta: 0.3,
                    use_bias_correction_kl: corrects,
                    epsilon_high: Some(0.28),
                    importance_sampling_level: level,
                    ..GrpoConfig::default()
                });
                let term = Term {
                    advantage,
                    share: 0.1,
                    old: Some(&old),
                    reference: Some(&reference),
                };
                let value = |log_probs: &[f32]| {
                    let mut unused = [0.0; 4];
                    objective
                        .completion(&term, log_probs, &mut unused)
                        .unwrap()
                        .loss
                };
                let mut derivative = [0.0; 4];
                objective
                    .completion(&term, &log_probs, &mut derivative)
                    .unwrap();
                for (token, &derivative) in derivative.iter().enumerate() {
                    let moved = |by: f32| {
                        let mut moved = log_probs;
                        moved[token] += by;
                        (f64::from(moved[token]), value(&moved))
                    };
                    let ((x0, low), (x1, high)) = (moved(-1e-3), moved(1e-3));
                    let slope = (high - low) / (x1 - x0);
                    assert!(
                        (slope - f64::from(derivative)).abs() < 1e-6,
                        "{slope} {derivative}"
                    );
                }
            }
        }
    }

    #[test]
    fn only_what_would_move_on_past_a_bound_counts_as_clipped() {
        let old = [-1.0; 3];
        // Ratios e^0.5, 1, e^-0.5.
        let log_probs = [-0.5, -1.0, -1.5];
        let clipped = |advantage| {
            let term = Term {
                advantage,
                share: 1.0,
                old: Some(&old),
                reference: None,
            };
            let objective = Objective::new(&GrpoConfig::default());
            let mut derivative = [0.0; 3];
            let sums = objective
                .completion(&term, &log_probs, &mut derivative)
                .unwrap();
            (
                sums.clipped_low,
                sums.clipped_high,
                derivative.map(|d| d == 0.0),
            )
        };
        assert_eq!(clipped(1.0), (0, 1, [true, false, false]));
        assert_eq!(clipped(-1.0), (1, 0, [false, false, true]));
    }

    #[test]
    fn a_log_ratio_beyond_all_reason_is_divergence() {
        let (near, far) = ([-0.5_f32], [-40.0_f32]);
        let objective = Objective::new(&GrpoConfig::default());
        let judge = |old: Option<&[f32]>, reference: Option<&[f32]>, log_probs: &[f32]| {
            let term = Term {
                advantage: 1.0,
                share: 1.0,
                old,
                reference,
            };
            objective.completion(&term, log_probs, &mut [0.0])
        };
        assert_eq!(
            judge(Some(&far), None, &near),
            Err(Diverged::ImportanceRatio)
        );
        assert_eq!(judge(None, Some(&near), &far), Err(Diverged::Kl));
        assert!(
            judge(Some(&near), None, &far).is_ok(),
            "a ratio near 0 harms nobody"
        );
    }
}

//! The policy-gradient objective as a function of the completion tokens' log-probabilities.

use candle_core::{Result, Tensor};

use crate::LossType;

/// `-sum over tokens of coefficient * ratio` with ratio = pi / pi_old and coefficient = advantage * the token's share
/// ([`token_share`]).
///
/// One update a batch of rollouts, so pi_old is pi: the ratio is 1 and its gradient that of the log-probability, and clipping it
/// would change nothing.
pub fn policy_loss(log_probs: &Tensor, coefficients: &Tensor) -> Result<Tensor> {
    let ratio = (log_probs - log_probs.detach())?.exp()?;
    (ratio * coefficients)?.sum_all()?.neg()
}

/// The lengths of a step's completions, as the losses normalise by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// Completions, those that are masked or without an advantage included.
    pub completions: usize,
    /// Tokens of all completions that are not masked.
    pub tokens: usize,
    /// The length limit.
    pub limit: usize,
}

/// What each token of a completion of `length` tokens counts in the loss:
///
/// - `Grpo`: mean over the completion, then over completions, 1 / (N length) (arXiv 2402.03300);
/// - `Bnpo`, `Dapo`: mean over all tokens of the step, 1 / sum of lengths (arXiv 2503.14476; the two differ in TRL only when a step
///   is accumulated from several batches);
/// - `DrGrpo`: 1 / (N limit), a constant, so that long completions are not favoured (arXiv 2503.20783).
pub fn token_share(loss_type: LossType, length: usize, lengths: Lengths) -> f64 {
    let count = match loss_type {
        LossType::Grpo => lengths.completions * length,
        LossType::Bnpo | LossType::Dapo => lengths.tokens,
        LossType::DrGrpo => lengths.completions * lengths.limit,
    };
    1.0 / count.max(1) as f64
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use candle_core::{Device, Var};

    use super::*;

    #[test]
    fn shares_follow_the_formulas() {
        // Three completions of 2, 4 and 10 tokens, the last one masked.
        let lengths = Lengths {
            completions: 3,
            tokens: 6,
            limit: 10,
        };
        let shares = |loss_type| [2, 4].map(|length| token_share(loss_type, length, lengths));
        assert_eq!(shares(LossType::Grpo), [1.0 / 6.0, 1.0 / 12.0]);
        assert_eq!(shares(LossType::Dapo), [1.0 / 6.0; 2]);
        assert_eq!(shares(LossType::Bnpo), [1.0 / 6.0; 2]);
        assert_eq!(shares(LossType::DrGrpo), [1.0 / 30.0; 2]);
    }

    #[test]
    fn on_policy_the_gradient_is_minus_the_coefficient() {
        let log_probs = Var::new(&[-0.1_f32, -2.0, -0.7], &Device::Cpu).unwrap();
        let coefficients = Tensor::new(&[0.5_f32, -0.25, 0.0], &Device::Cpu).unwrap();
        let loss = policy_loss(&log_probs, &coefficients).unwrap();
        assert_eq!(loss.to_scalar::<f32>().unwrap(), -0.25);
        let gradient = loss
            .backward()
            .unwrap()
            .get(&log_probs)
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
        assert_eq!(gradient, [-0.5, 0.25, 0.0]);
    }
}

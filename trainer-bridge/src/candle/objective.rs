//! The policy-gradient objective as a function of the completion tokens' log-probabilities.

use candle_core::{Result, Tensor};

/// `-1/N * sum over tokens of ratio * advantage` with ratio = pi / pi_old (DAPO's token-level mean, arXiv 2503.14476).
///
/// One update a batch of rollouts, so pi_old is pi: the ratio is 1 and its gradient that of the log-probability. `tokens` (N) counts the
/// completion tokens of the whole batch, those left out for want of an advantage included.
pub fn policy_loss(log_probs: &Tensor, advantages: &Tensor, tokens: usize) -> Result<Tensor> {
    let ratio = (log_probs - log_probs.detach())?.exp()?;
    (ratio * advantages)?.sum_all()? * (-1.0 / tokens.max(1) as f64)
}

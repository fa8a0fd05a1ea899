//! Drawing the next token of every row.

use super::lanes::{dot, exponentiate, max};

/// A drawn token.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Choice {
    /// Its id.
    pub token: u32,
    /// Its log-probability under the distribution it was drawn from; not finite if the logits were not.
    pub log_prob: f32,
    /// Entropy of that distribution, nats.
    pub entropy: f32,
}

vectorized! {
/// Draws one token a row of logits by inverting the cumulative distribution at `uniforms`. At temperature 0 it is the likeliest (the
/// first of equals), its log-probability and entropy those at temperature 1.
pub fn choose_rows<'a>(logits: &'a [f32], temperature: f32, uniforms: &'a [f32], choices: &'a mut [Choice]) {
    let Some(width) = logits.len().checked_div(choices.len()) else { return };
    let inverse_temperature = if temperature > 0.0 { 1.0 / temperature } else { 1.0 };
    let (mut scaled, mut weights) = (vec![0.0_f32; width], vec![0.0_f32; width]);
    for ((logits, &uniform), choice) in logits.chunks_exact(width).zip(uniforms).zip(choices) {
        for ((scaled, weight), &logit) in scaled.iter_mut().zip(weights.iter_mut()).zip(logits) {
            *scaled = logit * inverse_temperature;
            *weight = *scaled;
        }
        let (largest, total) = exponentiate(&mut weights);
        let normaliser = largest + total.ln();
        let token = if temperature > 0.0 { invert(&weights, uniform * total) } else { first_of(&scaled, max(&scaled)) };
        *choice = Choice {
            token: token as u32,
            log_prob: scaled[token] - normaliser,
            entropy: normaliser - dot(&weights, &scaled) / total,
        };
    }
}
}

/// The first index at which the running sum exceeds `target`; the last with any weight should rounding leave none.
#[inline(always)]
fn invert(weights: &[f32], target: f32) -> usize {
    let mut sum = 0.0;
    for (index, &weight) in weights.iter().enumerate() {
        sum += weight;
        if sum > target {
            return index;
        }
    }
    weights
        .iter()
        .rposition(|&weight| weight > 0.0)
        .unwrap_or(0)
}

#[inline(always)]
fn first_of(values: &[f32], wanted: f32) -> usize {
    values
        .iter()
        .position(|&value| value == wanted)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(logits: &[f32], temperature: f32, uniform: f32) -> Choice {
        let mut choice = [Choice::default()];
        choose_rows(logits, temperature, &[uniform], &mut choice);
        choice[0]
    }

    #[test]
    fn inverts_the_cumulative_distribution() {
        let logits = [0.5_f32.ln(), 0.25_f32.ln(), 0.25_f32.ln()];
        for (uniform, token) in [
            (0.0, 0),
            (0.49, 0),
            (0.51, 1),
            (0.74, 1),
            (0.76, 2),
            (0.999_999_9, 2),
        ] {
            assert_eq!(choose(&logits, 1.0, uniform).token, token, "at {uniform}");
        }
        let first = choose(&logits, 1.0, 0.1);
        assert!((first.log_prob - 0.5_f32.ln()).abs() < 1e-6);
        assert!((first.entropy - 1.5 * 2.0_f32.ln()).abs() < 1e-6);
    }

    #[test]
    fn greedy_takes_the_first_of_the_likeliest() {
        assert_eq!(choose(&[1.0, 3.0, 3.0], 0.0, 0.99).token, 1);
    }

    #[test]
    fn logits_that_are_no_numbers_show() {
        assert!(!choose(&[1.0, f32::NAN, 3.0], 1.0, 0.5).log_prob.is_finite());
        assert!(!choose(&[f32::NAN; 3], 1.0, 0.5).log_prob.is_finite());
        assert!(!choose(&[1.0, f32::INFINITY], 1.0, 0.5).log_prob.is_finite());
    }
}

//! Drawing the next token of every row.

use crate::candle::kernels::lanes::{dot, exponentiate, max};

/// A drawn token.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Choice {
    /// Its id.
    pub token: u32,
    /// Its log-probability at the temperature, over all tokens, those that could not be drawn included; not finite if the logits were not.
    pub log_prob: f32,
    /// Entropy of that distribution, nats.
    pub entropy: f32,
}

/// Which tokens can be drawn, as in transformers and in its order: the likeliest `top_k`, of these the fewest that reach `top_p`
/// together (Holtzman et al., arXiv 1904.09751), of these all that have `min_p` of the likeliest one's probability (Nguyen et al.,
/// arXiv 2407.01082).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truncation {
    /// 0 for all.
    pub top_k: usize,
    /// 1 for all.
    pub top_p: f32,
    /// 0 for all.
    pub min_p: f32,
}

impl Truncation {
    /// Every token can be drawn.
    pub const NONE: Self = Self {
        top_k: 0,
        top_p: 1.0,
        min_p: 0.0,
    };

    /// As configured.
    pub fn new(top_k: usize, top_p: f64, min_p: f64) -> Self {
        Self {
            top_k,
            top_p: top_p as f32,
            min_p: min_p as f32,
        }
    }

    /// Sets the weights of tokens that cannot be drawn to 0. Of equals at a border all stay.
    fn apply(self, weights: &mut [f32]) {
        if self == Self::NONE {
            return;
        }
        if self.top_k > 0 || self.top_p < 1.0 {
            let least = self.least_of_sorted(weights);
            clear_below(weights, least);
        }
        if self.min_p > 0.0 {
            let least = max(weights) * self.min_p;
            clear_below(weights, least);
        }
    }

    /// The smallest weight that `top_k` and then `top_p` leave.
    fn least_of_sorted(self, weights: &[f32]) -> f32 {
        let mut sorted: Vec<f32> = weights.iter().copied().filter(|&w| w > 0.0).collect();
        sorted.sort_unstable_by(|a, b| b.total_cmp(a));
        if self.top_k > 0 {
            sorted.truncate(self.top_k);
        }
        let target = f64::from(self.top_p) * sorted.iter().copied().map(f64::from).sum::<f64>();
        let mut sum = 0.0;
        let reached = sorted.iter().find(|&&weight| {
            sum += f64::from(weight);
            sum >= target
        });
        reached.or(sorted.last()).copied().unwrap_or(0.0)
    }
}

fn clear_below(weights: &mut [f32], least: f32) {
    for weight in weights.iter_mut().filter(|weight| **weight < least) {
        *weight = 0.0;
    }
}

vectorized! {
/// Draws one token a row of logits by inverting the cumulative distribution at `uniforms`, from [0, 1). At temperature 0 it is the likeliest (the
/// first of equals), its log-probability and entropy those at temperature 1.
pub fn choose_rows<'a>(logits: &'a [f32], temperature: f32, truncation: Truncation, uniforms: &'a [f64], choices: &'a mut [Choice]) {
    let Some(width) = logits.len().checked_div(choices.len()) else { return };
    let inverse_temperature = if temperature > 0.0 { 1.0 / temperature } else { 1.0 };
    let (mut scaled, mut weights, mut sums) = (vec![0.0_f32; width], vec![0.0_f32; width], Vec::new());
    for ((logits, &uniform), choice) in logits.chunks_exact(width).zip(uniforms).zip(choices) {
        for ((scaled, weight), &logit) in scaled.iter_mut().zip(weights.iter_mut()).zip(logits) {
            *scaled = logit * inverse_temperature;
            *weight = *scaled;
        }
        let (largest, total) = exponentiate(&mut weights);
        let normaliser = largest + total.ln();
        let entropy = normaliser - dot(&weights, &scaled) / total;
        let token = if temperature == 0.0 {
            first_of(&scaled, max(&scaled))
        } else {
            truncation.apply(&mut weights);
            invert(&weights, uniform, &mut sums)
        };
        *choice = Choice { token: token as u32, log_prob: scaled[token] - normaliser, entropy };
    }
}
}

/// Weights that are added up at a time.
const BLOCK: usize = 256;

/// The index at which the running sum of the weights exceeds the share `uniform` of their total; the last with any weight should rounding
/// leave none.
///
/// Sums are of 64 bits, and `uniform` is: in 32 a vocabulary of 150,000 tokens loses so much of its tail that the remainder, which falls to
/// the last token, is drawn once in a thousand times.
#[inline(always)]
fn invert(weights: &[f32], uniform: f64, sums: &mut Vec<f64>) -> usize {
    sum_blocks(weights, sums);
    let target = uniform * sums.iter().sum::<f64>();
    let mut sum = 0.0;
    for ((number, block), block_sum) in weights.chunks(BLOCK).enumerate().zip(&*sums) {
        let after = sum + block_sum;
        if after > target {
            let exceeds = |weight: &f32| {
                sum += f64::from(*weight);
                sum > target
            };
            return number * BLOCK + block.iter().position(exceeds).unwrap_or(last_of(block));
        }
        sum = after;
    }
    last_of(weights)
}

/// The sum of each block, four blocks at a time: one sum would wait for itself at every weight.
#[inline(always)]
fn sum_blocks(weights: &[f32], sums: &mut Vec<f64>) {
    sums.clear();
    let fours = weights.chunks_exact(4 * BLOCK);
    let rest = fours.remainder();
    for four in fours {
        let mut of_four = [0.0; 4];
        for i in 0..BLOCK {
            for (b, sum) in of_four.iter_mut().enumerate() {
                *sum += f64::from(four[b * BLOCK + i]);
            }
        }
        sums.extend(of_four);
    }
    sums.extend(
        rest.chunks(BLOCK)
            .map(|block| block.iter().copied().map(f64::from).sum::<f64>()),
    );
}

/// The last index with any weight.
fn last_of(weights: &[f32]) -> usize {
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

    fn choose(logits: &[f32], temperature: f32, uniform: f64) -> Choice {
        let mut choice = [Choice::default()];
        choose_rows(
            logits,
            temperature,
            Truncation::NONE,
            &[uniform],
            &mut choice,
        );
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
            (0.999_999_999, 2),
        ] {
            assert_eq!(choose(&logits, 1.0, uniform).token, token, "at {uniform}");
        }
        let first = choose(&logits, 1.0, 0.1);
        assert!((first.log_prob - 0.5_f32.ln()).abs() < 1e-6);
        assert!((first.entropy - 1.5 * 2.0_f32.ln()).abs() < 1e-6);
    }

    /// As many tokens as Qwen has, most of the probability on one of them.
    #[test]
    fn the_tail_of_a_large_vocabulary_is_drawn_as_often_as_it_should() {
        let tokens = 151_936;
        let mut logits: Vec<f32> = (0..tokens).map(|i| 2.0 * (i as f32 * 0.37).sin()).collect();
        logits[77] = 16.0;
        let weights: Vec<f64> = logits.iter().map(|&l| f64::from(l).exp()).collect();
        let total: f64 = weights.iter().sum();
        let below = |token: usize| weights[..token].iter().sum::<f64>() / total;
        for token in [0, 76, 77, 78, 255, 256, 90_000, tokens - 2, tokens - 1] {
            let middle = below(token) + 0.5 * weights[token] / total;
            assert_eq!(choose(&logits, 1.0, middle).token, token as u32);
        }
    }

    /// Tokens that can be drawn from probabilities .05, .4, .25, .2, .1.
    fn drawable(truncation: Truncation) -> Vec<usize> {
        let mut weights = [0.05, 0.4, 0.25, 0.2, 0.1_f32];
        truncation.apply(&mut weights);
        let kept = weights.iter().enumerate().filter(|(_, w)| **w > 0.0);
        kept.map(|(token, _)| token).collect()
    }

    /// transformers 5 (`TopKLogitsWarper`, `TopPLogitsWarper`, `MinPLogitsWarper` in this order) on the logarithms of these probabilities.
    #[test]
    fn truncation_keeps_what_transformers_keeps() {
        let none = Truncation::NONE;
        assert_eq!(drawable(none), [0, 1, 2, 3, 4]);
        assert_eq!(drawable(Truncation { top_k: 2, ..none }), [1, 2]);
        assert_eq!(drawable(Truncation { top_k: 9, ..none }), [0, 1, 2, 3, 4]);
        assert_eq!(drawable(Truncation { top_p: 0.6, ..none }), [1, 2]);
        assert_eq!(drawable(Truncation { top_p: 0.7, ..none }), [1, 2, 3]);
        assert_eq!(
            drawable(Truncation {
                top_p: 0.01,
                ..none
            }),
            [1]
        );
        assert_eq!(drawable(Truncation { min_p: 0.3, ..none }), [1, 2, 3]);
        // .4 of the three that top_k leaves are .47: top_p is already reached.
        let both = Truncation {
            top_k: 3,
            top_p: 0.45,
            min_p: 0.0,
        };
        assert_eq!(drawable(both), [1]);
    }

    #[test]
    fn what_cannot_be_drawn_still_counts_in_the_log_probability() {
        let logits = [0.5_f32.ln(), 0.25_f32.ln(), 0.25_f32.ln()];
        let mut choice = [Choice::default()];
        let best = Truncation {
            top_k: 1,
            ..Truncation::NONE
        };
        choose_rows(&logits, 1.0, best, &[0.99], &mut choice);
        assert_eq!(choice[0].token, 0);
        assert!((choice[0].log_prob - 0.5_f32.ln()).abs() < 1e-6);
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

//! Log-probability of a chosen token a row: `log softmax(logits / temperature)[target]`, without the matrix of all log-probabilities.

use crate::candle::kernels::lanes::exponentiate;

vectorized! {
/// Writes one log-probability a row of `logits`.
pub fn log_probs<'a>(logits: &'a [f32], targets: &'a [u32], inverse_temperature: f32, out: &'a mut [f32]) {
    let Some(width) = logits.len().checked_div(targets.len()) else { return };
    let mut scaled = vec![0.0_f32; width];
    for ((logits, &target), out) in logits.chunks_exact(width).zip(targets).zip(out) {
        for (s, &l) in scaled.iter_mut().zip(logits) {
            *s = l * inverse_temperature;
        }
        let chosen = scaled[target as usize];
        let (largest, total) = exponentiate(&mut scaled);
        *out = chosen - largest - total.ln();
    }
}
}

vectorized! {
/// The way back: d logits = (one-hot(target) - softmax) * dy / temperature.
pub fn log_probs_backward<'a>(logits: &'a [f32], targets: &'a [u32], inverse_temperature: f32, dy: &'a [f32], dx: &'a mut [f32]) {
    let Some(width) = logits.len().checked_div(targets.len()) else { return };
    for (((logits, &target), &dy), dx) in logits.chunks_exact(width).zip(targets).zip(dy).zip(dx.chunks_exact_mut(width)) {
        for (d, &l) in dx.iter_mut().zip(logits) {
            *d = l * inverse_temperature;
        }
        let (_, total) = exponentiate(dx);
        let factor = dy * inverse_temperature;
        let share = -factor / total;
        for d in dx.iter_mut() {
            *d *= share;
        }
        dx[target as usize] += factor;
    }
}
}

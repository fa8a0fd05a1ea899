//! Vector arithmetic in lanes of a fixed width: sums in a fixed order, an exponential without libm.

/// Partial sums kept side by side: two AVX2 registers.
pub const LANES: usize = 16;

/// `exp(x)` to about 2 units in the last place (Cephes' `expf`: range reduction by ln 2, then a polynomial of degree 6), clamped to
/// the range of normal floats; NaN stays NaN.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Adding and taking away 1.5 * 2^23 rounds to the nearest integer and leaves that integer in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, x));
    let mut p = 1.987_569_2e-4_f32;
    p = p.mul_add(r, 1.398_199_9e-3);
    p = p.mul_add(r, 8.333_452e-3);
    p = p.mul_add(r, 4.166_579_6e-2);
    p = p.mul_add(r, 1.666_666_6e-1);
    p = p.mul_add(r, 0.5);
    let p = (p * r).mul_add(r, r) + 1.0;
    // 2^n, built in the exponent bits.
    let exponent = (shifted
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .wrapping_add(127))
        << 23;
    p * f32::from_bits(exponent)
}

/// The logistic function.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
fn tree_sum(lanes: [f32; LANES]) -> f32 {
    let eight: [f32; 8] = std::array::from_fn(|i| lanes[i] + lanes[i + 8]);
    let four: [f32; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// Sum of a slice.
#[inline(always)]
pub fn sum(x: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for l in 0..LANES {
            lanes[l] += chunk[l];
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane += x;
    }
    tree_sum(lanes)
}

/// Inner product of two slices of one length.
#[inline(always)]
pub fn dot(x: &[f32], y: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (x_chunks, x_rest) = x.as_chunks::<LANES>();
    let (y_chunks, y_rest) = y.as_chunks::<LANES>();
    for (x, y) in x_chunks.iter().zip(y_chunks) {
        for l in 0..LANES {
            lanes[l] = x[l].mul_add(y[l], lanes[l]);
        }
    }
    for ((lane, &x), &y) in lanes.iter_mut().zip(x_rest).zip(y_rest) {
        *lane = x.mul_add(y, *lane);
    }
    tree_sum(lanes)
}

/// Largest element; negative infinity for an empty slice. NaN elements are passed over, so sums must be checked, not maxima.
#[inline(always)]
pub fn max(x: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for l in 0..LANES {
            lanes[l] = if chunk[l] > lanes[l] {
                chunk[l]
            } else {
                lanes[l]
            };
        }
    }
    let mut largest = f32::NEG_INFINITY;
    for &value in lanes.iter().chain(rest) {
        largest = if value > largest { value } else { largest };
    }
    largest
}

/// Up to [`LANES`] elements, filled up with zeros.
#[inline(always)]
pub fn load(x: &[f32]) -> [f32; LANES] {
    match x.first_chunk() {
        Some(whole) => *whole,
        None => std::array::from_fn(|l| x.get(l).copied().unwrap_or(0.0)),
    }
}

/// The way back of [`load`].
#[inline(always)]
pub fn store(values: [f32; LANES], x: &mut [f32]) {
    match x.first_chunk_mut() {
        Some(whole) => *whole = values,
        None => x.iter_mut().zip(values).for_each(|(x, value)| *x = value),
    }
}

/// Turns scores into `exp(score - largest)` in place.
#[inline(always)]
pub fn exponentials(scores: &mut [f32], largest: f32) {
    for piece in scores.chunks_mut(LANES) {
        let mut lanes = load(piece);
        for lane in &mut lanes {
            *lane = exp(*lane - largest);
        }
        store(lanes, piece);
    }
}

/// Turns scores into `exp(score - max)` in place and returns (max, sum of the exponentials).
#[inline(always)]
pub fn exponentiate(scores: &mut [f32]) -> (f32, f32) {
    let largest = max(scores);
    exponentials(scores, largest);
    (largest, sum(scores))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_to_libm_over_its_whole_range() {
        let mut worst = 0.0_f64;
        for i in -8700..=8800 {
            let x = i as f32 / 100.0;
            let truth = f64::from(x).exp();
            worst = worst.max(((f64::from(exp(x)) - truth) / truth).abs());
        }
        assert!(worst < 2.5e-7, "relative error {worst}");
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::NEG_INFINITY) < 1e-37 && exp(f32::NAN).is_nan());
    }

    #[test]
    fn sums_cover_every_tail_length() {
        for n in 0..70 {
            let x: Vec<f32> = (0..n).map(|i| i as f32).collect();
            let expected = (n * n.max(1) - n) as f32 / 2.0;
            assert_eq!(sum(&x), expected);
            assert_eq!(dot(&x, &vec![1.0; n]), expected);
            assert_eq!(
                max(&x),
                if n == 0 {
                    f32::NEG_INFINITY
                } else {
                    n as f32 - 1.0
                }
            );
        }
    }
}

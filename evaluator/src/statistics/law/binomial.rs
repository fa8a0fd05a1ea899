//! The binomial law: draws from it and its tails, both exact to floating point.
//!
//! Resampling n outcomes with replacement and counting one kind of them is a draw from the binomial
//! law of n and that kind's share, so the bootstrap of a count needs one draw where resampling needs n.

use rand::{Rng, RngExt};
use statrs::function::{beta::beta_reg, factorial::ln_binomial};

/// Draws from Bin(`n`, `p`) by inversion, trying the values outwards from the mode.
///
/// The order in which values are tried is free, so starting at the likeliest one keeps the expected
/// number of tries at the order of the standard deviation. `p` outside 0 to 1 counts as its nearest
/// end.
pub(crate) fn draw(n: u64, p: f64, rng: &mut impl Rng) -> u64 {
    if n == 0 || p <= 0.0 {
        return 0;
    }
    if p >= 1.0 {
        return n;
    }
    let odds = p / (1.0 - p);
    let mode = (((n + 1) as f64 * p) as u64).min(n);
    let at_mode = probability(n, mode, p);
    let mut left = rng.random::<f64>() - at_mode;
    let (mut up, mut p_up) = (mode, at_mode);
    let (mut down, mut p_down) = (mode, at_mode);
    while left >= 0.0 && (up < n || down > 0) {
        if up < n {
            p_up *= (n - up) as f64 / (up + 1) as f64 * odds;
            up += 1;
            left -= p_up;
            if left < 0.0 {
                return up;
            }
        }
        if down > 0 {
            p_down *= down as f64 / (n - down + 1) as f64 / odds;
            down -= 1;
            left -= p_down;
            if left < 0.0 {
                return down;
            }
        }
    }
    // Reached at the first try, or when rounding left a crumb of probability over.
    mode
}

/// Draws from one binomial law many times, by looking up its distribution function.
pub(crate) struct Sampler {
    /// P(X <= k) for each k.
    cumulative: Vec<f64>,
}

impl Sampler {
    /// `p` outside 0 to 1 counts as its nearest end.
    pub fn new(n: u64, p: f64) -> Self {
        let p = p.clamp(0.0, 1.0);
        let mut sum = 0.0;
        let probability = |k| match (p == 0.0, p == 1.0) {
            (false, false) => probability(n, k, p),
            (zero, _) => f64::from(u8::from(k == if zero { 0 } else { n })),
        };
        let add = |k| {
            sum += probability(k);
            sum
        };
        Self {
            cumulative: (0..=n).map(add).collect(),
        }
    }

    pub fn draw(&self, rng: &mut impl Rng) -> u64 {
        let u = rng.random::<f64>();
        let k = self.cumulative.partition_point(|below| *below <= u);
        // Rounding may leave a crumb of probability over at the end.
        k.min(self.cumulative.len() - 1) as u64
    }
}

/// P(X = `k`) for X from Bin(`n`, `p`), 0 < p < 1.
pub(crate) fn probability(n: u64, k: u64, p: f64) -> f64 {
    (ln_binomial(n, k) + k as f64 * p.ln() + (n - k) as f64 * (-p).ln_1p()).exp()
}

/// P(X <= `k`) for X from Bin(`n`, 1/2) with `k` in the lower half. The terms are summed downwards from the largest,
/// so that it is accurate however small it is: to a relative error of about 1e-15 times `n`, that of the logarithm of
/// the largest term.
pub(crate) fn fair_lower_tail(n: u64, k: u64) -> f64 {
    let largest = probability(n, k, 0.5);
    let (mut term, mut sum) = (1.0, 1.0);
    for j in (1..=k).rev() {
        term *= j as f64 / (n - j + 1) as f64;
        sum += term;
        if term < sum * f64::EPSILON {
            break;
        }
    }
    largest * sum
}

/// P(X <= `k`) for X from Bin(`n`, `p`), by the regularised incomplete beta function.
pub(crate) fn cumulative(n: u64, k: u64, p: f64) -> f64 {
    if k >= n || p <= 0.0 {
        1.0
    } else if p >= 1.0 {
        0.0
    } else {
        beta_reg((n - k) as f64, (k + 1) as f64, 1.0 - p)
    }
}

/// The least k with P(X <= k) >= `level` for X from Bin(`n`, `p`), by bisection.
pub(crate) fn quantile(n: u64, p: f64, level: f64) -> u64 {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if cumulative(n, middle, p) >= level {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn draws_follow_the_law() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let draws = 40_000;
        for (n, p) in [(1, 0.3), (12, 0.5), (40, 0.02), (40, 0.97), (1319, 0.56)] {
            let sampler = Sampler::new(n, p);
            let mut counts = [vec![0u32; n as usize + 1], vec![0; n as usize + 1]];
            for _ in 0..draws {
                counts[0][draw(n, p, &mut rng) as usize] += 1;
                counts[1][sampler.draw(&mut rng) as usize] += 1;
            }
            for counts in counts {
                let mut below = 0;
                for k in 0..n {
                    below += counts[k as usize];
                    let difference = f64::from(below) / f64::from(draws) - cumulative(n, k, p);
                    // Dvoretzky, Kiefer and Wolfowitz: exceeded with probability 2e-7.
                    assert!(
                        difference.abs() < 0.015,
                        "n {n}, p {p}, k {k}: {difference}"
                    );
                }
            }
        }
    }

    #[test]
    fn edges_of_the_law() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        assert_eq!(draw(0, 0.5, &mut rng), 0);
        assert_eq!(draw(9, 0.0, &mut rng), 0);
        assert_eq!(draw(9, 1.0, &mut rng), 9);
        assert_eq!(Sampler::new(9, 0.0).draw(&mut rng), 0);
        assert_eq!(Sampler::new(9, 1.0).draw(&mut rng), 9);
    }
}

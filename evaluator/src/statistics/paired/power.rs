//! What difference an evaluation can see at all.

use crate::statistics::law::normal;

/// The smallest difference in accuracy that McNemar's test at level `alpha` (two-sided) finds with
/// probability `power` on `questions` questions of which a share `discordance` tells the two apart.
///
/// Connor (*Biometrics* 43, 1987): a difference d needs
/// `n = (z_{1-alpha/2} sqrt(psi) + z_{power} sqrt(psi - d^2))^2 / d^2` questions, with psi the discordance;
/// solved for d by bisection. `None` when even the largest possible difference, `discordance` itself, is too
/// small to be found, or an argument is not a probability.
pub fn smallest_detectable_difference(
    questions: u64,
    discordance: f64,
    alpha: f64,
    power: f64,
) -> Option<f64> {
    let is_share = |x: f64| x > 0.0 && x < 1.0;
    if !(discordance > 0.0 && discordance <= 1.0 && is_share(alpha) && is_share(power)) {
        return None;
    }
    let (z_alpha, z_power) = (normal::quantile(1.0 - alpha / 2.0), normal::quantile(power));
    let needed = |d: f64| {
        let spread = (discordance - d * d).max(0.0).sqrt();
        ((z_alpha * discordance.sqrt() + z_power * spread) / d).powi(2)
    };
    let questions = questions as f64;
    if needed(discordance) > questions {
        return None;
    }
    let (mut low, mut high) = (0.0, discordance);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if needed(middle) > questions {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_formula_is_inverted() {
        // z = 1.959964 and 0.841621: n = (1.959964 sqrt(.2) + .841621 sqrt(.2 - .01))^2 / .01 = 154.7.
        let d = smallest_detectable_difference(155, 0.2, 0.05, 0.8).unwrap();
        assert!((d - 0.1).abs() < 2e-4, "{d}");
    }

    #[test]
    fn more_questions_see_more_and_too_few_nothing() {
        let at = |n| smallest_detectable_difference(n, 0.25, 0.05, 0.8);
        assert!(at(1319).unwrap() < at(500).unwrap());
        assert_eq!(at(5), None);
        assert_eq!(smallest_detectable_difference(500, 0.0, 0.05, 0.8), None);
    }
}

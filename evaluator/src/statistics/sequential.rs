//! A paired test that may be looked at after every question.
//!
//! Under the null hypothesis a discordant question favours either policy with probability 1/2. The ratio of
//! the likelihood under a uniform mixture of other probabilities to that under 1/2 is a test martingale, so
//! the chance that it ever exceeds 1/alpha is at most alpha, however often and for whatever reason one stops
//! (Ville, *Etude critique de la notion de collectif*, 1939; Robbins, *Annals of Mathematical Statistics* 41,
//! 1970; Ramdas et al., *Statistical Science* 38, 2023). This is what makes it safe to stop a losing candidate
//! early; repeating McNemar's test after every batch is not.

use serde::{Deserialize, Serialize};
use statrs::function::beta::{beta_reg, ln_beta};

use crate::{statistics::paired::Agreement, statistics::paired::mcnemar::never_zero};

/// Discordant questions so far, and the strongest evidence seen on the way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SequentialTest {
    only_a: u64,
    only_b: u64,
    /// The logarithm of the largest e-value so far against "`a` is no worse than `b`".
    most_against_a: f64,
    /// The logarithm of the largest e-value so far against "the two are equal".
    most_against_equal: f64,
}

impl Default for SequentialTest {
    fn default() -> Self {
        Self {
            only_a: 0,
            only_b: 0,
            most_against_a: 0.0,
            most_against_equal: 0.0,
        }
    }
}

impl SequentialTest {
    /// Takes in one question that both have answered.
    pub fn observe(&mut self, a_is_right: bool, b_is_right: bool) {
        match (a_is_right, b_is_right) {
            (true, false) => self.only_a += 1,
            (false, true) => self.only_b += 1,
            _ => return,
        }
        self.most_against_a = self
            .most_against_a
            .max(ln_e_value_worse(self.only_a, self.only_b));
        self.most_against_equal = self
            .most_against_equal
            .max(ln_e_value_unequal(self.only_a, self.only_b));
    }

    /// The anytime-valid p-value of "`a` is no worse than `b`": small when `a` loses.
    pub fn p_a_no_worse(&self) -> f64 {
        never_zero((-self.most_against_a).exp())
    }

    /// The anytime-valid two-sided p-value of "the two are equal".
    pub fn p_equal(&self) -> f64 {
        never_zero((-self.most_against_equal).exp())
    }

    /// Discordant questions so far.
    pub const fn discordant(&self) -> Agreement {
        Agreement {
            both: 0,
            only_a: self.only_a,
            only_b: self.only_b,
            neither: 0,
        }
    }
}

/// The mixture over all probabilities, `2^n B(a + 1, b + 1)`; in logarithms, for it grows without bound.
fn ln_e_value_unequal(only_a: u64, only_b: u64) -> f64 {
    let (a, b) = (only_a as f64, only_b as f64);
    (a + b) * 2f64.ln() + ln_beta(a + 1.0, b + 1.0)
}

/// The mixture over probabilities below 1/2 that a discordant question favours `a`. Under a null of 1/2 or
/// more it is a supermartingale. Minus infinity where `a` wins by so much that nothing of the mixture is left.
fn ln_e_value_worse(only_a: u64, only_b: u64) -> f64 {
    let below_half = beta_reg(only_a as f64 + 1.0, only_b as f64 + 1.0, 0.5);
    2f64.ln() + ln_e_value_unequal(only_a, only_b) + below_half.ln()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// The share of runs in which a look after every question ever shows p <= .05.
    fn share_rejected(p_a: f64, runs: u32, p: fn(&SequentialTest) -> f64) -> f64 {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let rejected = (0..runs).filter(|_| {
            let mut test = SequentialTest::default();
            for _ in 0..600 {
                let a = rng.random_bool(p_a);
                test.observe(a, !a);
            }
            p(&test) <= 0.05
        });
        rejected.count() as f64 / f64::from(runs)
    }

    #[test]
    fn peeking_after_every_question_keeps_the_level() {
        // Three standard errors of a share of .05 in 3000 runs are .012.
        assert!(share_rejected(0.5, 3000, SequentialTest::p_equal) <= 0.062);
        assert!(share_rejected(0.5, 3000, SequentialTest::p_a_no_worse) <= 0.062);
        assert!(share_rejected(0.6, 500, SequentialTest::p_a_no_worse) <= 0.01);
    }

    #[test]
    fn a_clear_loser_is_found() {
        assert!(share_rejected(0.4, 500, SequentialTest::p_a_no_worse) > 0.9);
    }

    #[test]
    fn the_first_questions_by_hand() {
        let mut test = SequentialTest::default();
        for _ in 0..4 {
            test.observe(false, true);
        }
        test.observe(true, true);
        // 2^4 B(1, 5) = 16 / 5, and the half below 1/2 holds 31/32 of the mixture.
        assert!((1.0 / test.p_equal() - 3.2).abs() < 1e-9);
        assert!((1.0 / test.p_a_no_worse() - 2.0 * 3.2 * 31.0 / 32.0).abs() < 1e-9);
    }

    #[test]
    fn no_evidence_is_too_strong_for_a_figure() {
        for a_wins in [true, false] {
            let mut test = SequentialTest::default();
            for _ in 0..5000 {
                test.observe(a_wins, !a_wins);
            }
            assert!(test.p_equal() > 0.0 && test.p_equal() < 1e-300);
            let one_sided = test.p_a_no_worse();
            assert!(if a_wins {
                one_sided == 1.0
            } else {
                (0.0..1e-300).contains(&one_sided) && one_sided > 0.0
            });
        }
    }
}

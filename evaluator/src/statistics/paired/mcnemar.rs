//! McNemar's test: are two policies equally often right on the same questions?

use serde::{Deserialize, Serialize};
use statrs::function::erf::erfc;

use crate::{
    evaluation::Evaluation,
    statistics::law::binomial::{fair_lower_tail, probability},
    statistics::paired::{Agreement, Unpaired},
};

/// The test's approximation by the chi-square law of one degree of freedom.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChiSquare {
    /// The statistic.
    pub statistic: f64,
    /// Its upper tail.
    pub p: f64,
}

impl ChiSquare {
    /// The upper tail is `erfc(sqrt(x / 2))`, a survival function: taking the distribution function
    /// from one would print 0 for every p below 1e-16.
    fn of(excess: f64, discordant: f64) -> Self {
        let statistic = excess * excess / discordant;
        Self {
            statistic,
            p: never_zero(erfc((statistic / 2.0).sqrt())),
        }
    }
}

/// The result of McNemar's test.
///
/// Only discordant questions carry information. Without any, the exact p-values are 1 and the chi-square
/// versions do not exist.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Questions only the first got right.
    pub only_a: u64,
    /// Questions only the second got right.
    pub only_b: u64,
    /// Questions both got right.
    pub both: u64,
    /// Questions neither got right.
    pub neither: u64,
    /// Two-sided exact p: the conditional sign test of McNemar (*Psychometrika* 12, 1947).
    pub exact_p: f64,
    /// Two-sided mid-p, less conservative than the exact p and seldom above its nominal level (Fagerland,
    /// Lydersen and Laake, *BMC Medical Research Methodology* 13:91, 2013).
    pub mid_p: f64,
    /// Chi-square without continuity correction.
    pub chi_square: Option<ChiSquare>,
    /// Chi-square with continuity correction (Edwards, *Psychometrika* 13, 1948), as the reference
    /// system reports it; poor with few discordant questions.
    pub chi_square_corrected: Option<ChiSquare>,
}

/// Tests whether `a` and `b` are equally often right.
pub fn mcnemar(a: &Evaluation, b: &Evaluation) -> Result<McNemar, Unpaired> {
    Agreement::between(a, b).map(mcnemar_of)
}

/// The test on a table of counts.
pub fn mcnemar_of(table: Agreement) -> McNemar {
    let Agreement {
        both,
        only_a,
        only_b,
        neither,
    } = table;
    let discordant = table.discordant();
    let (exact_p, mid_p) = match discordant {
        0 => (1.0, 1.0),
        _ => {
            let fewer = only_a.min(only_b);
            let two_sided = 2.0 * fair_lower_tail(discordant, fewer);
            let at = probability(discordant, fewer, 0.5);
            // Half of the observed table's probability is taken off; in the middle the tails overlap in it.
            let mid = if only_a == only_b {
                1.0 - at / 2.0
            } else {
                two_sided - at
            };
            (two_sided.min(1.0), mid.min(1.0))
        }
    };
    let excess = only_a.abs_diff(only_b) as f64;
    let chi_square =
        |excess: f64| (discordant > 0).then(|| ChiSquare::of(excess, discordant as f64));
    McNemar {
        only_a,
        only_b,
        both,
        neither,
        exact_p: never_zero(exact_p),
        mid_p: never_zero(mid_p),
        chi_square: chi_square(excess),
        chi_square_corrected: chi_square((excess - 1.0).max(0.0)),
    }
}

/// No p-value is 0: one below the smallest positive number is reported as that number.
pub(crate) fn never_zero(p: f64) -> f64 {
    p.max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_discordant_questions_the_test_is_marked() {
        let table = Agreement {
            both: 3,
            neither: 10,
            ..Agreement::default()
        };
        let test = mcnemar_of(table);
        assert_eq!((test.exact_p, test.mid_p), (1.0, 1.0));
        assert!(test.chi_square.is_none() && test.chi_square_corrected.is_none());
    }

    #[test]
    fn tiny_p_values_do_not_become_zero() {
        let table = Agreement {
            only_a: 5000,
            ..Agreement::default()
        };
        let test = mcnemar_of(table);
        assert!(test.exact_p > 0.0 && test.mid_p > 0.0);
        let table = Agreement {
            only_a: 100,
            ..Agreement::default()
        };
        let exact = 2.0 * 0.5f64.powi(100);
        assert!((mcnemar_of(table).exact_p / exact - 1.0).abs() < 1e-9);
    }

    #[test]
    fn under_the_null_the_tests_keep_their_level() {
        for discordant in [6, 10, 25, 100, 400] {
            let rejected = |p: fn(&McNemar) -> f64| -> f64 {
                let table = |only_a| Agreement {
                    only_a,
                    only_b: discordant - only_a,
                    ..Agreement::default()
                };
                let significant =
                    (0..=discordant).filter(|&only_a| p(&mcnemar_of(table(only_a))) <= 0.05);
                significant
                    .map(|only_a| probability(discordant, only_a, 0.5))
                    .sum()
            };
            assert!(rejected(|test| test.exact_p) <= 0.05);
            // Conditional on the discordant pairs mid-p may exceed its level a little.
            assert!(rejected(|test| test.mid_p) <= 0.065);
        }
    }
}

//! Who is ahead, and how sure we are: order by F1, McNemar tests against the leader and against the base rewards, Holm-adjusted.

use evaluator::{Evaluation, McNemar, holm, mcnemar};
use serde::Serialize;

/// How an evaluation compares with a reference on the same questions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Comparison {
    /// Questions only this one got right.
    pub only_this: u64,
    /// Questions only the reference got right.
    pub only_reference: u64,
    /// Exact McNemar p-value.
    pub p: f64,
    /// The same, Holm-adjusted for all comparisons with this reference.
    pub p_holm: f64,
}

/// The order of evaluations, best first, as indices: by F1, ties by answer rate, then by index.
#[must_use]
pub fn order(evaluations: &[&Evaluation]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..evaluations.len()).collect();
    order.sort_by(|&a, &b| {
        let key = |i: usize| (evaluations[i].f1(), evaluations[i].answer_rate());
        let ((f1_a, rate_a), (f1_b, rate_b)) = (key(a), key(b));
        f1_b.total_cmp(&f1_a)
            .then(rate_b.total_cmp(&rate_a))
            .then(a.cmp(&b))
    });
    order
}

/// Compares each evaluation with the reference. `None` entries are left out of the family (the reference itself, say), as are those on
/// other questions.
#[must_use]
pub fn compare_all(
    evaluations: &[Option<&Evaluation>],
    reference: &Evaluation,
) -> Vec<Option<Comparison>> {
    let tests = evaluations
        .iter()
        .map(|evaluation| evaluation.and_then(|e| mcnemar(e, reference).ok()));
    adjusted(tests.collect())
}

/// Adjusts a family of tests for its size.
#[must_use]
pub fn adjusted(tests: Vec<Option<McNemar>>) -> Vec<Option<Comparison>> {
    let p_values: Vec<f64> = tests.iter().flatten().map(|test| test.exact_p).collect();
    let mut adjusted = holm(&p_values).into_iter();
    tests
        .into_iter()
        .map(|test| {
            let test = test?;
            Some(Comparison {
                only_this: test.only_a,
                only_reference: test.only_b,
                p: test.exact_p,
                p_holm: adjusted.next()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use evaluator::Evaluation;

    use super::*;

    fn evaluation(letters: &str) -> Evaluation {
        Evaluation::from_bytes(letters.as_bytes()).unwrap()
    }

    #[test]
    fn the_better_f1_leads_and_ties_go_to_the_higher_answer_rate() {
        let (a, b, c) = (evaluation("ccwn"), evaluation("ccww"), evaluation("cccn"));
        assert_eq!(order(&[&a, &b, &c, &a]), [2, 1, 0, 3]);
    }

    #[test]
    fn comparisons_count_discordant_pairs_and_adjust_within_the_family() {
        let base = evaluation("wwwwwwwwcc");
        let good = evaluation("ccccccccww");
        let same = evaluation("wwwwwwwwcc");
        let out = compare_all(&[Some(&good), None, Some(&same)], &base);
        let first = out[0].unwrap();
        assert_eq!((first.only_this, first.only_reference), (8, 2));
        // scipy.stats.binomtest(2, 10).pvalue, SciPy 1.17
        assert!((first.p - 0.109_375).abs() < 1e-12);
        assert!((first.p_holm - 0.218_75).abs() < 1e-12);
        assert_eq!(out[1], None);
        assert!((out[2].unwrap().p - 1.0).abs() < 1e-12);
    }
}

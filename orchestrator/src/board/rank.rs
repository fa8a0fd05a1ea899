//! Who is ahead, and how sure we are: order by F1 within a rung, McNemar tests against the leader and against the base rewards of the
//! same rung, Holm-adjusted. The SQL view `leaderboard` follows the same rule; a test holds it to it.

use std::collections::HashMap;

use evaluator::{Agreement, Evaluation, McNemar, holm, mcnemar_of};
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

/// What was judged after a training of one budget.
#[derive(Debug, Clone, Copy)]
pub struct Contender<'a> {
    /// The budget. Figures of different rungs are never compared.
    pub rung: u32,
    /// What was judged.
    pub evaluation: &'a Evaluation,
}

/// The order of contenders, best first, as indices: those of a higher rung before those of a lower one, for they won on the lower; within
/// a rung by F1, ties by answer rate, then by index.
#[must_use]
pub fn order(contenders: &[Contender<'_>]) -> Vec<usize> {
    let keys: Vec<(u32, f64, f64)> = contenders
        .iter()
        .map(|c| (c.rung, c.evaluation.f1(), c.evaluation.answer_rate()))
        .collect();
    let mut order: Vec<usize> = (0..contenders.len()).collect();
    order.sort_by(|&a, &b| {
        let ((rung_a, f1_a, rate_a), (rung_b, f1_b, rate_b)) = (keys[a], keys[b]);
        rung_b
            .cmp(&rung_a)
            .then(f1_b.total_cmp(&f1_a))
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
    // Many rows share a table of agreement, and the exact test costs more than the look-up.
    let mut known: HashMap<(u64, u64, u64), McNemar> = HashMap::new();
    let tests = evaluations.iter().map(|evaluation| {
        let table = Agreement::between((*evaluation)?, reference).ok()?;
        let key = (table.only_a, table.only_b, table.both);
        Some(*known.entry(key).or_insert_with(|| mcnemar_of(table)))
    });
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
        let at = |rung, evaluation| Contender { rung, evaluation };
        assert_eq!(
            order(&[at(0, &a), at(0, &b), at(0, &c), at(0, &a)]),
            [2, 1, 0, 3]
        );
        assert_eq!(
            order(&[at(0, &c), at(1, &a), at(1, &b), at(0, &a)]),
            [2, 1, 0, 3],
            "the best of a lower rung is not ranked among those of a higher one"
        );
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

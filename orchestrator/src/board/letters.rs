//! Letters for a ranking: of the rows at its top, those that share a letter cannot be told from each other.

use evaluator::{Evaluation, compact_letters, holm, mcnemar};

use super::{
    comparison::LEVEL,
    leaderboard::{Leaderboard, Row},
};
use crate::store::Snapshot;

/// Rows that get letters: all pairs of them are tested, and nobody compares the hundredth with the hundred-and-first.
const LETTERED: usize = 20;

impl Leaderboard {
    /// The letters of the first rows of the ranking, best first, as far as they stand on the leader's rung: McNemar's exact tests of all
    /// pairs, Holm-adjusted.
    #[must_use]
    pub fn letters(&self, snapshot: &Snapshot) -> Vec<String> {
        let Some(leader) = self.ranked().next() else {
            return Vec::new();
        };
        let evaluation = |row: &Row| Some(&snapshot.evaluations.get(&row.trial?)?.evaluation);
        let first: Vec<&Evaluation> = self
            .ranked()
            .take(LETTERED)
            .take_while(|row| row.rung == leader.rung)
            .filter_map(evaluation)
            .collect();
        letters_of(&first)
    }
}

/// The letters of models, best first; none where they were not asked the same questions.
fn letters_of(best_first: &[&Evaluation]) -> Vec<String> {
    let n = best_first.len();
    let mut p = Vec::with_capacity(n * n / 2);
    for (i, a) in best_first.iter().enumerate() {
        for b in &best_first[i + 1..] {
            match mcnemar(a, b) {
                Ok(test) => p.push(test.exact_p),
                Err(_) => return Vec::new(),
            }
        }
    }
    let adjusted = holm(&p);
    let place = |i: usize, j: usize| {
        let (i, j) = (i.min(j), i.max(j));
        i * (2 * n - i - 1) / 2 + j - i - 1
    };
    compact_letters(n, |i, j| adjusted[place(i, j)] <= LEVEL)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rows_that_cannot_be_told_apart_share_a_letter() {
        let of = |right: usize| {
            let bytes = [b"c".repeat(right), b"w".repeat(200 - right)].concat();
            Evaluation::from_bytes(&bytes).unwrap()
        };
        let (best, near, far) = (of(150), of(148), of(60));
        assert_eq!(letters_of(&[&best, &near, &far]), ["a", "a", "b"]);
        let other = Evaluation::from_bytes(b"cw").unwrap();
        assert!(letters_of(&[&best, &other]).is_empty());
        assert!(letters_of(&[]).is_empty());
    }
}

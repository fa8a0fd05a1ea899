//! What is asked of which model in a round: one request, or several of different kinds to different models.

use super::{Brief, archive::archive, config::Moves, detail::Detail};
use crate::proposer::{Fate, PastCandidate};

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// Whatever the proposer thinks best.
    All,
    /// Ideas that have not been tried.
    Fresh,
    /// Variants of one good candidate each.
    Mutate,
    /// Joins of several good candidates.
    Combine,
}

/// One request of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Errand {
    pub(super) kind: Move,
    /// Index of the model asked.
    pub(super) model: usize,
    /// Drafts asked for.
    pub(super) count: usize,
    /// What it is kept under; unique in its round.
    pub(super) step: String,
    /// Whether it is asked what was learnt.
    pub(super) notes: bool,
}

impl Errand {
    /// The one request of a round in which nothing is divided.
    pub(super) fn whole(count: usize) -> Self {
        Self {
            kind: Move::All,
            model: 0,
            count,
            step: "ask".to_owned(),
            notes: true,
        }
    }

    /// The candidates whose sources are shown: the best, no two of a kind. For variants and joins there are as many as the request can use.
    pub(super) fn sources<'a>(&self, brief: &Brief<'a>, detail: &Detail) -> Vec<&'a PastCandidate> {
        let wanted = match self.kind {
            Move::All | Move::Fresh => detail.sources,
            Move::Mutate => detail.sources.min(self.count.max(1)),
            Move::Combine => detail.sources.max(2),
        };
        archive(brief.history, wanted)
    }
}

/// The requests of a round. `weights` are those of the models.
pub(super) fn errands(brief: &Brief<'_>, weights: &[f64], moves: Option<Moves>) -> Vec<Errand> {
    let ranked = brief
        .history
        .iter()
        .filter(|c| matches!(c.fate, Fate::Ranked { .. }))
        .count();
    let kinds: Vec<(Move, usize)> = match moves {
        Some(moves) if ranked > 0 => {
            let joins = if ranked > 1 { moves.combine } else { 0.0 };
            let shares = shares(brief.count, &[moves.fresh, moves.mutate, joins], 0);
            [Move::Fresh, Move::Mutate, Move::Combine]
                .into_iter()
                .zip(shares)
                .collect()
        }
        Some(_) => vec![(Move::Fresh, brief.count)],
        None => vec![(Move::All, brief.count)],
    };
    let mut errands = Vec::new();
    // Counted on over the rounds, so that models get their share even where a round is small.
    let mut before = (brief.round.saturating_sub(1) as usize).saturating_mul(brief.count);
    for (kind, count) in kinds {
        let of_models = shares(count, weights, before);
        before += count;
        for (model, count) in of_models.into_iter().enumerate().filter(|(_, n)| *n > 0) {
            errands.push(Errand {
                kind,
                model,
                count,
                step: match (kind, model) {
                    (Move::All, 0) => "ask".to_owned(),
                    (Move::All, model) => format!("ask {}", model + 1),
                    (Move::Fresh, model) => format!("fresh {}", model + 1),
                    (Move::Mutate, model) => format!("mutate {}", model + 1),
                    (Move::Combine, model) => format!("combine {}", model + 1),
                },
                notes: errands.is_empty(),
            });
        }
    }
    errands
}

/// So many things dealt out by weight, one at a time to whoever is furthest behind; `before` so many were dealt earlier.
fn shares(count: usize, weights: &[f64], before: usize) -> Vec<usize> {
    let sum: f64 = weights.iter().sum();
    let mut credit = vec![0.0; weights.len()];
    let mut dealt = vec![0; weights.len()];
    // What was dealt a thousand things ago makes no difference.
    let begin = before.saturating_sub(before.min(1000));
    for at in begin..before + count {
        for (credit, weight) in credit.iter_mut().zip(weights) {
            *credit += weight / sum;
        }
        let mut most = 0;
        for index in 1..credit.len() {
            if credit[index] > credit[most] + 1e-9 {
                most = index;
            }
        }
        credit[most] -= 1.0;
        dealt[most] += usize::from(at >= before);
    }
    dealt
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proposer::Background;

    #[test]
    fn shares_follow_the_weights_over_rounds_however_small() {
        assert_eq!(shares(8, &[1.0, 2.0, 1.0], 0), [2, 4, 2]);
        assert_eq!(shares(5, &[1.0], 3), [5]);
        let mut all = [0, 0];
        for round in 0..8 {
            let of_round = shares(1, &[3.0, 1.0], round);
            all[0] += of_round[0];
            all[1] += of_round[1];
        }
        assert_eq!(all, [6, 2]);
        assert_eq!(shares(4, &[1.0, 0.0], 0), [4, 0]);
    }

    #[test]
    fn a_round_is_divided_into_requests_of_one_kind_and_one_model_each() {
        let background = Background::default();
        let brief = |history| Brief {
            round: 2,
            count: 8,
            seed: 1,
            history,
            problems: &[],
            format_hint: "",
            background: &background,
        };
        let ranked = |rank| PastCandidate {
            fate: Fate::Ranked {
                rank,
                f1: 0.5,
                interval: [0.4, 0.6],
                accuracy: 0.5,
                answer_rate: 1.0,
            },
            ..crate::proposer::chat::tests::past("a")
        };
        let told = |errands: Vec<Errand>| -> Vec<(String, usize)> {
            errands.into_iter().map(|e| (e.step, e.count)).collect()
        };
        let step = |step: &str, count| (step.to_owned(), count);
        assert_eq!(told(errands(&brief(&[]), &[1.0], None)), [step("ask", 8)]);
        let two = [ranked(1), ranked(2)];
        let moves = Some(Moves::default());
        assert_eq!(
            told(errands(&brief(&two), &[1.0, 1.0], moves)),
            [
                step("fresh 1", 1),
                step("fresh 2", 1),
                step("mutate 1", 2),
                step("mutate 2", 2),
                step("combine 1", 1),
                step("combine 2", 1)
            ]
        );
        let one = [ranked(1)];
        let without_joins = told(errands(&brief(&one), &[1.0], moves));
        assert_eq!(without_joins, [step("fresh 1", 3), step("mutate 1", 5)]);
        assert_eq!(
            told(errands(&brief(&[]), &[1.0], moves)),
            [step("fresh 1", 8)]
        );
    }
}

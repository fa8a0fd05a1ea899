//! What a proposer is told of the past: every candidate with its source and its fate, the best first.

use std::collections::HashMap;

use trainer_bridge::StepMetrics;

use crate::{
    board::{
        leaderboard::{Leaderboard, Row},
        state::RowState,
    },
    domain::candidate::{Candidate, CandidateId},
    proposer::{Fate, PastCandidate},
    store::{SearchId, Store, StoreError},
};

/// The ranked candidates, best first, then the failed and the refused in the order they were proposed.
///
/// # Errors
/// If the database fails.
pub async fn history(store: &Store, search: SearchId) -> Result<Vec<PastCandidate>, StoreError> {
    let board = Leaderboard::read(store).await?;
    let curves = store.curves(search).await?;
    let candidates = store.candidates(search).await?;
    let mut candidates: HashMap<CandidateId, Candidate> =
        candidates.into_iter().map(|c| (c.id, c)).collect();
    let past = board.candidates.iter().filter_map(|row| {
        let curve = row
            .trial
            .and_then(|id| curves.get(&id))
            .map_or(&[][..], Vec::as_slice);
        let fate = fate(row, curve)?;
        let candidate = candidates.remove(&row.candidate?)?;
        Some(PastCandidate {
            origin: candidate.origin,
            draft: candidate.draft,
            fate,
        })
    });
    Ok(past.collect())
}

fn fate(row: &Row, curve: &[StepMetrics]) -> Option<Fate> {
    let reason = row.reason.clone().unwrap_or_default();
    Some(match (&row.figures, row.state) {
        (Some(figures), _) => Fate::Ranked {
            rank: row.rank?,
            f1: figures.f1.point,
            interval: [figures.f1.interval.lower, figures.f1.interval.upper],
            accuracy: figures.accuracy.point,
            answer_rate: figures.answer_rate,
            reward_curve: curve.iter().map(|m| m.reward).collect(),
            correct_curve: curve.iter().map(|m| m.correct).collect(),
        },
        (None, RowState::Failed) => Fate::Failed { reason },
        (None, state) if state.is_refused() => Fate::Rejected { reason },
        _ => return None,
    })
}

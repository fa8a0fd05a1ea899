//! What a proposer is told beside the candidates: what they are compared with, what the untouched model writes, what was learnt.

use super::{SearchError, context::Context};
use crate::{
    board::leaderboard::Leaderboard,
    domain::{
        candidate::{CandidateEntry, NewCandidate, Origin, Refusal, Status},
        draft::{CHECK, Draft},
    },
    proposer::{Background, Lesson, Reference, Setback, Written, Wrong, parse::lessons},
};
use sandbox::Rejection;

/// Completions of the untouched model that are shown at most.
const WRITTEN: usize = 3;

/// The background of a round. `seeds` are the rewards of a person, which enter the first.
///
/// # Errors
/// If the database fails.
pub(super) async fn background(
    context: &Context,
    round: u32,
    seeds: &[Draft],
) -> Result<Background, SearchError> {
    let Context {
        config, store, id, ..
    } = context;
    let board = Leaderboard::read_bare(store).await?;
    let references = board.references.iter().filter_map(|row| {
        let figures = row.figures.as_ref()?;
        Some(Reference {
            name: row.name.clone(),
            f1: figures.f1.point,
            interval: [figures.f1.interval.lower, figures.f1.interval.upper],
            accuracy: figures.accuracy.point,
            answer_rate: figures.answer_rate,
        })
    });
    let candidates = store.candidate_entries(*id).await?;
    let of_earlier = |c: &&CandidateEntry| {
        c.origin.round().is_some_and(|of| of < round)
            && !matches!(c.status, Status::Unreadable { .. })
    };
    let proposed = candidates.iter().filter(of_earlier).count();
    let base = store.base_rewards(*id).await?.into_iter().map(|c| c.draft);
    let pool = store.pool(*id).await?;
    let groups = pool.into_iter().flat_map(|pool| pool.groups);
    let written = groups.take(WRITTEN).filter_map(|group| {
        Some(Written {
            completion: group.completions.into_iter().next()?,
            prompt: group.prompt,
            answer: group.answer,
        })
    });
    let mut learnt: Vec<Lesson> = Vec::new();
    for (of, exchange) in store.whole_exchanges(*id).await? {
        let is_new =
            of < round && exchange.step != CHECK && learnt.last().is_none_or(|l| l.round != of);
        if let Some(text) = lessons(&exchange.reply).filter(|_| is_new) {
            learnt.push(Lesson { round: of, text });
        }
    }
    let last = config.screen.ladder();
    Ok(Background {
        references: references.collect(),
        base: base.collect(),
        adds_base: config.search.with_base_rewards,
        seeds: match round {
            1 => seeds.to_vec(),
            _ => Vec::new(),
        },
        written: written.collect(),
        lessons: learnt,
        steps: last.rungs.last().map_or(0, |rung| rung.steps),
        group: config.grpo.num_generations,
        proposed,
    })
}

/// The proposed drafts of a round that are of no use as they are, and what is wrong with each.
pub(super) fn setbacks(candidates: &[NewCandidate]) -> Vec<Setback> {
    let proposed = candidates
        .iter()
        .filter(|c| matches!(c.origin, Origin::Round(_)));
    proposed
        .filter_map(|candidate| {
            let why = match &candidate.status {
                Status::Rejected(refusal) => Wrong::Refused(diagnostic(refusal)),
                Status::Duplicate { of } => Wrong::Twin { of: of.clone() },
                // Others in place of those are asked for on their own.
                Status::Accepted | Status::Twin { .. } | Status::Unreadable { .. } => return None,
            };
            Some(Setback {
                draft: candidate.draft.clone(),
                why,
            })
        })
        .collect()
}

/// All that was said of a refused draft; of a compiler, every message with its lines.
pub(super) fn diagnostic(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Rejection {
            rejection: Rejection::Compile { stderr },
        } => format!("does not compile:\n{stderr}"),
        other => other.to_string(),
    }
}

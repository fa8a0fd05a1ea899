//! What a proposer is told of the past: every candidate with its source, its fate and what was seen of it, the best first.

use std::collections::HashMap;

use trainer_bridge::StepMetrics;

use super::background::diagnostic;
use crate::{
    board::{
        leaderboard::{Leaderboard, Row},
        state::RowState,
    },
    domain::candidate::{Candidate, CandidateId, Status},
    proposer::{Curve, Fate, Misjudged, PastCandidate, ProbeFigures, Study},
    reward::probe::Probed,
    store::{SearchId, Store, StoreError},
};

/// Ranked candidates whose trainings are read, the best: in a search of months all of them would not fit into memory, and none below these is a
/// model of anything.
const STUDIED: usize = 256;

/// The ranked candidates, best first, then the failed and the refused in the order they were proposed.
///
/// # Errors
/// If the database fails.
pub async fn history(store: &Store, search: SearchId) -> Result<Vec<PastCandidate>, StoreError> {
    let board = Leaderboard::read(store).await?;
    let studied = board.ranked().take(STUDIED).filter_map(|row| row.trial);
    let curves = store.curves_of(&studied.collect::<Vec<_>>()).await?;
    let candidates = store.candidates(search).await?;
    let mut candidates: HashMap<CandidateId, Candidate> =
        candidates.into_iter().map(|c| (c.id, c)).collect();
    let past = board.candidates.iter().filter_map(|row| {
        let steps = row
            .trial
            .and_then(|id| curves.get(&id))
            .map_or(&[][..], Vec::as_slice);
        let candidate = candidates.remove(&row.candidate?)?;
        Some(PastCandidate {
            fate: fate(row, &candidate)?,
            study: Study {
                curves: curves_of(steps, &candidate.draft.name),
                misjudged: misjudged(steps),
                probe: candidate.probe.as_deref().and_then(probe_figures),
                same_as: match &candidate.status {
                    Status::Duplicate { of } | Status::Twin { of } => Some(of.clone()),
                    _ => row.same_as.clone(),
                },
            },
            origin: candidate.origin,
            draft: candidate.draft,
        })
    });
    Ok(past.collect())
}

/// A piece of a reply that is no draft is no candidate to learn from.
fn fate(row: &Row, candidate: &Candidate) -> Option<Fate> {
    if matches!(candidate.status, Status::Unreadable { .. }) {
        return None;
    }
    let reason = || row.reason.clone().unwrap_or_default();
    Some(match (&row.figures, row.state) {
        (Some(figures), _) => Fate::Ranked {
            rank: row.rank?,
            f1: figures.f1.point,
            interval: [figures.f1.interval.lower, figures.f1.interval.upper],
            accuracy: figures.accuracy.point,
            answer_rate: figures.answer_rate,
        },
        (None, RowState::Failed | RowState::Pruned) => Fate::Failed { reason: reason() },
        (None, state) if state.is_refused() => Fate::Rejected {
            reason: match &candidate.status {
                Status::Rejected(refusal) => diagnostic(refusal),
                _ => reason(),
            },
        },
        _ => return None,
    })
}

/// The reward, its parts, and how the policy behaved.
fn curves_of(steps: &[StepMetrics], name: &str) -> Vec<Curve> {
    if steps.is_empty() {
        return Vec::new();
    }
    let curve = |of: &str, value: fn(&StepMetrics) -> f64| Curve {
        of: of.to_owned(),
        values: steps.iter().map(value).collect(),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in steps.iter().flat_map(|step| &step.parts) {
        if part.reward == name && !parts.contains(&&*part.part) {
            parts.push(&part.part);
        }
    }
    let part = |part: &&str| Curve {
        of: format!("part {part}"),
        values: steps
            .iter()
            .map(|step| {
                let own = step
                    .parts
                    .iter()
                    .find(|p| p.reward == name && p.part == *part);
                own.map_or(0.0, |own| own.mean)
            })
            .collect(),
    };
    let mut curves = vec![curve("reward", |step| step.reward)];
    curves.extend(parts.iter().map(part));
    curves.extend([
        curve("spread", |step| step.reward_std),
        curve("flat", |step| step.frac_reward_zero_std),
        curve("right", |step| step.correct),
    ]);
    // A trainer that does not tell has no curve of it.
    let answered: Option<Vec<f64>> = steps.iter().map(|step| step.answered).collect();
    curves.extend(answered.map(|values| Curve {
        of: "answered".to_owned(),
        values,
    }));
    curves.extend([
        curve("length", |step| step.completion_length),
        curve("cut", |step| step.clipped_ratio),
    ]);
    curves
}

/// The last wrong completion that was paid the most of its step, and the last right one that was paid the least.
fn misjudged(steps: &[StepMetrics]) -> Vec<Misjudged> {
    let told = |step: &StepMetrics, at: usize, correct: bool| {
        // The first sample of a step is the best paid one, the last the worst.
        let (best, worst) = (step.samples.first()?, step.samples.last()?);
        let sample = [best, worst][at];
        (sample.correct == correct && best.reward > worst.reward).then(|| Misjudged {
            step: step.step,
            prompt: sample.prompt.clone(),
            completion: sample.completion.clone(),
            reward: sample.reward,
            correct,
        })
    };
    let wrong = steps.iter().rev().find_map(|step| told(step, 0, false));
    let right = steps.iter().rev().find_map(|step| told(step, 1, true));
    wrong.into_iter().chain(right).collect()
}

fn probe_figures(json: &str) -> Option<ProbeFigures> {
    let worth = serde_json::from_str::<Probed>(json).ok()?.worth?;
    Some(ProbeFigures {
        auc: worth.auc_within.as_ref().map(|share| share.point),
        flat: worth.flat_groups,
        range: [worth.lowest, worth.highest],
        agreement: worth
            .agreement
            .into_iter()
            .filter_map(|a| Some((a.with, a.kendall?)))
            .collect(),
        hacks: worth
            .hacks
            .into_iter()
            .map(|hack| (hack.kind, hack.above))
            .collect(),
    })
}
